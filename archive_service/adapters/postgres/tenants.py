"""Tenants, their logs and their clients' API keys."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from archive_service.adapters.postgres import tables
from archive_service.adapters.postgres.engine import tenant_transaction
from archive_service.adapters.postgres.lines import enter_line
from archive_service.model import SYSTEM_TENANT, Profile
from archive_service.pipeline.clients import ApiKey, NewLog, UnknownKey
from archive_service.pipeline.forms import to_json
from archive_service.pipeline.ledger import JournalLine, LogKind

KEY_PREFIX = (
    "ak"  # ak_PUBLIC_SECRET: a leaked key can be told from other text, and be named without its secret
)
_PUBLIC_BYTES = 6
_SECRET_BYTES = 32


class PostgresTenants:
    """Makes tenants and keys, and finds whose a key is."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        self._engine, self._clock = engine, clock

    def find(self, slug: str) -> UUID | None:
        """Return the tenant of that name."""
        with self._engine.connect() as connection:
            found: UUID | None = connection.execute(
                sa.text("SELECT archive_find_tenant(:slug)"), {"slug": slug}
            ).scalar_one()
        return found

    def all(self) -> tuple[tuple[UUID, str], ...]:
        """Return (identifier, slug) of every tenant, the system's own among them."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT * FROM archive_list_tenants()")).all()
        return tuple((row.tenant_id, row.slug) for row in rows)

    def create(
        self, *, tenant_id: UUID, slug: str, name: str, profile: Profile, wrapped_key: bytes, log: NewLog
    ) -> None:
        """Make a tenant and its log in one transaction."""
        now = self._clock()
        with tenant_transaction(self._engine, tenant_id) as connection:
            connection.execute(
                sa.insert(tables.tenants).values(
                    tenant_id=tenant_id,
                    slug=slug,
                    name=name,
                    profile=to_json(profile),
                    wrapped_key=wrapped_key,
                    created_at=now,
                )
            )
            connection.execute(
                sa.insert(tables.logs).values(
                    tenant_id=tenant_id,
                    log_id=log.log_id,
                    kind=log.kind.value,
                    origin=log.origin,
                    vkey=log.vkey,
                    wrapped_signing_key=log.wrapped_signing_key,
                    created_at=now,
                )
            )

    def set_profile(self, tenant_id: UUID, profile: Profile, line: JournalLine) -> None:
        """Put a profile in force and journal that (NF Z42-013), in one transaction."""
        with tenant_transaction(self._engine, tenant_id) as connection:
            connection.execute(
                sa.update(tables.tenants)
                .where(tables.tenants.c.tenant_id == tenant_id)
                .values(profile=to_json(profile))
            )
            enter_line(connection, tenant_id, LogKind.LIFE_CYCLE, line)

    def create_key(
        self,
        *,
        tenant_id: UUID,
        key_id: UUID,
        name: str,
        scopes: tuple[str, ...],
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """Make a key; return it with its token, which is nowhere kept."""
        public, secret = secrets.token_hex(_PUBLIC_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
        key = ApiKey(
            tenant_id=tenant_id,
            key_id=key_id,
            name=name,
            prefix=public,
            scopes=scopes,
            agent=secrets.token_hex(16),
            created_at=self._clock(),
            expires_at=expires_at,
        )
        with tenant_transaction(self._engine, tenant_id) as connection:
            connection.execute(
                sa.insert(tables.api_keys).values(
                    tenant_id=tenant_id,
                    key_id=key_id,
                    name=name,
                    prefix=public,
                    # 256 random bits need no slow hash: there is no list of likely ones to try.
                    secret_sha256=hashlib.sha256(secret.encode()).digest(),
                    scopes=list(scopes),
                    agent=key.agent,
                    created_at=key.created_at,
                    expires_at=expires_at,
                )
            )
        return key, f"{KEY_PREFIX}_{public}_{secret}"

    def authenticate(self, token: str) -> ApiKey:
        """Return whose token it is. Raises UnknownKey."""
        match token.split("_", 2):
            case [prefix, public, secret] if prefix == KEY_PREFIX:
                pass
            case _:
                raise UnknownKey
        with self._engine.connect() as connection:
            found = connection.execute(
                sa.text("SELECT * FROM archive_find_api_key(:prefix)"), {"prefix": public}
            ).one_or_none()
        digest = hashlib.sha256(secret.encode()).digest()
        if found is None or not hmac.compare_digest(digest, bytes(found.secret_sha256)):
            raise UnknownKey
        return self._usable(found.tenant_id, found.key_id)

    def _usable(self, tenant_id: UUID, key_id: UUID) -> ApiKey:
        keys, now = tables.api_keys, self._clock()
        mine = sa.and_(keys.c.tenant_id == tenant_id, keys.c.key_id == key_id)
        with tenant_transaction(self._engine, tenant_id) as connection:
            key = _api_key(connection.execute(sa.select(keys).where(mine)).one())
            if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
                raise UnknownKey
            if key.last_used_at is None or (now - key.last_used_at).total_seconds() > 60:
                connection.execute(sa.update(keys).where(mine).values(last_used_at=now))
        return key

    def keys(self, tenant_id: UUID) -> tuple[ApiKey, ...]:
        """Return the tenant's keys, the newest last."""
        keys = tables.api_keys
        with tenant_transaction(self._engine, tenant_id) as connection:
            rows = connection.execute(sa.select(keys).order_by(keys.c.created_at, keys.c.key_id)).all()
        return tuple(_api_key(row) for row in rows)

    def revoke(self, tenant_id: UUID, key_id: UUID) -> ApiKey:
        """Revoke a key from now on; revoking again changes nothing. Raises UnknownKey."""
        keys = tables.api_keys
        mine = sa.and_(keys.c.tenant_id == tenant_id, keys.c.key_id == key_id)
        with tenant_transaction(self._engine, tenant_id) as connection:
            connection.execute(
                sa.update(keys).where(mine, keys.c.revoked_at.is_(None)).values(revoked_at=self._clock())
            )
            row = connection.execute(sa.select(keys).where(mine)).one_or_none()
        if row is None:
            raise UnknownKey
        return _api_key(row)

    def enter_system(self, line: JournalLine) -> None:
        """Put an entry in the system log."""
        with tenant_transaction(self._engine, SYSTEM_TENANT) as connection:
            enter_line(connection, SYSTEM_TENANT, LogKind.SYSTEM, line)


def _api_key(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(
        tenant_id=row.tenant_id,
        key_id=row.key_id,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        agent=row.agent,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
