"""``archive-master-key-backup/v1``: the master key under a passphrase, as text to put in a safe (ADR 0006).

scrypt (RFC 7914) with n = 2¹⁷, r = 8, p = 1: some 128 MiB and half a second for each guess.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from archive_service.keys.errors import BadBackup, WeakPassphrase, WrongKey
from archive_service.keys.sealing import KEY_BYTES, close_box, open_box

FORMAT = "archive-master-key-backup/v1"
SALT_BYTES = 16
MIN_PASSPHRASE = 12  # characters: what it protects opens every document
_COST = {"n": 2**17, "r": 8, "p": 1}
_FIXED = {"cipher": "AES-256-GCM", "format": FORMAT, "kdf": "scrypt", **_COST}
_MEMBERS = {*_FIXED, "ciphertext", "salt"}
_MAX_BYTES = 4096  # a backup has some 300


def seal_backup(key: bytes, *, passphrase: str, salt: bytes, nonce: bytes) -> bytes:
    """Return the backup's text (JSON, one line). Raises WeakPassphrase."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise WeakPassphrase(f"fewer than {MIN_PASSPHRASE} characters")
    body = close_box(
        key, header=b"", key=_derive(passphrase, salt), nonce=nonce, associated=_associated(salt)
    )
    members = {**_FIXED, "ciphertext": body.hex(), "salt": salt.hex()}
    return json.dumps(members, sort_keys=True).encode("ascii") + b"\n"


def open_backup(text: bytes, *, passphrase: str) -> bytes:
    """Return the key (32 bytes). Raises BadBackup for what is no backup, WrongKey for the passphrase."""
    members = _parse(text)
    salt, body = _hex(members["salt"]), _hex(members["ciphertext"])
    if len(salt) != SALT_BYTES:
        raise BadBackup("the salt has another length")
    key = open_box(
        body, header=b"", key=_derive(passphrase, salt), associated=_associated(salt), refusal=WrongKey
    )
    if len(key) != KEY_BYTES:
        raise BadBackup("the key has another length")
    return key


def _derive(passphrase: str, salt: bytes) -> bytes:
    # NFC: the same passphrase typed on another system may come decomposed
    typed = unicodedata.normalize("NFC", passphrase).encode("utf-8")
    return Scrypt(salt=salt, length=KEY_BYTES, **_COST).derive(typed)


def _associated(salt: bytes) -> bytes:
    return FORMAT.encode("ascii") + b"\n" + salt


def _parse(text: bytes) -> dict[str, Any]:
    try:
        members = json.loads(text) if len(text) <= _MAX_BYTES else None
    except ValueError as broken:
        raise BadBackup("not JSON") from broken
    if not isinstance(members, dict) or set(members) != _MEMBERS:
        raise BadBackup("not a backup, or with other members")
    # the costs stand there for whoever must do this by hand; others than v1's are never computed
    if any(members[name] != value for name, value in _FIXED.items()):
        raise BadBackup("another format or other costs")
    return members


def _hex(value: Any) -> bytes:
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError) as broken:
        raise BadBackup("not hexadecimal") from broken
