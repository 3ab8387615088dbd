"""``archive-envelope/v1``: how every locked object of a record is encrypted (ADR 0001). Frozen."""

from __future__ import annotations

import re
from uuid import UUID

from archive_service.keys.errors import EnvelopeBroken
from archive_service.keys.sealing import close_box, open_box

FORMAT = "archive-envelope/v1"
_HEADER = f"{FORMAT}\n".encode("ascii")
_ROLE = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*")  # no LF, no slash: it is a line and a path segment


def check_role(role: str) -> str:
    """Return the role as plain text. Raises ValueError when it could not be a line and a path segment."""
    if not _ROLE.fullmatch(role):
        raise ValueError(f"not a role: {role!r}")
    return str(role)


def encrypt(plain: bytes, *, key: bytes, nonce: bytes, role: str, record_id: UUID) -> bytes:
    """Return the envelope. Same arguments, same bytes. Never reuse a nonce under a key for other bytes."""
    return close_box(plain, header=_HEADER, key=key, nonce=nonce, associated=_associated(role, record_id))


def decrypt(body: bytes, *, key: bytes, role: str, record_id: UUID) -> bytes:
    """Return the plain bytes. Raises EnvelopeBroken."""
    return open_box(
        body,
        header=_HEADER,
        key=key,
        associated=_associated(role, record_id),
        refusal=EnvelopeBroken,
    )


def _associated(role: str, record_id: UUID) -> bytes:
    # binds the bytes to their place: an original cannot pass for another record's, nor for a sealed copy
    return f"{FORMAT}\n{check_role(role)}\n{record_id}".encode("ascii")
