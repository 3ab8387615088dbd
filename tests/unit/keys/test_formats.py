"""The frozen formats against vectors that Node.js's crypto computed from the ADRs (tests/vectors/keys)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from archive_service.keys import backup, envelope, paths, wrapping
from archive_service.keys import secrets as record_secrets
from archive_service.keys.errors import BadBackup, EnvelopeBroken, SecretsBroken, WrongKey
from archive_service.keys.sealing import close_box

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "keys" / "vectors.json").read_text(encoding="utf-8")
)
OTHER_RECORD = UUID("ffffffff-4455-6677-8899-aabbccddeeff")


def _envelope_vector(vector: dict[str, str]) -> dict[str, Any]:
    return {
        "key": bytes.fromhex(vector["key"]),
        "role": vector["role"],
        "record_id": UUID(vector["record_id"]),
    }


@pytest.mark.parametrize("vector", VECTORS["envelopes"], ids=lambda vector: vector["role"])
def test_envelope_is_byte_for_byte_the_vector(vector: dict[str, str]) -> None:
    """The envelope that we write and read is the one an independent implementation writes."""
    arguments = _envelope_vector(vector)
    plain, body = bytes.fromhex(vector["plain"]), bytes.fromhex(vector["envelope"])
    assert envelope.encrypt(plain, nonce=bytes.fromhex(vector["nonce"]), **arguments) == body
    assert envelope.decrypt(body, **arguments) == plain


@pytest.mark.parametrize("position", [0, 19, 20, 32, -17, -1])
def test_envelope_with_one_changed_bit_is_refused(position: int) -> None:
    """Header, nonce, ciphertext and tag are all covered: no bit can change unseen."""
    vector = VECTORS["envelopes"][0]
    body = bytearray.fromhex(vector["envelope"])
    body[position] ^= 1
    with pytest.raises(EnvelopeBroken):
        envelope.decrypt(bytes(body), **_envelope_vector(vector))


def test_envelope_of_another_role_or_record_is_refused() -> None:
    """An object moved to another record's or role's path does not open there."""
    vector = VECTORS["envelopes"][0]
    body, right = bytes.fromhex(vector["envelope"]), _envelope_vector(vector)
    for wrong in ({"role": "sealed"}, {"record_id": OTHER_RECORD}, {"key": bytes(32)}):
        with pytest.raises(EnvelopeBroken):
            envelope.decrypt(body, **{**right, **wrong})


@pytest.mark.parametrize("length", [0, 5, 19, 20, 32, 47])
def test_truncated_envelope_is_refused(length: int) -> None:
    """Whatever is cut off, the rest is refused and not half read."""
    vector = VECTORS["envelopes"][0]
    with pytest.raises(EnvelopeBroken):
        envelope.decrypt(bytes.fromhex(vector["envelope"])[:length], **_envelope_vector(vector))


def test_envelope_of_a_later_version_is_refused() -> None:
    """A reader of v1 refuses v2 by its header, even where the rest would open."""
    vector = VECTORS["envelopes"][0]
    body = bytes.fromhex(vector["envelope"]).replace(b"/v1\n", b"/v2\n", 1)
    with pytest.raises(EnvelopeBroken, match="does not begin"):
        envelope.decrypt(body, **_envelope_vector(vector))


@pytest.mark.parametrize("role", ["", "a/b", "a\nb", "Original", "../x", "a."])
def test_role_that_is_no_line_or_path_segment_is_refused(role: str) -> None:
    """A role can neither break out of its path nor out of its line in the associated data."""
    with pytest.raises(ValueError, match="not a role"):
        envelope.encrypt(b"", key=bytes(32), nonce=bytes(12), role=role, record_id=OTHER_RECORD)


@pytest.mark.parametrize(("key", "nonce"), [(16, 12), (24, 12), (0, 12), (32, 8), (32, 16)])
def test_key_or_nonce_of_another_length_is_refused(key: int, nonce: int) -> None:
    """AES-128 and longer nonces exist; the format knows AES-256 and 96 bits only."""
    with pytest.raises(ValueError, match="bytes, not"):
        envelope.encrypt(b"", key=bytes(key), nonce=bytes(nonce), role="original", record_id=OTHER_RECORD)


# --- A record's secrets --------------------------------------------------------------------------


def test_record_secrets_are_byte_for_byte_the_vector() -> None:
    """Wrapped secrets open, and wrapping what was read with the same nonce gives the same bytes."""
    vector = VECTORS["record_secrets"]
    arguments = {
        "tenant_key": bytes.fromhex(vector["tenant_key"]),
        "record_id": UUID(vector["record_id"]),
    }
    wrapped = bytes.fromhex(vector["wrapped"])
    found = record_secrets.unwrap(wrapped, **arguments)
    plain = json.loads(vector["plain"])
    assert found.data_key.hex() == plain["data_key"]
    assert {name: value.hex() for name, value in found.nonces.items()} == plain["nonces"]
    assert {name: value.hex() for name, value in found.salts.items()} == plain["salts"]
    nonce = bytes.fromhex(vector["nonce"])
    assert record_secrets.wrap(found, random=lambda count: nonce[:count], **arguments) == wrapped


def test_record_secrets_under_another_key_or_record_are_refused() -> None:
    """One tenant's key does not open another's secrets, nor do secrets pass for another record's."""
    vector = VECTORS["record_secrets"]
    right = {"tenant_key": bytes.fromhex(vector["tenant_key"]), "record_id": UUID(vector["record_id"])}
    for wrong in ({"tenant_key": bytes(32)}, {"record_id": OTHER_RECORD}):
        with pytest.raises(WrongKey):
            record_secrets.unwrap(bytes.fromhex(vector["wrapped"]), **{**right, **wrong})


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text.replace("/v1", "/v2"),
        lambda text: text.replace('{"data_key"', '{ "data_key"'),
        lambda text: text.replace('"data_key":"', '"data_key":"00'),
        lambda text: text[:-1] + ',"more":1}',
        lambda text: text.replace('"salts":{', '"salts":{"original":7,"x":"'),
        lambda text: text.replace('"salts":{', '"salts":["'),
        lambda _: "[]",
        lambda text: text.replace("8081", "80 81"),
        lambda text: text.upper(),
    ],
    ids=["version", "spaces", "long-key", "member", "type", "not-json", "array", "spaced-hex", "upper"],
)
def test_record_secrets_in_another_form_are_refused(changed: Any) -> None:
    """Authentic bytes of an unknown version, with other members or not canonical, are not guessed at."""
    vector = VECTORS["record_secrets"]
    tenant_key, record = bytes.fromhex(vector["tenant_key"]), UUID(vector["record_id"])
    wrapped = close_box(
        changed(vector["plain"]).encode(),
        header=b"archive-record-secrets/v1\n",
        key=tenant_key,
        nonce=bytes(12),
        associated=f"archive-record-secrets/v1\n{record}".encode(),
    )
    with pytest.raises(SecretsBroken):
        record_secrets.unwrap(wrapped, tenant_key=tenant_key, record_id=record)


