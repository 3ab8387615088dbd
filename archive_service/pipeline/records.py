"""What was archived, as it is looked for and found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from archive_service.model import ArchiveError
from archive_service.pipeline.forms import JsonObject


class UnknownRecord(ArchiveError):
    """This tenant has no such record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What to look for; every member that is given must fit. Text is compared without case and accents."""

    number: str | None = None
    issued_from: date | None = None
    issued_to: date | None = None
    seller: str | None = None  # part of the name, or a SIREN or VAT identifier
    piece_ref: str | None = None
    piece_date: date | None = None
    sha256: bytes | None = None
    after: UUID | None = None  # the last record of the page before
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An archived record."""

    record_id: UUID
    metadata: JsonObject
    revision: int
    original_sha256: bytes
    retain_until: datetime
    archived_at: datetime


class Records(Protocol):
    """Queries over records that were acknowledged; others are not shown."""

    def search(self, tenant: UUID, search: Search) -> tuple[Record, ...]:
        """Return the next page, in the order of deposit (record identifiers are UUIDv7)."""

    def get(self, tenant: UUID, record_id: UUID) -> Record:
        """Return one. Raises UnknownRecord."""

    def history(self, tenant: UUID, record_id: UUID) -> tuple[UUID, ...]:
        """Return the deposits that made and revised a record, the first first."""
