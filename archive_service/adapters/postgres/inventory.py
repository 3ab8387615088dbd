"""What the database says there is, for ``pipeline.fsck``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from archive_service.adapters.postgres import rows, tables
from archive_service.adapters.postgres.engine import tenant_transaction
from archive_service.adapters.postgres.lines import log_of
from archive_service.adapters.postgres.logs import stamp_of
from archive_service.model import SYSTEM_TENANT, DepositState
from archive_service.pipeline.ledger import Deposit, LogIdentity, LogKind
from archive_service.pipeline.stamps import Stamp

PAGE = 500  # rows a transaction: a check of years must not hold one open


class PostgresInventory:
    """Implements ``pipeline.fsck.Inventory``."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def tenants(self) -> tuple[UUID, ...]:
        """Return every tenant."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.text("SELECT tenant_id FROM archive_list_tenants()"))
            return tuple(found.scalars())

    def ended(self, tenant: UUID, before: datetime) -> Iterator[Deposit]:
        """Return the deposits that ended before a moment, in the order of deposit."""
        deposits = tables.deposits.c
        last = UUID(int=0)
        while True:
            query = (
                sa.select(tables.deposits)
                .where(
                    deposits.state != DepositState.RECEIVED.value,
                    deposits.ended_at < before,
                    deposits.deposit_id > last,
                )
                .order_by(deposits.deposit_id)
                .limit(PAGE)
            )
            page = self._all(tenant, query)
            yield from (rows.deposit(row) for row in page)
            if len(page) < PAGE:
                return
            last = page[-1].deposit_id

    def record_ids(self, tenant: UUID, before: datetime) -> frozenset[UUID]:
        """Return the records that were acknowledged before a moment."""
        records = tables.records.c
        query = sa.select(records.record_id).where(records.archived_at < before)
        return frozenset(row.record_id for row in self._all(tenant, query))

    def log(self, tenant: UUID) -> LogIdentity:
        """Return the tenant's log."""
        kind = LogKind.SYSTEM if tenant == SYSTEM_TENANT else LogKind.LIFE_CYCLE
        with tenant_transaction(self._engine, tenant) as connection:
            return log_of(connection, tenant, kind)

    def all_stamps(self, tenant: UUID, log_id: UUID) -> Iterator[Stamp]:
        """Return the log's stamps, the oldest first."""
        stamps = tables.stamps.c
        query = sa.select(tables.stamps).where(stamps.log_id == log_id).order_by(stamps.size)
        yield from (stamp_of(row) for row in self._all(tenant, query))

    def _all(self, tenant: UUID, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        with tenant_transaction(self._engine, tenant) as connection:
            return list(connection.execute(query))
