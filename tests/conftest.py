"""Real parts for every test: started when first asked for, kept for the session, stopped at its end."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from archive_service.adapters.embedded.pki import Pki
from archive_service.adapters.embedded.postgres import PostgresServer
from archive_service.adapters.embedded.seaweedfs import ObjectServer
from archive_service.adapters.embedded.stack import Stack
from archive_service.adapters.embedded.verapdf_jar import java, verapdf_jar
from archive_service.adapters.postgres.migrate import migrate

# No deadline: these machines are shared, and a slow example is no wrong one.
hypothesis.settings.register_profile("ci", max_examples=50, deadline=None)
hypothesis.settings.register_profile("long", max_examples=1000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


class OutsideNetwork(RuntimeError):
    """A test tried to reach another machine."""


def _refuse_outside(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: Python's own sockets connect, send and look names up on loopback only.

    Child processes have hooks of their own and are not covered, nor are C libraries (libpq).
    """
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            raise OutsideNetwork(f"{event} to {address!r}")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if host is not None and not _is_loopback(host.decode() if isinstance(host, bytes) else str(host)):
            raise OutsideNetwork(f"look-up of {host!r}")


def _is_loopback(host: str) -> bool:
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


sys.addaudithook(_refuse_outside)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Run PostgreSQL, with this version's schema: ``environment()`` has the two roles' addresses."""
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        urls = server.environment()
        migrate(urls["DATABASE_OWNER_URL"], urls["DATABASE_URL"])
        yield server


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """Run an S3 server with Object Lock and no buckets: ``environment()`` has endpoint and keys."""
    with ObjectServer(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    """Run the development PKI: ``tsa_url``, ``roots``, ``key("seal")``, ``seal_certificates``."""
    with Pki(tmp_path_factory.mktemp("pki")) as server:
        yield server


@pytest.fixture(scope="session")
def verapdf() -> tuple[Path, Path]:
    """Java and the veraPDF jar, checked against the pin."""
    return java(), verapdf_jar()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run the whole archive: ``url``, ``token``, ``environment``, ``pids()``."""
    # Stamped often, so that no test waits a minute for its time evidence.
    often = {"CHECKPOINT_STAMP_SECONDS": "1"}
    with Stack(data=tmp_path_factory.mktemp("stack"), variables=often) as running:
        yield running
