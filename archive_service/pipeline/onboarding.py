"""Make what must be there before the first deposit: tenants, with their keys and logs."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import uuid_utils.compat as uuid7

from archive_service.keys import paths
from archive_service.keys.sealing import KEY_BYTES
from archive_service.model import SYSTEM_TENANT, Profile
from archive_service.pipeline.clients import ApiKey, NewLog, Tenants
from archive_service.pipeline.ledger import JournalLine, LogKind
from archive_service.pipeline.parts import Buckets
from archive_service.ports import MasterKey, ObjectStore
from audit.entries import Detail, Entry, encode_entry
from audit.notes import NoteSigner

SYSTEM_AGENT = "system"
DEFAULT_TENANT = "default"
ALL_SCOPES = ("deposit", "read", "admin")


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): ordered by time, so that pages and indices follow the order of deposit."""
    return uuid7.uuid7()


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """Makes tenants. Keys are wrapped before anything is written, and copied to the keys bucket."""

    tenants: Tenants
    store: ObjectStore
    buckets: Buckets
    master_key: MasterKey
    log_origin: str
    clock: Callable[[], datetime]

    def ensure_system_tenant(self) -> None:
        """Make the tenant that the system log belongs to, once."""
        if self.tenants.find("system") is None:
            self._create(SYSTEM_TENANT, slug="system", name="The archive itself", kind=LogKind.SYSTEM)

    def ensure_default_tenant(self) -> str | None:
        """Make the first tenant with a key for everything; return that key's token the first time only."""
        tenant_id = self.tenants.find(DEFAULT_TENANT)
        if tenant_id is not None:
            return None
        tenant_id = new_id()
        self._create(tenant_id, slug=DEFAULT_TENANT, name="Default tenant", kind=LogKind.LIFE_CYCLE)
        self.enter_system("tenant:created", subject=tenant_id)
        _, token = self.create_key(tenant_id, name="first key", scopes=ALL_SCOPES)
        return token

    def create_key(
        self, tenant_id: UUID, *, name: str, scopes: tuple[str, ...], expires_at: datetime | None = None
    ) -> tuple[ApiKey, str]:
        """Make an API key, and journal that."""
        key, token = self.tenants.create_key(
            tenant_id=tenant_id, key_id=new_id(), name=name, scopes=scopes, expires_at=expires_at
        )
        self.enter_system("key:created", subject=key.key_id, details=(("scopes", " ".join(scopes)),))
        return key, token

    def revoke_key(self, tenant_id: UUID, key_id: UUID) -> ApiKey:
        """Revoke an API key, and journal that. Raises UnknownKey."""
        key = self.tenants.revoke(tenant_id, key_id)
        self.enter_system("key:revoked", subject=key_id)
        return key

    def enter_system(
        self, action: str, *, subject: UUID, details: tuple[tuple[str, Detail], ...] = ()
    ) -> None:
        """Put an entry in the system log."""
        entry = Entry(
            entry_id=new_id(),
            at=self.clock(),
            action=action,
            subject=subject,
            agent=SYSTEM_AGENT,
            details=details,
        )
        self.tenants.enter_system(
            JournalLine(
                entry_id=entry.entry_id,
                subject=subject,
                action=action,
                leaf=encode_entry(entry),
                created_at=entry.at,
            )
        )

    def _create(self, tenant_id: UUID, *, slug: str, name: str, kind: LogKind) -> None:
        log_id, seed = new_id(), secrets.token_bytes(32)
        origin = f"{self.log_origin}/logs/{log_id}"
        wrapped_key = self.master_key.wrap(
            secrets.token_bytes(KEY_BYTES), context=paths.tenant_key_context(tenant_id)
        )
        wrapped_seed = self.master_key.wrap(seed, context=paths.log_key_context(log_id))
        # A crash after these puts leaves keys of a tenant that never was: harmless, and never used.
        for path, wrapped in (
            (paths.tenant_key_path(tenant_id), wrapped_key),
            (paths.log_key_path(log_id), wrapped_seed),
        ):
            self.store.put(bucket=self.buckets.keys, path=path, body=wrapped)
        log = NewLog(
            log_id=log_id,
            kind=kind,
            origin=origin,
            vkey=NoteSigner(name=origin, seed=seed).vkey,
            wrapped_signing_key=wrapped_seed,
        )
        self.tenants.create(
            tenant_id=tenant_id, slug=slug, name=name, profile=Profile(), wrapped_key=wrapped_key, log=log
        )
