"""Entries on their way into a log: one row each, written in the transaction of what they tell."""

from __future__ import annotations

import enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from archive_service.adapters.postgres import tables
from archive_service.pipeline.ledger import JournalLine, LogIdentity, LogKind


class Channel(enum.StrEnum):
    """What PostgreSQL's NOTIFY carries; the payload is an identifier."""

    ENTRY_PENDING = "archive_entry_pending"
    ENTRY_PUBLISHED = "archive_entry_published"
    DEPOSIT_ENDED = "archive_deposit_ended"


def notify(connection: sa.Connection, channel: Channel, payload: UUID) -> None:
    """Tell listeners once the transaction commits."""
    connection.execute(sa.select(sa.func.pg_notify(channel.value, str(payload))))


def log_of(connection: sa.Connection, tenant: UUID, kind: LogKind) -> LogIdentity:
    """Return the tenant's log of that kind."""
    logs = tables.logs.c
    query = sa.select(logs.log_id, logs.origin, logs.vkey).where(
        logs.tenant_id == tenant, logs.kind == kind.value
    )
    row = connection.execute(query).one()
    return LogIdentity(log_id=row.log_id, origin=row.origin, vkey=row.vkey)


def enter_line(connection: sa.Connection, tenant: UUID, kind: LogKind, line: JournalLine) -> bool:
    """Write the entry unless its identifier is known; say whether it is new."""
    log = log_of(connection, tenant, kind)
    added = connection.execute(
        insert(tables.log_entries)
        .values(
            tenant_id=tenant,
            log_id=log.log_id,
            entry_id=line.entry_id,
            subject=line.subject,
            action=line.action,
            leaf=line.leaf,
            created_at=line.created_at,
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "entry_id"])
        .returning(tables.log_entries.c.entry_id)  # of a new row only; a row count is not to be had here
    ).one_or_none()
    if added is not None:
        notify(connection, Channel.ENTRY_PENDING, log.log_id)
    return added is not None
