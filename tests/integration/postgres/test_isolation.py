"""The database keeps tenants apart, whatever the application asks."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from archive_service.adapters.embedded.postgres import PostgresServer
from archive_service.adapters.postgres import tables
from archive_service.adapters.postgres.engine import make_engine, tenant_transaction
from archive_service.adapters.postgres.lines import enter_line
from archive_service.adapters.postgres.migrate import UnsafeRole, check_role, migrate
from archive_service.adapters.postgres.tenants import PostgresTenants
from archive_service.model import Profile
from archive_service.pipeline.clients import NewLog, UnknownKey
from archive_service.pipeline.ledger import JournalLine, LogKind


@pytest.fixture(scope="module")
def engine(postgres: PostgresServer) -> Iterator[sa.Engine]:
    """Connect as the application's role."""
    made = make_engine(postgres.environment()["DATABASE_URL"])
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def owner(postgres: PostgresServer) -> Iterator[sa.Engine]:
    """Connect as the owner of the tables."""
    made = make_engine(postgres.environment()["DATABASE_OWNER_URL"])
    yield made
    made.dispose()


@pytest.fixture
def two_tenants(engine: sa.Engine) -> tuple[uuid.UUID, uuid.UUID]:
    """Make two tenants with a log each."""
    tenants = PostgresTenants(engine, lambda: datetime.now(UTC))
    made = (uuid.uuid4(), uuid.uuid4())
    for tenant_id in made:
        log = NewLog(
            log_id=uuid.uuid4(),
            kind=LogKind.LIFE_CYCLE,
            origin=f"test.example/{tenant_id}",
            vkey="vkey",
            wrapped_signing_key=b"wrapped",
        )
        tenants.create(
            tenant_id=tenant_id,
            slug=f"t-{tenant_id}",
            name="Test",
            profile=Profile(),
            wrapped_key=b"wrapped",
            log=log,
        )
    return made


