"""Salted commitments to digests: what an entry says in clear without saying what it is about (ADR 0002)."""

from __future__ import annotations

import hashlib
import hmac
import re

from audit.errors import Malformed, TamperedEntry

SALT_BYTES = 32
DIGEST_BYTES = 32

_DOMAIN = b"archive-commitment/v1\n"
_FIELD = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)  # no newline: the field ends where the salt starts


def commit(*, field: str, salt: bytes, digest: bytes) -> bytes:
    """Return SHA-256("archive-commitment/v1" LF field LF salt digest), 32 bytes.

    ``salt``: 32 random bytes of this field alone. ``digest``: SHA-256 of what is committed to.
    Raises Malformed.
    """
    check_field(field)
    if len(salt) != SALT_BYTES or len(digest) != DIGEST_BYTES:
        raise Malformed("salt and digest must have 32 bytes each")
    return hashlib.sha256(_DOMAIN + field.encode("ascii") + b"\n" + salt + digest).digest()


def check_commitment(*, field: str, salt: bytes, digest: bytes, commitment: bytes) -> None:
    """Check that the salt opens the commitment to this digest. Raises TamperedEntry."""
    if not hmac.compare_digest(commit(field=field, salt=salt, digest=digest), commitment):
        raise TamperedEntry(f"the entry did not commit to this {field}")


def check_field(field: str) -> None:
    """Check the name of a committed field. Raises Malformed."""
    if not _FIELD.fullmatch(field):
        raise Malformed("a field's name must be lower-case ASCII")
