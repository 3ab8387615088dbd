"""The master key in a file: for the embedded stack and small installations. Others bring a KMS or an HSM."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from archive_service.keys.backup import SALT_BYTES, open_backup, seal_backup
from archive_service.keys.errors import BadKeyFile, KeyExists
from archive_service.keys.sealing import KEY_BYTES, NONCE_BYTES
from archive_service.keys.wrapping import unwrap_key, wrap_key

Random = Callable[[int], bytes]
_MAX_FILE_BYTES = 256  # 44 characters and a line end


class FileMasterKey:
    """32 bytes in base64, in a file of mode 0600. Implements ``ports.MasterKey``."""

    def __init__(self, path: Path, *, random: Random = secrets.token_bytes) -> None:
        """Load the key. Raises BadKeyFile: missing, open to others, or something else."""
        self._key = _read(path)
        self._random = random

    @classmethod
    def create(cls, path: Path, *, random: Random = secrets.token_bytes) -> FileMasterKey:
        """Draw a key and write its file, durably. Raises KeyExists: a key is never overwritten."""
        _write(path, random(KEY_BYTES))
        return cls(path, random=random)

    @property
    def key_id(self) -> str:
        """Tell keys apart without giving anything away: 16 hex digits, for journals and certificates."""
        return hashlib.sha256(b"archive-master-key-id/v1\n" + self._key).hexdigest()[:16]

    def wrap(self, secret: bytes, *, context: bytes) -> bytes:
        """Encrypt a secret, bound to ``context``. Twice the same gives two results: keep one."""
        return wrap_key(secret, key=self._key, nonce=self._random(NONCE_BYTES), context=context)

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """Return the secret. Raises WrongKey."""
        return unwrap_key(wrapped, key=self._key, context=context)


def backup(path: Path, *, to: Path, passphrase: str, random: Random = secrets.token_bytes) -> None:
    """Write the key at ``path`` to a new file, under a passphrase; then read that file as a check.

    Raises BadKeyFile, KeyExists when ``to`` exists, WeakPassphrase.
    """
    key = _read(path)
    text = seal_backup(key, passphrase=passphrase, salt=random(SALT_BYTES), nonce=random(NONCE_BYTES))
    _write_new(to, text)
    if open_backup(to.read_bytes(), passphrase=passphrase) != key:
        raise BadKeyFile(f"{to}: what was written cannot be read")


def restore(source: Path, *, path: Path, passphrase: str) -> None:
    """Write the key in a backup to ``path``; the same key there already is fine.

    Raises BadBackup, WrongKey (the passphrase), KeyExists when another key stands there, BadKeyFile.
    """
    key = open_backup(source.read_bytes(), passphrase=passphrase)
    try:
        _write(path, key)
    except KeyExists:
        if _read(path) != key:
            raise


def _read(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as failed:
        raise BadKeyFile(f"{path}: {failed.strerror}") from failed
    with os.fdopen(handle, "rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:  # of the file that is read, not of a name
            raise BadKeyFile(f"{path}: others may read or write it; its mode must be 0600")
        text = file.read(_MAX_FILE_BYTES)
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as broken:
        raise BadKeyFile(f"{path}: not base64") from broken
    if len(key) != KEY_BYTES:
        raise BadKeyFile(f"{path}: not {KEY_BYTES} bytes")
    return key


def _write(path: Path, key: bytes) -> None:
    _write_new(path, base64.b64encode(key) + b"\n")


def _write_new(path: Path, text: bytes) -> None:
    """Write a private file that was not there, whole and durable. Raises KeyExists."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)  # unlike a rename, refuses to replace
    except FileExistsError as exists:
        raise KeyExists(str(path)) from exists
    finally:
        partial.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
