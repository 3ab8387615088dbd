"""The small file that a checkpoint's time-stamp token covers: archive-checkpoint-statement/v1 (ADR 0003).

Each names the token before it, so that leaving one out shows (NF Z42-013: chained, at least every 24 hours).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from audit.errors import Malformed, UnknownFormat
from audit.notes import MAX_NOTE_BYTES, split_note

_FIRST_LINE = "archive-checkpoint-statement/v1"
_HEADER = re.compile(r"previous (none|[0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """``checkpoint``: the signed note, unverified. ``previous_token_sha256``: of the DER token before."""

    checkpoint: bytes
    previous_token_sha256: bytes | None


def statement(*, checkpoint: bytes, previous_token_sha256: bytes | None) -> bytes:
    """Return the text to stamp. Raises Malformed for what is not a signed note or not a digest."""
    split_note(checkpoint)
    previous = "none" if previous_token_sha256 is None else previous_token_sha256.hex()
    if not _HEADER.fullmatch(f"previous {previous}"):
        raise Malformed("the previous token's digest must have 32 bytes")
    return f"{_FIRST_LINE}\nprevious {previous}\n\n".encode() + checkpoint


def parse_statement(text: bytes) -> Statement:
    """Read a statement. Raises Malformed, UnknownFormat."""
    if len(text) > MAX_NOTE_BYTES + 256:
        raise Malformed("the statement is too long")
    first, _, rest = text.partition(b"\n")
    if first != _FIRST_LINE.encode():
        raise UnknownFormat(f"this is not an {_FIRST_LINE}")
    header, blank, checkpoint = rest.partition(b"\n\n")
    match = _HEADER.fullmatch(header.decode("latin-1"))
    if not blank or match is None:
        raise Malformed("the statement does not name the token before it")
    split_note(checkpoint)
    previous = None if match[1] == "none" else bytes.fromhex(match[1])
    return Statement(checkpoint=checkpoint, previous_token_sha256=previous)
