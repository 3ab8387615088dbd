"""``archive-wrapped-key/v1``: a key encrypted by the master key (ADR 0006). Frozen."""

from __future__ import annotations

from archive_service.keys.errors import WrongKey
from archive_service.keys.sealing import close_box, open_box

FORMAT = "archive-wrapped-key/v1"
_HEADER = f"{FORMAT}\n".encode("ascii")


def wrap_key(secret: bytes, *, key: bytes, nonce: bytes, context: bytes) -> bytes:
    """Encrypt ``secret`` under ``key`` (32 bytes), bound to ``context``: for whom it is."""
    return close_box(secret, header=_HEADER, key=key, nonce=nonce, associated=_associated(context))


def unwrap_key(wrapped: bytes, *, key: bytes, context: bytes) -> bytes:
    """Return the secret. Raises WrongKey when key, context or bytes do not fit."""
    return open_box(wrapped, header=_HEADER, key=key, associated=_associated(context), refusal=WrongKey)


def _associated(context: bytes) -> bytes:
    return _HEADER + context
