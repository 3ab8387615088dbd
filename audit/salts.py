"""The salts that open an entry's commitments, archive-salts/v1: canonical JSON (ADR 0005)."""

from __future__ import annotations

from collections.abc import Mapping

from audit.canonical import Members, canonical_json, check_format, read_canonical
from audit.commitments import check_field
from audit.errors import Malformed

SALTS_FORMAT = "archive-salts/v1"
MAX_SALTS_BYTES = 16 * 1024  # an entry commits to four fields


def encode_salts(salts: Mapping[str, bytes]) -> bytes:
    """Return the file: one salt of 32 bytes for each committed field. Raises Malformed."""
    text = canonical_json(
        {"format": SALTS_FORMAT, "salts": {field: salt.hex() for field, salt in salts.items()}}
    )
    parse_salts(text)
    return text


def parse_salts(text: bytes) -> dict[str, bytes]:
    """Read the file. Raises UnknownFormat, Malformed."""
    value = read_canonical(text, limit=MAX_SALTS_BYTES)
    check_format(value, SALTS_FORMAT)
    members = Members(value, "the salts")
    members.take("format")
    fields = members.take("salts")
    members.done()
    if not isinstance(fields, dict):
        raise Malformed("the salts are not an object")
    return {field: _salt(fields, field) for field in sorted(fields)}


def _salt(fields: dict[str, object], field: str) -> bytes:
    check_field(field)
    return Members(fields, "the salts").digest(field)
