"""Connections, and the one way to open a transaction: for a tenant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import make_url


def make_engine(url: str, *, pool_size: int = 10) -> sa.Engine:
    """Return an engine for the application's role. ``pool_size`` bounds its connections."""
    return sa.create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,  # PostgreSQL may have been restarted since
        connect_args={"connect_timeout": 5, "application_name": "archive"},
    )


@contextmanager
def tenant_transaction(engine: sa.Engine, tenant: UUID) -> Iterator[sa.Connection]:
    """Open a transaction that sees this tenant's rows and no others; commit at the end, durably."""
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.set_config("app.tenant", str(tenant), True)))
        yield connection
