"""The one way bytes are encrypted here: a header that names the format, a nonce, AES-256-GCM.

Layout: ``header ‖ nonce (12) ‖ ciphertext ‖ tag (16)``. The header is ASCII and ends with LF.
AES-GCM as in NIST SP 800-38D: 96-bit nonce (§8.2), 128-bit tag.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive_service.keys.errors import KeysError

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


def close_box(plain: bytes, *, header: bytes, key: bytes, nonce: bytes, associated: bytes) -> bytes:
    """Encrypt. Raises ValueError for a key or nonce of another length: that is a mistake in our code."""
    _check_key(key)
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
    return header + nonce + AESGCM(key).encrypt(nonce, plain, associated)


def open_box(body: bytes, *, header: bytes, key: bytes, associated: bytes, refusal: type[KeysError]) -> bytes:
    """Return the plain bytes. Raises ``refusal`` for another format, key or place, or changed bytes."""
    _check_key(key)
    if not body.startswith(header):
        raise refusal(f"does not begin with {header.decode().strip()}")
    rest = body[len(header) :]
    if len(rest) < NONCE_BYTES + TAG_BYTES:
        raise refusal("too short")
    try:
        return AESGCM(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], associated)
    except InvalidTag as broken:
        raise refusal("authentication failed") from broken


def _check_key(key: bytes) -> None:
    # AESGCM takes 16 and 24 bytes as well; the formats are AES-256 only
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