def test_a_transaction_sees_its_own_tenant_only(
    engine: sa.Engine, two_tenants: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """Pins row-level security: a query without any condition returns one tenant's rows."""
    for tenant_id in two_tenants:
        with tenant_transaction(engine, tenant_id) as connection:
            seen = connection.execute(sa.select(tables.tenants.c.tenant_id)).scalars().all()
        assert seen == [tenant_id]


def test_without_a_tenant_nothing_is_seen(
    engine: sa.Engine, two_tenants: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """Pins the default: a transaction that names no tenant sees no row of any table."""
    with engine.connect() as connection:
        for table in tables.metadata.sorted_tables:
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0


def test_rows_of_another_tenant_cannot_be_written(
    engine: sa.Engine, two_tenants: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """Pins WITH CHECK: inserting a row for another tenant is refused, changing one finds none."""
    mine, other = two_tenants
    changed = sa.update(tables.tenants).where(tables.tenants.c.tenant_id == other).values(name="stolen")
    with tenant_transaction(engine, mine) as connection:
        assert connection.execute(changed).rowcount == 0
    row = {
        "tenant_id": other, "key_id": uuid.uuid4(), "name": "k", "prefix": "p", "secret_sha256": b"x",
        "scopes": [], "agent": "a", "created_at": datetime.now(UTC),
    }  # fmt: skip
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        tenant_transaction(engine, mine) as connection,
    ):
        connection.execute(sa.insert(tables.api_keys).values(**row))


def test_nothing_that_proves_can_be_deleted(
    engine: sa.Engine, two_tenants: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """Pins the grants: the application may delete idempotency keys and claims, and nothing else."""
    may_delete = sa.text("SELECT has_table_privilege(current_user, :name, 'DELETE, TRUNCATE')")
    with tenant_transaction(engine, two_tenants[0]) as connection:
        deletable = {
            name
            for name in tables.metadata.tables
            if connection.execute(may_delete, {"name": name}).scalar_one()
        }
    assert deletable == {"idempotency_keys", "number_claims"}
    with (
        pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
        tenant_transaction(engine, two_tenants[0]) as connection,
    ):
        connection.execute(sa.delete(tables.log_entries))


def test_tables_are_those_of_the_migration(owner: sa.Engine) -> None:
    """Pins that the code's tables and the migrated ones have the same columns, types and nullability."""
    inspector = sa.inspect(owner)
    names = {
        name for name in inspector.get_table_names() if not name.startswith(("procrastinate", "alembic"))
    }
    assert names == set(tables.metadata.tables)
    for name in sorted(names):
        found = {
            c["name"]: (c["type"].compile(owner.dialect), c["nullable"]) for c in inspector.get_columns(name)
        }
        coded = {
            c.name: (c.type.compile(owner.dialect), c.nullable) for c in tables.metadata.tables[name].columns
        }
        assert found == coded, name


def test_every_table_forces_row_level_security(owner: sa.Engine) -> None:
    """Pins ENABLE and FORCE on each table: the owner's own queries are bound too."""
    query = sa.text(
        "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = ANY(:n)"
    )
    with owner.connect() as connection:
        found = {row[0]: row[1] for row in connection.execute(query, {"n": list(tables.metadata.tables)})}
    assert found == dict.fromkeys(tables.metadata.tables, True)


def test_migrating_again_changes_nothing(postgres: PostgresServer) -> None:
    """Pins that two services may start together, and that a restart migrates without harm."""
    urls = postgres.environment()
    migrate(urls["DATABASE_OWNER_URL"], urls["DATABASE_URL"])


def test_the_owner_s_role_cannot_serve(postgres: PostgresServer, owner: sa.Engine) -> None:
    """Pins the refusal to run as a role that row-level security does not bind."""
    urls = postgres.environment()
    with pytest.raises(UnsafeRole):
        check_role(owner)
    with pytest.raises(UnsafeRole):
        migrate(urls["DATABASE_OWNER_URL"], urls["DATABASE_OWNER_URL"])


def test_a_key_opens_its_own_tenant_until_revoked(
    engine: sa.Engine, two_tenants: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """Pins authentication: the right secret, no other, and not after it was revoked."""
    tenants = PostgresTenants(engine, lambda: datetime.now(UTC))
    key, token = tenants.create_key(
        tenant_id=two_tenants[0], key_id=uuid.uuid4(), name="test", scopes=("read",)
    )
    assert tenants.authenticate(token).tenant_id == two_tenants[0]
    for wrong in (token[:-1], f"{token}x", "ak__", "", "ak_x_y", f"sk{token[2:]}"):
        with pytest.raises(UnknownKey):
            tenants.authenticate(wrong)
    with pytest.raises(UnknownKey):
        tenants.revoke(two_tenants[1], key.key_id)
    tenants.revoke(two_tenants[0], key.key_id)
    with pytest.raises(UnknownKey):
        tenants.authenticate(token)


def test_an_entry_is_entered_once(engine: sa.Engine, two_tenants: tuple[uuid.UUID, uuid.UUID]) -> None:
    """Pins what retried steps rest on: the second writing of an entry says so, and changes nothing."""
    now = datetime.now(UTC)
    line = JournalLine(
        entry_id=uuid.uuid4(), subject=uuid.uuid4(), action="a:b", leaf=b"first", created_at=now
    )
    with tenant_transaction(engine, two_tenants[0]) as connection:
        assert enter_line(connection, two_tenants[0], LogKind.LIFE_CYCLE, line)
    with tenant_transaction(engine, two_tenants[0]) as connection:
        again = dataclasses.replace(line, leaf=b"second")
        assert not enter_line(connection, two_tenants[0], LogKind.LIFE_CYCLE, again)
        leaves = connection.execute(sa.select(tables.log_entries.c.leaf)).scalars().all()
    assert [bytes(leaf) for leaf in leaves] == [b"first"]