# --- The master key's work ------------------------------------------------------------------------


def test_wrapped_key_is_byte_for_byte_the_vector() -> None:
    """A tenant's key wrapped elsewhere opens here, and is bound to its tenant."""
    vector = VECTORS["wrapped_key"]
    key, wrapped = bytes.fromhex(vector["master_key"]), bytes.fromhex(vector["wrapped"])
    secret, context = bytes.fromhex(vector["secret"]), paths.tenant_key_context(UUID(vector["tenant_id"]))
    assert wrapping.unwrap_key(wrapped, key=key, context=context) == secret
    nonce = bytes.fromhex(vector["nonce"])
    assert wrapping.wrap_key(secret, key=key, nonce=nonce, context=context) == wrapped
    with pytest.raises(WrongKey):
        wrapping.unwrap_key(wrapped, key=key, context=paths.tenant_key_context(OTHER_RECORD))


def test_backup_is_byte_for_byte_the_vector() -> None:
    """The backup's text, scrypt included, is what an independent implementation writes."""
    vector = VECTORS["backup"]
    written = backup.seal_backup(
        bytes.fromhex(vector["master_key"]),
        passphrase=vector["passphrase"],
        salt=bytes.fromhex(vector["salt"]),
        nonce=bytes.fromhex(vector["nonce"]),
    )
    assert written.decode() == vector["text"]


def test_backup_opens_with_its_passphrase_typed_decomposed() -> None:
    """An accent typed as letter and combining mark (as some systems do) is the same passphrase."""
    vector = VECTORS["backup"]
    decomposed = vector["passphrase"].replace("é", "e\u0301").replace("à", "a\u0300").replace("ç", "c\u0327")
    assert decomposed != vector["passphrase"]
    key = backup.open_backup(vector["text"].encode(), passphrase=decomposed)
    assert key.hex() == vector["master_key"]


def _broken_backups() -> Iterator[tuple[str, str]]:
    text = VECTORS["backup"]["text"]
    yield "cheap costs", text.replace("131072", "2")
    yield "ruinous costs", text.replace("131072", str(2**40))
    yield "another version", text.replace("/v1", "/v2")
    yield "one member more", text.replace("{", '{"more": 1, ', 1)
    yield "no JSON", text[:-3]
    yield "too large", text + " " * 5000
    yield "short salt", text.replace('"salt": "30', '"salt": "')
    yield "no hexadecimal", text.replace('"salt": "30', '"salt": "xx')


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in _broken_backups()])
def test_backup_in_another_form_is_refused(text: str) -> None:
    """Unknown versions and costs other than v1's are refused before anything is computed."""
    with pytest.raises(BadBackup):
        backup.open_backup(text.encode(), passphrase=VECTORS["backup"]["passphrase"])
