"""The embedded PostgreSQL: who may connect, from where, and that it keeps what it was given."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
import pytest

from archive_service.adapters.embedded.postgres import APPLICATION, OWNER, PostgresServer
from archive_service.adapters.embedded.processes import identify
from archive_service.adapters.embedded.sockets import listening
from archive_service.adapters.embedded.unprivileged import Runner


def test_the_application_role_owns_nothing_and_may_make_nothing(postgres: PostgresServer) -> None:
    """Row-level security binds only a role that is not the owner and not above it."""
    with psycopg.connect(postgres.url(APPLICATION)) as connection:
        facts = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
        owned = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"
        ).fetchone()
        assert facts == (False, False, False, False)
        assert owned == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (n int)")


def test_the_owner_owns_the_database_and_is_no_superuser(postgres: PostgresServer) -> None:
    """Migrations need an owner, not an administrator of the cluster."""
    with psycopg.connect(postgres.url(OWNER)) as connection:
        row = connection.execute(
            "SELECT rolname, rolsuper FROM pg_database JOIN pg_roles r ON r.oid = datdba"
            " WHERE datname = 'archive'"
        ).fetchone()
    assert row == (OWNER, False)


def test_no_one_connects_without_the_password(postgres: PostgresServer) -> None:
    """Loopback is shared by all users of the machine: it proves nothing about who asks."""
    wrong = postgres.url(APPLICATION).replace(":", ":x", 2).replace("postgresql:x", "postgresql:")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_it_listens_on_loopback_only_and_has_no_unix_socket(tmp_path: Path) -> None:
    """A socket in a folder that all may write could be another's; an outside address is no one's business."""
    with PostgresServer(tmp_path) as server:
        assert server.child is not None
        sockets = listening(server.child.pid)
    assert {address for address, _ in sockets.tcp} == {"127.0.0.1"}
    assert sockets.unix == ()


def test_a_killed_server_starts_again_at_the_same_address_with_what_was_committed(tmp_path: Path) -> None:
    """Kill -9 loses nothing that was acknowledged, and the settings of others stay true."""
    with PostgresServer(tmp_path) as server:
        before = server.environment()
        with psycopg.connect(server.url(OWNER)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        assert server.child is not None
        server.child.kill()
    with PostgresServer(tmp_path) as server:
        assert server.environment() == before
        with psycopg.connect(server.url(OWNER)) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_a_pid_that_now_belongs_to_another_process_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    """After a reboot, or where nobody reaps, the killed server's pid may be taken."""
    with PostgresServer(tmp_path) as server:
        assert server.child is not None
        server.child.kill()
    lock = tmp_path / "postgres" / "postmaster.pid"
    lines = lock.read_text().splitlines(keepends=True)
    user = Runner().owner  # the server's own user, where we are root: it ignores the pids of others
    with subprocess.Popen(("sleep", "600"), user=user[0] if user else None) as stranger:
        try:
            lock.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))
            with PostgresServer(tmp_path) as server:
                assert server.ready()
        finally:
            stranger.kill()


def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    """A crash during initdb leaves ``postgres.new``, which is not taken for a cluster."""
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18")
    with PostgresServer(tmp_path) as server:
        assert server.ready()
    assert not (tmp_path / "postgres.new").exists()


def test_stopping_leaves_no_process(tmp_path: Path) -> None:
    """``stop`` returns when the server is gone."""
    with PostgresServer(tmp_path) as server:
        assert server.child is not None
        pid = server.child.pid
        assert identify(pid) is not None
    assert identify(pid) is None
