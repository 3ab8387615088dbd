"""Offline proofs of inclusion as text (C2SP tlog-proof)."""

from __future__ import annotations

from dataclasses import dataclass

from audit.encodings import base64_text, read_base64, read_decimal
from audit.errors import Malformed, UnknownFormat
from audit.merkle import HASH_BYTES, MAX_SIZE

MAX_PROOF_BYTES = 256 * 1024  # a checkpoint with many cosignatures, and 63 hashes
MAX_HASHES = 63  # the height of the largest tree

_FIRST_LINE = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """Entry ``index`` is in the tree of ``checkpoint`` (a note). Nothing here is verified yet."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


def format_proof(
    *, index: int, proof: tuple[bytes, ...], checkpoint: bytes, extra: bytes | None = None
) -> bytes:
    """Return the proof's text, UTF-8."""
    lines = [_FIRST_LINE]
    if extra is not None:
        lines.append(f"extra {base64_text(extra)}")
    lines += [f"index {index}", *(base64_text(one) for one in proof), "", ""]
    return "\n".join(lines).encode() + checkpoint


def parse_proof(text: bytes) -> TlogProof:
    """Read a proof. Raises Malformed, UnknownFormat. What it says is still to be checked."""
    if len(text) > MAX_PROOF_BYTES:
        raise Malformed("the proof is too long")
    head, blank, checkpoint = text.partition(b"\n\n")
    if not blank or not checkpoint:
        raise Malformed("the proof holds no checkpoint")
    if not head.isascii():
        raise Malformed("the proof's lines are not ASCII")
    first, *lines = head.decode("ascii").split("\n")
    if first != _FIRST_LINE:
        raise UnknownFormat(f"this is not a {_FIRST_LINE}")
    extra = read_base64(lines.pop(0)[6:], refusal=Malformed) if lines and lines[0][:6] == "extra " else None
    return TlogProof(index=_index(lines), proof=_hashes(lines[1:]), checkpoint=checkpoint, extra=extra)


def _index(lines: list[str]) -> int:
    if not lines or not lines[0].startswith("index "):
        raise Malformed("the proof does not say which entry it is of")
    index = read_decimal(lines[0][6:], refusal=Malformed)
    if index >= MAX_SIZE:
        raise Malformed("the proof's index is out of bounds")
    return index


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    hashes = tuple(read_base64(line, refusal=Malformed) for line in lines)
    if len(hashes) > MAX_HASHES or any(len(one) != HASH_BYTES for one in hashes):
        raise Malformed("the proof's hashes are not SHA-256 hashes of one path")
    return hashes
