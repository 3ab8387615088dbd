"""Who may ask: a tenant's clients and their API keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from archive_service.model import ArchiveError, Profile
from archive_service.pipeline.ledger import JournalLine, LogKind


class UnknownKey(ArchiveError):
    """No such API key, or it was revoked or has expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A client's key without its secret. ``agent`` is the random token that journal entries name."""

    tenant_id: UUID
    key_id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    agent: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLog:
    """A log with its signing key, wrapped."""

    log_id: UUID
    kind: LogKind
    origin: str
    vkey: str
    wrapped_signing_key: bytes


class Tenants(Protocol):
    """Tenants and their keys. Every method is one transaction."""

    def find(self, slug: str) -> UUID | None:
        """Return the tenant of that name."""

    def create(
        self, *, tenant_id: UUID, slug: str, name: str, profile: Profile, wrapped_key: bytes, log: NewLog
    ) -> None:
        """Make a tenant and its log."""

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

    def authenticate(self, token: str) -> ApiKey:
        """Return whose token it is. Raises UnknownKey."""

    def keys(self, tenant_id: UUID) -> tuple[ApiKey, ...]:
        """Return the tenant's keys, the newest last."""

    def revoke(self, tenant_id: UUID, key_id: UUID) -> ApiKey:
        """Revoke a key from now on; revoking again changes nothing. Raises UnknownKey."""

    def enter_system(self, line: JournalLine) -> None:
        """Put an entry in the system log."""
