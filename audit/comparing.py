"""Comparing what a member is or says with what the receipt says of it."""

from __future__ import annotations

import hashlib

from audit.errors import Unproved


def look(value: object, path: str) -> object:
    """Return what a dotted path leads to, None where it ends early."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def says(name: str, value: dict[str, object], expected: dict[str, object]) -> None:
    """Check that a JSON member has these values at these dotted paths. Raises Unproved."""
    for path, wanted in expected.items():
        same(path, name, look(value, path), wanted)


def same(what: str, where: str, found: object, expected: object) -> None:
    """Compare what a member is or says with what the receipt says of it. Raises Unproved."""
    if found != expected or type(found) is not type(expected):
        raise Unproved(f"{what} of {where} is {_shown(found)}, but should be {_shown(expected)}")


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 32 else f"SHA-256 {hashlib.sha256(value).hexdigest()}"
    return str(value)[:200]
