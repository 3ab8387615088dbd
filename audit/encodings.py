"""Base64, decimal numbers and moments, each read in its one canonical form, so that no two texts mean one."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime

from audit.errors import Malformed

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def base64_text(data: bytes) -> str:
    """Return standard, padded base64 (RFC 4648 §4)."""
    return base64.b64encode(data).decode()


def read_base64(text: str, *, refusal: type[Malformed]) -> bytes:
    """Decode padded base64 without stray bits or characters. Raises ``refusal``."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise refusal("base64 is ill-formed") from None
    if base64_text(value) != text:
        raise refusal("base64 is not in its canonical form")
    return value


def read_decimal(text: str, *, refusal: type[Malformed]) -> int:
    """Read a non-negative ASCII decimal without leading zeroes. Raises ``refusal``."""
    if not _DECIMAL.fullmatch(text):
        raise refusal("a number is not an ASCII decimal without leading zeroes")
    return int(text)


def moment_text(at: datetime) -> str:
    """Return RFC 3339 text in UTC, cut to milliseconds: ``2026-11-24T04:03:42.123Z``."""
    if at.tzinfo is None:
        raise Malformed("a moment without a time zone proves nothing")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_moment(text: str) -> datetime:
    """Read what ``moment_text`` writes. Raises Malformed."""
    if not _MOMENT.fullmatch(text):
        raise Malformed("a moment is not in UTC with milliseconds")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Malformed("a moment is not one of the calendar") from None
