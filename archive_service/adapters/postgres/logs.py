"""The rows of the logs and of their stamps. Implements the sequencer's and the stamper's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from archive_service.adapters.postgres import tables
from archive_service.adapters.postgres.engine import tenant_transaction
from archive_service.adapters.postgres.lines import Channel, notify
from archive_service.pipeline.sequencer import HeadMoved, LogHead
from archive_service.pipeline.stamps import Stamp

# What proves nothing of a dated record (the system log) is kept as long as the records beside it usually are.
LEAST_LOCK = timedelta(days=10 * 366)

_entries, _logs, _stamps = tables.log_entries.c, tables.logs.c, tables.stamps.c


def _of(table: sa.Table, tenant: UUID, log_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.tenant_id == tenant, table.c.log_id == log_id)


class PostgresLogs:
    """Logs, their waiting entries and their heads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        self._engine, self._clock = engine, clock

    def _all(self) -> Sequence[sa.Row[Any]]:
        with self._engine.connect() as connection:
            return connection.execute(sa.text("SELECT * FROM archive_list_logs()")).all()

    def all_logs(self) -> tuple[tuple[UUID, UUID], ...]:
        """Return (tenant, log) of every log."""
        return tuple((row.tenant_id, row.log_id) for row in self._all())

    def waiting(self) -> tuple[tuple[UUID, UUID], ...]:
        """Return the logs with entries that are not published."""
        return tuple((row.tenant_id, row.log_id) for row in self._all() if row.pending)

    def head(self, tenant: UUID, log_id: UUID) -> LogHead:
        """Return the log as of its last checkpoint."""
        with tenant_transaction(self._engine, tenant) as connection:
            row = connection.execute(sa.select(tables.logs).where(_of(tables.logs, tenant, log_id))).one()
            latest = connection.execute(sa.select(sa.func.max(tables.records.c.retain_until))).scalar_one()
        least = (self._clock() + LEAST_LOCK).replace(microsecond=0)
        return LogHead(
            tenant_id=tenant,
            log_id=log_id,
            origin=row.origin,
            size=row.size,
            checkpoint=bytes(row.checkpoint) if row.checkpoint else None,
            wrapped_signing_key=bytes(row.wrapped_signing_key),
            lock_until=max(latest, least) if latest else least,
        )

    def order(self, head: LogHead, limit: int) -> tuple[bytes, ...]:
        """Give the next indices to the oldest entries without one; return the leaves after the head."""
        mine = _of(tables.log_entries, head.tenant_id, head.log_id)
        with tenant_transaction(self._engine, head.tenant_id) as connection:
            # One sequencer at a time here; another waits for this row.
            locked = sa.select(_logs.size).where(_of(tables.logs, head.tenant_id, head.log_id))
            if connection.execute(locked.with_for_update()).scalar_one() != head.size:
                raise HeadMoved(head.origin)
            ordered = sa.select(sa.func.count()).where(mine, _entries.idx >= head.size)
            start = connection.execute(ordered).scalar_one()
            if start < limit:
                oldest = (
                    sa.select(_entries.seq, sa.func.row_number().over(order_by=_entries.seq).label("place"))
                    .where(mine, _entries.idx.is_(None))
                    .order_by(_entries.seq)
                    .limit(limit - start)
                    .subquery()
                )
                connection.execute(
                    sa.update(tables.log_entries)
                    .where(mine, _entries.seq == oldest.c.seq)
                    .values(idx=head.size + start + oldest.c.place - 1)
                )
            leaves = connection.execute(
                sa.select(_entries.leaf).where(mine, _entries.idx >= head.size).order_by(_entries.idx)
            ).scalars()
            return tuple(bytes(leaf) for leaf in leaves)

    def swap(self, head: LogHead, *, size: int, root: bytes, checkpoint: bytes) -> None:
        """Compare and swap."""
        with tenant_transaction(self._engine, head.tenant_id) as connection:
            moved = connection.execute(
                sa.update(tables.logs)
                .where(_of(tables.logs, head.tenant_id, head.log_id), _logs.size == head.size)
                .values(size=size, root=root, checkpoint=checkpoint)
            )
            if not moved.rowcount:
                raise HeadMoved(head.origin)

    def unpublished(self, head: LogHead) -> tuple[int, ...]:
        """Return the indices that the checkpoint covers and nobody was told of."""
        query = sa.select(_entries.idx).where(
            _of(tables.log_entries, head.tenant_id, head.log_id),
            _entries.idx < head.size,
            ~_entries.published,
        )
        with tenant_transaction(self._engine, head.tenant_id) as connection:
            return tuple(connection.execute(query.order_by(_entries.idx)).scalars())

    def publish(self, head: LogHead, proofs: Sequence[tuple[int, bytes]]) -> None:
        """Keep the proofs and notify."""
        if not proofs:
            return
        with tenant_transaction(self._engine, head.tenant_id) as connection:
            connection.execute(
                sa.update(tables.log_entries)
                .where(
                    _of(tables.log_entries, head.tenant_id, head.log_id),
                    _entries.idx == sa.bindparam("index"),
                )
                .values(proof=sa.bindparam("new_proof"), published=True),
                [{"index": index, "new_proof": proof} for index, proof in proofs],
            )
            notify(connection, Channel.ENTRY_PUBLISHED, head.log_id)


