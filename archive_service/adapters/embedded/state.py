"""The data folder of an embedded stack: private files, one owner at a time, and what was started.

``<data>/run`` (mode 0700) keeps secrets, ports and the list of processes. Every file in it is replaced in one
step: a crash leaves the old one or the new one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from archive_service.model import ArchiveError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


class DataInUse(ArchiveError):
    """Another supervisor runs on this data folder."""


def private_folder(folder: Path) -> Path:
    """Make the folder (and its parents, with ordinary modes) if it is absent; only we may enter it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return folder


def write_private(path: Path, body: bytes) -> None:
    """Replace a file in one durable step; mode 0600 from its first byte on."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)  # a crash left it half-written
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remember(path: Path, facts: Mapping[str, object]) -> None:
    """Keep facts as private JSON."""
    write_private(path, json.dumps(facts, indent=1, sort_keys=True).encode())


def recall(path: Path) -> dict[str, object]:
    """Return the facts kept there; none if the file does not exist."""
    try:
        facts = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    if not isinstance(facts, dict):
        raise ArchiveError(f"{path} does not hold a JSON object.")
    return facts


def recall_port(facts: Mapping[str, object], name: str) -> int | None:
    """Return a remembered port, or None."""
    port = facts.get(name)
    return port if isinstance(port, int) else None


def recall_text(facts: Mapping[str, object], name: str) -> str | None:
    """Return a remembered text, or None."""
    text = facts.get(name)
    return text if isinstance(text, str) else None


@contextmanager
def sole_owner(data: Path) -> Iterator[None]:
    """Hold the data folder. The kernel lets go of the lock when we die, however we die. Raises DataInUse."""
    lock = private_folder(data / "run") / "lock"
    # Not inheritable (Python's default): a child that outlives us must not keep the folder locked.
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataInUse(
                f"Another archive already runs on {data}. Stop it, or choose another folder."
            ) from None
        yield
