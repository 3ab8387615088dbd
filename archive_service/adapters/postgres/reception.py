"""Receive a deposit: find what it repeats, or record it with its job, in one transaction."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import procrastinate
import sqlalchemy as sa

from archive_service.adapters.postgres import rows, tables
from archive_service.adapters.postgres.engine import tenant_transaction
from archive_service.adapters.postgres.jobs import defer_ingest
from archive_service.model import DepositState
from archive_service.pipeline.ledger import Deposit, KeyReused, Kind, NewDeposit, Reception, StillUnderWay

KEY_LIFETIME = timedelta(days=30)  # issue: "kept 30 days"

_deposits = tables.deposits.c
_keys = tables.idempotency_keys.c


def receive(engine: sa.Engine, queue: procrastinate.App, new: NewDeposit) -> Reception:
    """See ``Ledger.receive``."""
    with tenant_transaction(engine, new.tenant_id) as connection:
        _one_at_a_time(connection, new)
        known = _by_key(connection, new) or (None if new.kind == "refusal" else _by_bytes(connection, new))
        if known is not None:
            _remember_key(connection, new, known.deposit.deposit_id)
            return known
        record_id = _archived_record(connection, new) if new.kind == "document" else None
        _record(connection, new, "revision" if record_id else new.kind, record_id or new.deposit_id)
        _remember_key(connection, new, new.deposit_id)
        defer_ingest(queue, connection, new.tenant_id, new.deposit_id)
        return Reception(deposit=_load(connection, new.tenant_id, new.deposit_id), replayed=False)


def _one_at_a_time(connection: sa.Connection, new: NewDeposit) -> None:
    """Make deposits that could repeat one another wait for each other, and no others."""
    subjects = [b"bytes" + new.sha256]
    if new.idempotency_key:
        subjects.append(f"key {new.client} {new.idempotency_key}".encode())
    locks = sorted(
        int.from_bytes(hashlib.sha256(new.tenant_id.bytes + subject).digest()[:8], signed=True)
        for subject in subjects
    )  # in one order everywhere, so that no two wait for each other
    for lock in locks:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))


def _by_key(connection: sa.Connection, new: NewDeposit) -> Reception | None:
    if new.idempotency_key is None:
        return None
    mine = sa.and_(_keys.client == new.client, _keys.key == new.idempotency_key)
    connection.execute(
        sa.delete(tables.idempotency_keys).where(mine, _keys.created_at < new.received_at - KEY_LIFETIME)
    )
    row = connection.execute(sa.select(_keys.fingerprint, _keys.deposit_id).where(mine)).one_or_none()
    if row is None:
        return None
    if bytes(row.fingerprint) != new.fingerprint:
        raise KeyReused
    deposit = _load(connection, new.tenant_id, row.deposit_id)
    if deposit.state is DepositState.RECEIVED:
        raise StillUnderWay(deposit.deposit_id)
    return Reception(deposit=deposit, replayed=True)


def _by_bytes(connection: sa.Connection, new: NewDeposit) -> Reception | None:
    """Find the deposit of these bytes with these metadata. Without metadata, any of these bytes will do."""
    row = connection.execute(
        sa.select(tables.deposits)
        .where(
            _deposits.sha256 == new.sha256,
            _deposits.kind != "refusal",
            _deposits.state.in_((DepositState.RECEIVED.value, DepositState.ARCHIVED.value)),
        )
        .order_by(_deposits.received_at.desc(), _deposits.deposit_id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    if not new.sent or bytes(row.fingerprint) == new.fingerprint:
        return Reception(deposit=rows.deposit(row), replayed=True)
    if row.state == DepositState.RECEIVED.value:
        raise StillUnderWay(row.deposit_id)
    return None


def _archived_record(connection: sa.Connection, new: NewDeposit) -> UUID | None:
    query = sa.select(_deposits.record_id).where(
        _deposits.sha256 == new.sha256,
        _deposits.kind == "document",
        _deposits.state == DepositState.ARCHIVED.value,
    )
    return connection.execute(query).scalar_one_or_none()


def _record(connection: sa.Connection, new: NewDeposit, kind: Kind, record_id: UUID) -> None:
    connection.execute(
        sa.insert(tables.deposits).values(
            tenant_id=new.tenant_id,
            deposit_id=new.deposit_id,
            kind=kind,
            record_id=record_id,
            client=new.client,
            agent=new.agent,
            state=DepositState.RECEIVED.value,
            sha256=new.sha256,
            size=new.size,
            file_name=new.file_name,
            sent=new.sent,
            fingerprint=new.fingerprint,
            problem=rows.problem_json(new.problem),
            received_at=new.received_at,
        )
    )


def _remember_key(connection: sa.Connection, new: NewDeposit, deposit_id: UUID) -> None:
    if new.idempotency_key is None:
        return
    known = sa.select(_keys.key).where(_keys.client == new.client, _keys.key == new.idempotency_key)
    if connection.execute(known).one_or_none() is None:
        connection.execute(
            sa.insert(tables.idempotency_keys).values(
                tenant_id=new.tenant_id,
                client=new.client,
                key=new.idempotency_key,
                fingerprint=new.fingerprint,
                deposit_id=deposit_id,
                created_at=new.received_at,
            )
        )


def _load(connection: sa.Connection, tenant: UUID, deposit_id: UUID) -> Deposit:
    query = sa.select(tables.deposits).where(
        _deposits.tenant_id == tenant, _deposits.deposit_id == deposit_id
    )
    return rows.deposit(connection.execute(query).one())