class PostgresStamps:
    """The stamps of every log."""

    def __init__(self, engine: sa.Engine, logs: PostgresLogs) -> None:
        self._engine, self._logs = engine, logs

    def due(self, before: datetime) -> tuple[LogHead, ...]:
        """Return the heads that no stamp covers, where the last stamp is from before that moment."""
        heads = []
        for tenant, log_id in self._logs.all_logs():
            head, last = self._logs.head(tenant, log_id), self.last(tenant, log_id)
            if head.size and (last is None or (last.size < head.size and last.token_time <= before)):
                heads.append(head)
        return tuple(heads)

    def last(self, tenant: UUID, log_id: UUID) -> Stamp | None:
        """Return the stamp of the largest size."""
        query = (
            sa.select(tables.stamps)
            .where(_of(tables.stamps, tenant, log_id))
            .order_by(_stamps.size.desc())
            .limit(1)
        )
        with tenant_transaction(self._engine, tenant) as connection:
            row = connection.execute(query).one_or_none()
        return stamp_of(row) if row else None

    def covering(self, tenant: UUID, log_id: UUID, index: int) -> Stamp | None:
        """Return the first stamp whose checkpoint covers an entry."""
        query = (
            sa.select(tables.stamps)
            .where(_of(tables.stamps, tenant, log_id), _stamps.size > index, _stamps.published)
            .order_by(_stamps.size)
            .limit(1)
        )
        with tenant_transaction(self._engine, tenant) as connection:
            row = connection.execute(query).one_or_none()
        return stamp_of(row) if row else None

    def keep(self, stamp: Stamp) -> None:
        """Keep the first of a size."""
        with tenant_transaction(self._engine, stamp.tenant_id) as connection:
            connection.execute(
                insert(tables.stamps)
                .values(
                    tenant_id=stamp.tenant_id,
                    log_id=stamp.log_id,
                    size=stamp.size,
                    checkpoint=stamp.checkpoint,
                    statement=stamp.statement,
                    token=stamp.token,
                    tsa=stamp.tsa,
                    token_time=stamp.token_time,
                )
                .on_conflict_do_nothing()
            )

    def unpublished(self) -> tuple[tuple[Stamp, datetime], ...]:
        """Return what is kept but not locked, with the date until which it must be."""
        found: list[tuple[Stamp, datetime]] = []
        for tenant, log_id in self._logs.all_logs():
            query = sa.select(tables.stamps).where(_of(tables.stamps, tenant, log_id), ~_stamps.published)
            with tenant_transaction(self._engine, tenant) as connection:
                waiting = connection.execute(query.order_by(_stamps.size)).all()
            if waiting:
                lock_until = self._logs.head(tenant, log_id).lock_until
                found.extend((stamp_of(row), lock_until) for row in waiting)
        return tuple(found)

    def mark_published(self, stamp: Stamp) -> None:
        """Note that its files are locked."""
        with tenant_transaction(self._engine, stamp.tenant_id) as connection:
            connection.execute(
                sa.update(tables.stamps)
                .where(_of(tables.stamps, stamp.tenant_id, stamp.log_id), _stamps.size == stamp.size)
                .values(published=True)
            )


def stamp_of(row: sa.Row[Any]) -> Stamp:
    """Return the stamp that a row of ``stamps`` holds."""
    return Stamp(
        tenant_id=row.tenant_id,
        log_id=row.log_id,
        size=row.size,
        checkpoint=bytes(row.checkpoint),
        statement=bytes(row.statement),
        token=bytes(row.token),
        tsa=row.tsa,
        token_time=row.token_time,
    )
