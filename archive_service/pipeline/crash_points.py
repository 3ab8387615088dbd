"""Named places where a crash is interesting, so that the fault tests can kill a process exactly there.

A point does nothing unless ``ARCHIVE_CRASH_DIR`` names a folder and a file of the point's name stands in it:
then the file is removed and the process kills itself with SIGKILL, once.
"""

from __future__ import annotations

import enum
import os
import signal
from pathlib import Path


class CrashPoint(enum.StrEnum):
    """Each is just after something became durable, or just before the next thing does."""

    RECEIVE_STAGED = "receive.staged"
    RECEIVE_RECORDED = "receive.recorded"
    VALIDATE_KEPT = "validate.kept"
    SEAL_STAGED = "seal.staged"
    SEAL_KEPT = "seal.kept"
    STORE_SECRETS_DRAWN = "store.secrets-drawn"
    STORE_SECRETS_COPIED = "store.secrets-copied"
    STORE_OBJECT_PUT = "store.object-put"
    STORE_KEPT = "store.kept"
    JOURNAL_ENTERED = "journal.entered"
    JOURNAL_INTEGRATED = "journal.integrated"
    JOURNAL_KEPT = "journal.kept"
    RECEIPT_SIGNED = "receipt.signed"
    RECEIPT_KEPT = "receipt.kept"
    RECEIPT_PUT = "receipt.put"
    RECEIPT_CLOSED = "receipt.closed"
    RECEIPT_CLEANED = "receipt.cleaned"
    SEQUENCE_ORDERED = "sequence.ordered"
    SEQUENCE_STAGED = "sequence.staged"
    SEQUENCE_SWAPPED = "sequence.swapped"
    SEQUENCE_PUBLISHED = "sequence.published"
    STAMP_TOKEN_GOT = "stamp.token-got"  # noqa: S105 -- a time-stamp token, no password
    STAMP_KEPT = "stamp.kept"
    STAMP_PUBLISHED = "stamp.published"


_FOLDER = os.environ.get("ARCHIVE_CRASH_DIR")


def reached(point: CrashPoint) -> None:
    """Die here if the fault tests asked for it."""
    if _FOLDER is None:
        return
    try:
        Path(_FOLDER, point).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
