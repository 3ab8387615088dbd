"""``archive-record-secrets/v1``: a record's data key, nonces and salts, drawn once (ADR 0006). Frozen."""

from __future__ import annotations

import json
import secrets as system_random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from archive_service.keys.envelope import check_role
from archive_service.keys.errors import SecretsBroken, WeakRandomness, WrongKey
from archive_service.keys.sealing import KEY_BYTES, NONCE_BYTES, close_box, open_box
from archive_service.model import Role

FORMAT = "archive-record-secrets/v1"
SALT_BYTES = 32  # as audit.commitments: the design asks for 128 bits or more
ROLES = tuple(str(role) for role in Role)  # each has a nonce, and a salt for its commitment
_HEADER = f"{FORMAT}\n".encode("ascii")
_MEMBERS = {"data_key", "format", "nonces", "salts"}

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSecrets:
    """Everything random of one record. Losing it shreds the record; its journal entry still proves."""

    data_key: bytes  # 32
    nonces: Mapping[str, bytes]  # role → 12 bytes
    salts: Mapping[str, bytes]  # committed field → 32 bytes

    def __repr__(self) -> str:
        """Say nothing: a traceback must not carry keys into a log."""
        return "RecordSecrets(…)"


def draw(random: Random) -> RecordSecrets:
    """Draw a record's secrets. ``random`` returns that many bytes (``secrets.token_bytes``).

    Raises WeakRandomness when a draw is too short, or two of a kind are equal: two nonces alike under one
    key lay both plaintexts open (NIST SP 800-38D §8).
    """
    data_key = _draw(random, KEY_BYTES)
    nonces = {role: _draw(random, NONCE_BYTES) for role in ROLES}
    salts = {role: _draw(random, SALT_BYTES) for role in ROLES}
    for drawn in (nonces, salts):
        if len(set(drawn.values())) != len(drawn):
            raise WeakRandomness
    return RecordSecrets(data_key=data_key, nonces=MappingProxyType(nonces), salts=MappingProxyType(salts))


def wrap(
    secrets: RecordSecrets,
    *,
    tenant_key: bytes,
    record_id: UUID,
    random: Random = system_random.token_bytes,
) -> bytes:
    """Encrypt them under the tenant's key. The nonce is drawn here: keep the result, do not wrap again."""
    return close_box(
        _encode(secrets),
        header=_HEADER,
        key=tenant_key,
        nonce=random(NONCE_BYTES),
        associated=_associated(record_id),
    )


def unwrap(wrapped: bytes, *, tenant_key: bytes, record_id: UUID) -> RecordSecrets:
    """Return the secrets. Raises WrongKey, or SecretsBroken for contents that are not known here."""
    plain = open_box(
        wrapped,
        header=_HEADER,
        key=tenant_key,
        associated=_associated(record_id),
        refusal=WrongKey,
    )
    return _decode(plain)


def _draw(random: Random, count: int) -> bytes:
    drawn = random(count)
    if len(drawn) != count:
        raise WeakRandomness(f"{len(drawn)} bytes for {count}")
    return drawn


def _associated(record_id: UUID) -> bytes:
    return f"{FORMAT}\n{record_id}".encode("ascii")


def _encode(secrets: RecordSecrets) -> bytes:
    members = {
        "data_key": secrets.data_key.hex(),
        "format": FORMAT,
        "nonces": {check_role(name): value.hex() for name, value in secrets.nonces.items()},
        "salts": {check_role(name): value.hex() for name, value in secrets.salts.items()},
    }
    # only ASCII strings inside: sorted keys without spaces is RFC 8785 then
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")


def _decode(plain: bytes) -> RecordSecrets:
    try:
        members = json.loads(plain)
    except ValueError as broken:
        raise SecretsBroken("not JSON") from broken
    if not isinstance(members, dict) or set(members) != _MEMBERS or members["format"] != FORMAT:
        raise SecretsBroken("another format or other members")
    secrets = RecordSecrets(
        data_key=_bytes(members["data_key"], KEY_BYTES),
        nonces=_named(members["nonces"], NONCE_BYTES),
        salts=_named(members["salts"], SALT_BYTES),
    )
    if _encode(secrets) != plain:
        raise SecretsBroken("not in canonical form")
    return secrets


def _named(value: Any, length: int) -> Mapping[str, bytes]:
    if not isinstance(value, dict):
        raise SecretsBroken("not an object")
    return MappingProxyType({name: _bytes(text, length) for name, text in value.items()})


def _bytes(value: Any, length: int) -> bytes:
    try:
        found = bytes.fromhex(value)
    except (TypeError, ValueError) as broken:
        raise SecretsBroken("not hexadecimal") from broken
    if len(found) != length:
        raise SecretsBroken(f"{len(found)} bytes where {length} belong")
    return found
