"""Canonical JSON (RFC 8785) and strict readers: every member known, present, and of its kind."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn, cast
from uuid import UUID

import rfc8785

from audit.encodings import read_moment
from audit.errors import Malformed, UnknownFormat

MAX_INTEGER = 2**53 - 1  # RFC 8785 §3.2.2.3: beyond, readers of JSON disagree

_HEX_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def canonical_json(value: Mapping[str, object]) -> bytes:
    """Return the one canonical text of a JSON object. Raises Malformed for what has none."""
    try:
        return rfc8785.dumps(cast(Any, value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise Malformed(f"this cannot be written as canonical JSON: {error}") from None


def read_canonical(data: bytes, *, limit: int) -> dict[str, object]:
    """Return the object that ``data`` is the canonical text of. Raises Malformed for any other text."""
    value = read_json(data, limit=limit)
    if canonical_json(value) != data:
        raise Malformed("this is not canonical JSON (RFC 8785)")
    return value


def read_json(data: bytes, *, limit: int, decimals: bool = False) -> dict[str, object]:
    """Return a JSON object that names no member twice. Raises Malformed.

    ``decimals``: numbers with a fraction are read too; our own formats have none.
    """
    if len(data) > limit:
        raise Malformed(f"this JSON is longer than {limit} bytes")
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=_no_twins,
            parse_float=float if decimals else _refuse,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        raise Malformed("this is not JSON as our formats use it") from None
    if not isinstance(value, dict):
        raise Malformed("this JSON is not an object")
    return value


def _no_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


def check_format(value: Mapping[str, object], name: str) -> None:
    """Check the ``format`` member. Raises UnknownFormat."""
    if value.get("format") != name:
        raise UnknownFormat(f"this is not an {name}")


class Members:
    """Reads an object's members, each once, by kind; ``done`` refuses what nobody asked for."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{what} is not an object")
        self._what, self._left = what, dict(value)

    def done(self) -> None:
        """Raise UnknownFormat when a member is left over."""
        if self._left:
            raise UnknownFormat(f"{self._what} has unknown members: {', '.join(sorted(self._left))}")

    def take(self, name: str) -> object:
        """Return a member of any kind. Raises Malformed when it is missing."""
        if name not in self._left:
            raise Malformed(f"{self._what} has no {name}")
        return self._left.pop(name)

    def text(self, name: str, pattern: re.Pattern[str]) -> str:
        """Return a text that the whole pattern matches."""
        value = self.take(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Malformed(f"{self._what}: {name} is not what it should be")
        return value

    def integer(self, name: str) -> int:
        """Return an integer from 0 to 2⁵³-1."""
        value = self.take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INTEGER:
            raise Malformed(f"{self._what}: {name} is not a number from 0 to 2^53-1")
        return value

    def digest(self, name: str) -> bytes:
        """Return 32 bytes from 64 lower-case hexadecimal digits."""
        return bytes.fromhex(self.text(name, _HEX_DIGEST))

    def uuid(self, name: str) -> UUID:
        """Return a UUID written with hyphens in lower case."""
        value = self.take(name)
        try:
            found = UUID(value) if isinstance(value, str) else None
        except ValueError:
            found = None
        if found is None or str(found) != value:
            raise Malformed(f"{self._what}: {name} is not a UUID")
        return found

    def moment(self, name: str) -> datetime:
        """Return a moment in UTC with milliseconds."""
        value = self.take(name)
        if not isinstance(value, str):
            raise Malformed(f"{self._what}: {name} is not a moment")
        return read_moment(value)

    def absent(self, name: str) -> bool:
        """Return whether a member is null, and take it if so."""
        if name not in self._left:
            raise Malformed(f"{self._what} has no {name}")
        if self._left[name] is None:
            del self._left[name]
            return True
        return False
