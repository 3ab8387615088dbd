"""The ledger on PostgreSQL. Every method is one transaction that sees one tenant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import procrastinate
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from archive_service.adapters.postgres import rows, tables
from archive_service.adapters.postgres.engine import tenant_transaction
from archive_service.adapters.postgres.lines import Channel, enter_line, log_of, notify
from archive_service.adapters.postgres.reception import receive
from archive_service.model import DepositState, Metadata, Profile, Role
from archive_service.pipeline.forms import JsonObject, from_json
from archive_service.pipeline.ledger import (
    Deposit,
    Inclusion,
    JournalLine,
    LogIdentity,
    LogKind,
    NewDeposit,
    Problem,
    Reception,
    StoredObject,
    TenantFacts,
    UnknownDeposit,
)


class PostgresLedger:
    """Implements ``pipeline.ledger.Ledger``."""

    def __init__(self, engine: sa.Engine, queue: procrastinate.App) -> None:
        self._engine = engine
        self._queue = queue

    def receive(self, new: NewDeposit) -> Reception:
        """Record the deposit and its job, or find what it repeats."""
        return receive(self._engine, self._queue, new)

    @contextmanager
    def _transaction(self, tenant: UUID) -> Iterator[sa.Connection]:
        with tenant_transaction(self._engine, tenant) as connection:
            yield connection

    def deposit(self, tenant: UUID, deposit_id: UUID) -> Deposit:
        """Return it as it stands."""
        with self._transaction(tenant) as connection:
            row = connection.execute(_at(tables.deposits, tenant, deposit_id)).one_or_none()
        if row is None:
            raise UnknownDeposit(str(deposit_id))
        return rows.deposit(row)

    def knows(self, tenant: UUID, deposit_id: UUID) -> bool:
        """Say whether a deposit was recorded."""
        with self._transaction(tenant) as connection:
            return connection.execute(_at(tables.deposits, tenant, deposit_id)).one_or_none() is not None

    def tenant(self, tenant: UUID) -> TenantFacts:
        """Return the tenant's name, profile in force and wrapped key."""
        with self._transaction(tenant) as connection:
            row = connection.execute(sa.select(tables.tenants)).one()
            log = log_of(connection, tenant, LogKind.LIFE_CYCLE)
        return TenantFacts(
            tenant_id=tenant,
            slug=row.slug,
            profile=from_json(Profile, row.profile),
            wrapped_key=bytes(row.wrapped_key),
            log=log,
        )

    def outputs(self, tenant: UUID, deposit_id: UUID) -> dict[str, JsonObject]:
        """Return what the finished steps kept."""
        steps = tables.deposit_steps.c
        with self._transaction(tenant) as connection:
            found = connection.execute(
                sa.select(steps.step, steps.output).where(
                    steps.tenant_id == tenant, steps.deposit_id == deposit_id
                )
            )
            return {row.step: row.output for row in found}

    def keep(self, tenant: UUID, deposit_id: UUID, step: str, output: JsonObject) -> JsonObject:
        """Keep the first output that arrives."""
        steps = tables.deposit_steps
        with self._transaction(tenant) as connection:
            connection.execute(
                insert(steps)
                .values(
                    tenant_id=tenant,
                    deposit_id=deposit_id,
                    step=step,
                    output=output,
                    kept_at=sa.func.clock_timestamp(),
                )
                .on_conflict_do_nothing()
            )
            kept: JsonObject = connection.execute(
                sa.select(steps.c.output).where(
                    steps.c.tenant_id == tenant, steps.c.deposit_id == deposit_id, steps.c.step == step
                )
            ).scalar_one()
        return kept

    def count_attempt(self, tenant: UUID, deposit_id: UUID) -> int:
        """Count one more and return how many."""
        deposits = tables.deposits
        with self._transaction(tenant) as connection:
            count: int = connection.execute(
                sa.update(deposits)
                .where(deposits.c.tenant_id == tenant, deposits.c.deposit_id == deposit_id)
                .values(attempts=deposits.c.attempts + 1)
                .returning(deposits.c.attempts)
            ).scalar_one()
        return count

    def claim_number(self, deposit: Deposit, *, seller: str, year: int, number: str) -> UUID:
        """Claim it or name who did."""
        claims = tables.number_claims
        key = {"tenant_id": deposit.tenant_id, "seller": rows.fold(seller), "year": year, "number": number}
        with self._transaction(deposit.tenant_id) as connection:
            connection.execute(
                insert(claims).values(**key, deposit_id=deposit.deposit_id).on_conflict_do_nothing()
            )
            owner: UUID = connection.execute(
                sa.select(claims.c.deposit_id).where(
                    *(claims.c[name] == value for name, value in key.items())
                )
            ).scalar_one()
        return owner

    def keep_secrets(self, tenant: UUID, deposit_id: UUID, wrapped: bytes) -> bytes:
        """Keep the first that arrive."""
        with self._transaction(tenant) as connection:
            connection.execute(
                insert(tables.secrets)
                .values(tenant_id=tenant, deposit_id=deposit_id, wrapped=wrapped)
                .on_conflict_do_nothing()
            )
        return self.secrets(tenant, deposit_id)

    def secrets(self, tenant: UUID, deposit_id: UUID) -> bytes:
        """Return the wrapped secrets."""
        with self._transaction(tenant) as connection:
            row = connection.execute(_at(tables.secrets, tenant, deposit_id)).one_or_none()
        if row is None:
            raise UnknownDeposit(str(deposit_id))
        return bytes(row.wrapped)

    def keep_objects(self, tenant: UUID, deposit_id: UUID, objects: tuple[StoredObject, ...]) -> None:
        """Note each by role, once."""
        values = [
            {
                "tenant_id": tenant,
                "deposit_id": deposit_id,
                "role": item.role.value,
                "bucket": item.version.bucket,
                "path": item.version.path,
                "version_id": item.version.version_id,
                "sha256": item.version.sha256,
                "size": item.version.size,
                "plain_sha256": item.plain_sha256,
                "plain_size": item.plain_size,
                "retain_until": item.version.retain_until,
            }
            for item in objects
        ]
        with self._transaction(tenant) as connection:
            connection.execute(insert(tables.objects).values(values).on_conflict_do_nothing())

    def extend_objects(self, tenant: UUID, deposit_id: UUID, retain_until: datetime) -> None:
        """Move the date where it is earlier."""
        objects = tables.objects
        with self._transaction(tenant) as connection:
            connection.execute(
                sa.update(objects)
                .where(
                    objects.c.tenant_id == tenant,
                    objects.c.deposit_id == deposit_id,
                    objects.c.retain_until < retain_until,
                )
                .values(retain_until=retain_until)
            )

    def objects(self, tenant: UUID, deposit_id: UUID) -> dict[Role, StoredObject]:
        """Return them by role."""
        with self._transaction(tenant) as connection:
            found = connection.execute(_at(tables.objects, tenant, deposit_id)).all()
        return {Role(row.role): rows.stored_object(row) for row in found}

    def enter(
        self, deposit: Deposit, line: JournalLine, *, metadata: Metadata | None, retain_until: datetime | None
    ) -> None:
        """Write entry and record together: no record without its entry, no entry without its record."""
        with self._transaction(deposit.tenant_id) as connection:
            if not enter_line(connection, deposit.tenant_id, LogKind.LIFE_CYCLE, line) or metadata is None:
                return
            columns: dict[str, Any] = {**rows.record_columns(metadata), "retain_until": retain_until}
            if deposit.kind == "revision":
                records = tables.records
                connection.execute(
                    sa.update(records)
                    .where(records.c.tenant_id == deposit.tenant_id, records.c.record_id == deposit.record_id)
                    .values(**columns, revision=records.c.revision + 1)
                )
            else:
                connection.execute(
                    sa.insert(tables.records).values(
                        tenant_id=deposit.tenant_id,
                        record_id=deposit.record_id,
                        original_sha256=deposit.sha256,
                        **columns,
                    )
                )

    def entry(self, tenant: UUID, entry_id: UUID) -> Inclusion | None:
        """Return the published entry, or None while it is on its way."""
        entries, logs = tables.log_entries.c, tables.logs.c
        query = (
            sa.select(logs.log_id, logs.origin, logs.vkey, entries.idx, entries.leaf, entries.proof)
            .join_from(tables.log_entries, tables.logs)
            .where(entries.tenant_id == tenant, entries.entry_id == entry_id, entries.published)
        )
        with self._transaction(tenant) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Inclusion(
            log=LogIdentity(log_id=row.log_id, origin=row.origin, vkey=row.vkey),
            index=row.idx,
            leaf=bytes(row.leaf),
            proof=bytes(row.proof),
        )

    def close(
        self,
        deposit: Deposit,
        *,
        state: DepositState,
        problem: Problem | None,
        line: JournalLine,
        at: datetime,
    ) -> None:
        """End the deposit and enter its receipt, once."""
        deposits, claims, records = tables.deposits, tables.number_claims, tables.records
        tenant, deposit_id = deposit.tenant_id, deposit.deposit_id
        with self._transaction(tenant) as connection:
            ended = connection.execute(
                sa.update(deposits)
                .where(
                    deposits.c.tenant_id == tenant,
                    deposits.c.deposit_id == deposit_id,
                    deposits.c.state == DepositState.RECEIVED.value,
                )
                .values(state=state.value, problem=rows.problem_json(problem), ended_at=at)
            )
            if not ended.rowcount:
                return
            enter_line(connection, tenant, LogKind.LIFE_CYCLE, line)
            if state is DepositState.REJECTED:
                connection.execute(
                    sa.delete(claims).where(claims.c.tenant_id == tenant, claims.c.deposit_id == deposit_id)
                )
            connection.execute(
                sa.update(records)
                .where(
                    records.c.tenant_id == tenant,
                    records.c.record_id == deposit_id,
                    records.c.archived_at.is_(None),
                )
                .values(archived_at=at)
            )
            notify(connection, Channel.DEPOSIT_ENDED, deposit_id)


def _at(table: sa.Table, tenant: UUID, deposit_id: UUID) -> sa.Select[Any]:
    return sa.select(table).where(table.c.tenant_id == tenant, table.c.deposit_id == deposit_id)
