"""What the commands say, in the reader's language, and how they end."""

from __future__ import annotations

import enum
import json
import os
import sys

from rich.console import Console

from archive_service.cli.verify_command import language

err = Console(stderr=True, highlight=False)
out = Console(highlight=False)


class ExitCode(enum.IntEnum):
    """How a command ended."""

    WELL = 0
    NOT_ALL = 1  # something was rejected, or did not verify
    COULD_NOT_RUN = 2


class CannotRun(Exception):
    """The command cannot do its work; the message says why and what to do, in the reader's language."""


def say(english: str, french: str) -> str:
    """Return the sentence in the reader's language."""
    return french if language(os.environ) == "fr" else english


def print_json(value: dict[str, object]) -> None:
    """Print one object on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()
