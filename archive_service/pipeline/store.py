"""Step 3: everything that is kept, encrypted and locked, read back by version before going on.

What a crash leaves: secrets without objects (drawn once, found again), objects that no row names yet
(the same bytes are put again, and found).
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from archive_service.keys import envelope, paths
from archive_service.keys import secrets as record_secrets
from archive_service.keys.secrets import RecordSecrets
from archive_service.model import ArchiveError, Role
from archive_service.pipeline import documents
from archive_service.pipeline.crash_points import CrashPoint, reached
from archive_service.pipeline.forms import JsonObject, moment
from archive_service.pipeline.ledger import Deposit, StoredObject
from archive_service.pipeline.parts import Parts
from archive_service.pipeline.seal import sealed_name


class StagedBytesChanged(ArchiveError):
    """A staged file is no longer what was validated; it must not be locked under its name."""


def store(parts: Parts, deposit: Deposit, done: dict[str, JsonObject]) -> JsonObject:
    """Lock the objects; the texts of verdict and record are kept before."""
    done["describe"] = parts.ledger.keep(
        deposit.tenant_id, deposit.deposit_id, "describe", _describe(parts, deposit, done)
    )
    locker = Locker.open(parts, deposit, done["describe"])
    locker.lock(_contents(parts, deposit, done))
    if deposit.kind == "revision" and done["describe"]["outcome"] == "archived":
        _extend_record(parts, deposit, moment(done["describe"]["retain_until"]))
    return {"stored": True}


def _describe(parts: Parts, deposit: Deposit, done: dict[str, JsonObject]) -> JsonObject:
    locked_until = None
    if deposit.kind == "revision":
        locked_until = parts.ledger.objects(deposit.tenant_id, deposit.record_id)[
            Role.ORIGINAL
        ].version.retain_until
    tenant = parts.ledger.tenant(deposit.tenant_id)
    return documents.describe(deposit, tenant, done, locked_until=locked_until)


def _extend_record(parts: Parts, deposit: Deposit, retain_until: datetime) -> None:
    """A revision may move the end of retention later, never earlier."""
    for item in parts.ledger.objects(deposit.tenant_id, deposit.record_id).values():
        parts.store.extend_lock(
            bucket=item.version.bucket,
            path=item.version.path,
            version_id=item.version.version_id,
            retain_until=retain_until,
        )
    parts.ledger.extend_objects(deposit.tenant_id, deposit.record_id, retain_until)


def _contents(parts: Parts, deposit: Deposit, done: dict[str, JsonObject]) -> list[tuple[Role, bytes]]:
    description = done["describe"]
    contents: list[tuple[Role, bytes]] = []
    if description["outcome"] == "archived" and deposit.kind == "document":
        contents.append((Role.ORIGINAL, _staged(parts, str(deposit.deposit_id), deposit.sha256)))
        if sealed := done["seal"]["sealed"]:
            contents.append(
                (Role.SEALED, _staged(parts, sealed_name(deposit, sealed), bytes.fromhex(sealed["sha256"])))
            )
    contents.append((Role.VERDICT, description["verdict"].encode()))
    if description["record"] is not None:
        contents.append((Role.RECORD, description["record"].encode()))
    return contents


def _staged(parts: Parts, name: str, sha256: bytes) -> bytes:
    body = parts.staging.path(name).read_bytes()
    if hashlib.sha256(body).digest() != sha256:
        raise StagedBytesChanged(name)
    return body


class Locker:
    """Encrypts and locks the objects of one deposit under one set of secrets."""

    def __init__(
        self, parts: Parts, deposit: Deposit, description: JsonObject, secrets: RecordSecrets
    ) -> None:
        self._parts, self._deposit, self._description = parts, deposit, description
        self.secrets = secrets

    @classmethod
    def open(cls, parts: Parts, deposit: Deposit, description: JsonObject) -> Locker:
        """Draw the secrets or find them drawn; they are durable in both places before any object is."""
        tenant_key = parts.tenant_keys.key_of(parts.ledger.tenant(deposit.tenant_id))
        drawn = record_secrets.wrap(
            record_secrets.draw(parts.random),
            tenant_key=tenant_key,
            record_id=deposit.deposit_id,
            random=parts.random,
        )
        wrapped = parts.ledger.keep_secrets(deposit.tenant_id, deposit.deposit_id, drawn)
        reached(CrashPoint.STORE_SECRETS_DRAWN)
        parts.store.put(
            bucket=parts.buckets.keys,
            path=paths.secrets_path(deposit.tenant_id, deposit.deposit_id),
            body=wrapped,
        )
        reached(CrashPoint.STORE_SECRETS_COPIED)
        secrets = record_secrets.unwrap(wrapped, tenant_key=tenant_key, record_id=deposit.deposit_id)
        return cls(parts, deposit, description, secrets)

    def lock(self, contents: list[tuple[Role, bytes]]) -> tuple[StoredObject, ...]:
        """Encrypt each, put it under lock, and note the versions. The same again: the same versions."""
        items = tuple(self._lock(role, plain) for role, plain in contents)
        self._parts.ledger.keep_objects(self._deposit.tenant_id, self._deposit.deposit_id, items)
        return items

    def _lock(self, role: Role, plain: bytes) -> StoredObject:
        body = envelope.encrypt(
            plain,
            key=self.secrets.data_key,
            nonce=self.secrets.nonces[role],
            role=role,
            record_id=self._deposit.deposit_id,
        )
        version = self._parts.store.put_once(
            bucket=self._parts.buckets.records,
            path=self._path(role),
            body=body,
            retain_until=moment(self._description["retain_until"]),
        )
        reached(CrashPoint.STORE_OBJECT_PUT)
        return StoredObject(
            role=role, version=version, plain_sha256=hashlib.sha256(plain).digest(), plain_size=len(plain)
        )

    def _path(self, role: Role) -> str:
        deposit, year = self._deposit, self._deposit.received_at.year
        if self._description["outcome"] == "rejected":
            return paths.rejection_path(deposit.tenant_id, year, deposit.deposit_id, role)
        if deposit.kind == "revision":
            record = self._parts.ledger.deposit(deposit.tenant_id, deposit.record_id)
            return paths.revision_path(
                deposit.tenant_id, record.received_at.year, record.record_id, deposit.deposit_id, role
            )
        return paths.object_path(deposit.tenant_id, year, deposit.deposit_id, role)
