"""What a check found, as a sentence in French or English with its facts in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from audit.texts import Language


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence by its code, and the facts in it. ``str`` gives the English."""

    code: str
    facts: Mapping[str, str]

    def text(self, language: Language) -> str:
        """Return the sentence."""
        return sentences()[self.code][language].format_map(self.facts)

    def __str__(self) -> str:
        return self.text("en")


def said(code: str, **facts: object) -> Said:
    """Return a sentence; each fact is written by ``str``."""
    return Said(code, {name: str(fact) for name, fact in facts.items()})


@cache
def sentences() -> dict[str, dict[Language, str]]:
    """Return the sentences by code and language."""
    path = Path(__file__).with_name("sentences.json")
    result: dict[str, dict[Language, str]] = json.loads(path.read_text(encoding="utf-8"))
    return result
