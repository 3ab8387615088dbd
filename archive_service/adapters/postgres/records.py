"""What was archived, found by number, dates, seller, piece or digest, a page at a time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from archive_service.adapters.postgres import tables
from archive_service.adapters.postgres.engine import tenant_transaction
from archive_service.adapters.postgres.rows import fold
from archive_service.pipeline.records import Record, Search, UnknownRecord

_records = tables.records.c


class PostgresRecords:
    """Queries over records that were acknowledged; others are not shown."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def search(self, tenant: UUID, search: Search) -> tuple[Record, ...]:
        """Return the next page, in the order of deposit (record identifiers are UUIDv7)."""
        query = (
            sa.select(tables.records)
            .where(_records.archived_at.is_not(None), *_conditions(search))
            .order_by(_records.record_id)
            .limit(search.limit)
        )
        with tenant_transaction(self._engine, tenant) as connection:
            return tuple(_record(row) for row in connection.execute(query))

    def get(self, tenant: UUID, record_id: UUID) -> Record:
        """Return one. Raises UnknownRecord."""
        query = sa.select(tables.records).where(
            _records.record_id == record_id, _records.archived_at.is_not(None)
        )
        with tenant_transaction(self._engine, tenant) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownRecord(str(record_id))
        return _record(row)

    def history(self, tenant: UUID, record_id: UUID) -> tuple[UUID, ...]:
        """Return the deposits that made and revised a record, the first first."""
        deposits = tables.deposits.c
        query = (
            sa.select(deposits.deposit_id)
            .where(deposits.record_id == record_id, deposits.state == "archived")
            .order_by(deposits.received_at, deposits.deposit_id)
        )
        with tenant_transaction(self._engine, tenant) as connection:
            return tuple(connection.execute(query).scalars())


def _conditions(search: Search) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if search.number is not None:
        conditions.append(_records.number_folded == fold(search.number))
    if search.issued_from is not None:
        conditions.append(_records.issue_date >= search.issued_from)
    if search.issued_to is not None:
        conditions.append(_records.issue_date <= search.issued_to)
    if search.seller is not None:
        identifier = "".join(search.seller.split()).upper()
        conditions.append(
            sa.or_(
                _records.seller_folded.contains(fold(search.seller), autoescape=True),
                _records.seller_siren == identifier,
                _records.seller_vat_id == identifier,
            )
        )
    if search.piece_ref is not None:
        conditions.append(_records.piece_ref_folded == fold(search.piece_ref))
    if search.piece_date is not None:
        conditions.append(_records.piece_date == search.piece_date)
    if search.sha256 is not None:
        conditions.append(_records.original_sha256 == search.sha256)
    if search.after is not None:
        conditions.append(_records.record_id > search.after)
    return conditions


def _record(row: sa.Row[Any]) -> Record:
    return Record(
        record_id=row.record_id,
        metadata=row.metadata,
        revision=row.revision,
        original_sha256=bytes(row.original_sha256),
        retain_until=row.retain_until,
        archived_at=row.archived_at,
    )
