"""The master key's file: private, never overwritten, backed up and restored."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from archive_service.adapters.master_key import FileMasterKey, backup, restore
from archive_service.keys.errors import BadBackup, BadKeyFile, KeyExists, WeakPassphrase, WrongKey

PASSPHRASE = "quatre chevaux de bois"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a key will be, in a folder that does not exist yet."""
    return tmp_path / "keys" / "master.key"


def test_created_key_is_private_and_wraps(path: Path) -> None:
    """The file has mode 0600 and holds 32 bytes in base64; what it wraps, a second load unwraps."""
    key = FileMasterKey.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_bytes())) == 32
    wrapped = key.wrap(b"secret", context=b"tenant")
    assert FileMasterKey(path).unwrap(wrapped, context=b"tenant") == b"secret"
    assert [item.name for item in path.parent.iterdir()] == ["master.key"]


def test_two_wraps_of_one_secret_differ(path: Path) -> None:
    """Each wrap has a fresh nonce: equal secrets do not show as equal."""
    key = FileMasterKey.create(path)
    assert key.wrap(b"secret", context=b"") != key.wrap(b"secret", context=b"")


def test_unwrap_refuses_another_context_key_or_bytes(path: Path, tmp_path: Path) -> None:
    """A wrapped key is good for its owner only, under its master key only, unchanged only."""
    key = FileMasterKey.create(path)
    wrapped = key.wrap(b"secret", context=b"tenant")
    other = FileMasterKey.create(tmp_path / "other.key")
    with pytest.raises(WrongKey):
        key.unwrap(wrapped, context=b"another")
    with pytest.raises(WrongKey):
        other.unwrap(wrapped, context=b"tenant")
    with pytest.raises(WrongKey):
        key.unwrap(wrapped[:-1], context=b"tenant")
    assert key.key_id != other.key_id


def test_create_never_overwrites(path: Path) -> None:
    """A second create leaves the first key as it is: every record hangs on it."""
    FileMasterKey.create(path)
    before = path.read_bytes()
    with pytest.raises(KeyExists):
        FileMasterKey.create(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    """A key that group or world can read is no secret, and is not used."""
    FileMasterKey.create(path)
    path.chmod(mode)
    with pytest.raises(BadKeyFile, match="0600"):
        FileMasterKey(path)


@pytest.mark.parametrize(
    "text",
    [b"", b"not base64!", base64.b64encode(bytes(31)), base64.b64encode(bytes(33)), b"A" * 10_000],
    ids=["empty", "not-base64", "31-bytes", "33-bytes", "huge"],
)
def test_file_with_something_else_is_refused(path: Path, text: bytes) -> None:
    """Anything but 32 bytes in base64 is a mistake, and no key is made of it."""
    FileMasterKey.create(path)
    path.write_bytes(text)
    with pytest.raises(BadKeyFile):
        FileMasterKey(path)


def test_missing_file_is_refused(path: Path) -> None:
    """A missing key is an error, never a reason to draw another."""
    with pytest.raises(BadKeyFile):
        FileMasterKey(path)


def test_backup_restores_on_another_machine(path: Path, tmp_path: Path) -> None:
    """The backup and its passphrase are enough: what was wrapped before is unwrapped after."""
    wrapped = FileMasterKey.create(path).wrap(b"secret", context=b"t")
    safe = tmp_path / "safe.json"
    backup(path, to=safe, passphrase=PASSPHRASE)
    assert stat.S_IMODE(safe.stat().st_mode) == 0o600
    assert base64.b64decode(path.read_bytes()).hex() not in safe.read_text()
    elsewhere = tmp_path / "elsewhere" / "master.key"
    restore(safe, path=elsewhere, passphrase=PASSPHRASE)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    assert FileMasterKey(elsewhere).unwrap(wrapped, context=b"t") == b"secret"


def test_restore_does_not_replace_another_key(path: Path, tmp_path: Path) -> None:
    """Over the same key it does nothing; over another it refuses and leaves it."""
    FileMasterKey.create(path)
    safe = tmp_path / "safe.json"
    backup(path, to=safe, passphrase=PASSPHRASE)
    restore(safe, path=path, passphrase=PASSPHRASE)
    other = tmp_path / "other.key"
    FileMasterKey.create(other)
    before = other.read_bytes()
    with pytest.raises(KeyExists):
        restore(safe, path=other, passphrase=PASSPHRASE)
    assert other.read_bytes() == before


def test_restore_with_another_passphrase_or_damaged_backup_writes_nothing(path: Path, tmp_path: Path) -> None:
    """A refused restore leaves no file behind."""
    FileMasterKey.create(path)
    safe, target = tmp_path / "safe.json", tmp_path / "target.key"
    backup(path, to=safe, passphrase=PASSPHRASE)
    with pytest.raises(WrongKey):
        restore(safe, path=target, passphrase=PASSPHRASE + "x")
    safe.write_bytes(safe.read_bytes()[:100])
    with pytest.raises(BadBackup):
        restore(safe, path=target, passphrase=PASSPHRASE)
    assert not target.exists()


def test_backup_refuses_a_short_passphrase_and_an_existing_file(path: Path, tmp_path: Path) -> None:
    """A passphrase of under twelve characters is refused, and an older backup is not replaced."""
    FileMasterKey.create(path)
    safe = tmp_path / "safe.json"
    with pytest.raises(WeakPassphrase):
        backup(path, to=safe, passphrase="elevenchars")
    assert not safe.exists()
    safe.write_text("older")
    with pytest.raises(KeyExists):
        backup(path, to=safe, passphrase=PASSPHRASE)
    assert safe.read_text() == "older"
