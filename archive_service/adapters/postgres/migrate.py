"""Bring the database to the schema of this version, as its owner."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

from archive_service.model import ArchiveError

_ONE_AT_A_TIME = 0x61726368  # advisory lock: two services that start together migrate one after the other


class UnsafeRole(ArchiveError):
    """The application's database role could read or change more than it must."""


def migrate(owner_url: str, application_url: str) -> None:
    """Apply what is missing. ``application_url`` names the role that is let in, and must not be the owner."""
    role = make_url(application_url).username or ""
    if role == make_url(owner_url).username:
        raise UnsafeRole(f"DATABASE_URL and DATABASE_OWNER_URL both use the role {role!r}: use two roles.")
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = sa.create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": _ONE_AT_A_TIME})
            config.attributes.update(connection=connection, application_role=role)
            command.upgrade(config, "head")
    finally:
        engine.dispose()


_ROLE_FACTS = """
SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole AS above_policies,
       (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid) AS owned
FROM pg_roles r WHERE r.rolname = current_user
"""


def check_role(engine: sa.Engine) -> None:
    """Refuse to serve as a role that row-level security does not bind. Raises UnsafeRole."""
    with engine.connect() as connection:
        facts = connection.execute(sa.text(_ROLE_FACTS)).one()
    if facts.above_policies or facts.owned:
        raise UnsafeRole(
            "The role in DATABASE_URL is a superuser, bypasses row-level security or owns tables. "
            "Use a plain role that owns nothing, and DATABASE_OWNER_URL for migrations."
        )
