"""``archive up``: the whole stack in the foreground, from nothing to an API that takes deposits."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from archive_service.adapters.embedded.address import Address, remove_address, write_address
from archive_service.adapters.embedded.pki import Pki
from archive_service.adapters.embedded.ports import LOOPBACK, free_port, is_free
from archive_service.adapters.embedded.postgres import PostgresServer
from archive_service.adapters.embedded.processes import Child, DidNotStart, Part
from archive_service.adapters.embedded.seaweedfs import ObjectServer
from archive_service.adapters.embedded.server import Server
from archive_service.adapters.embedded.state import recall, recall_port, remember, write_private
from archive_service.adapters.embedded.supervisor import Interrupted, Supervised, Supervisor, own
from archive_service.adapters.embedded.verapdf_jar import java, verapdf_jar
from archive_service.adapters.master_key import FileMasterKey
from archive_service.model import ArchiveError

WORKERS = 2
# Which variables say that a part is there already, and which must then be given with it.
OUTSIDE: Mapping[type[Server], tuple[str, ...]] = {
    PostgresServer: ("DATABASE_URL",),
    ObjectServer: ("S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY"),
    Pki: ("TSA_URLS", "TRUST_ROOTS", "SEAL_KEY", "SEAL_CERTIFICATES"),
}


class IncompleteSettings(ArchiveError):
    """A part is given from outside, but not all that is needed to use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The service's own processes: what runs once, in order, and what runs on. Commands, by name."""

    once: Mapping[str, tuple[str, ...]]
    services: Mapping[str, tuple[str, ...]]
    http: frozenset[str] = field(default_factory=lambda: frozenset({"api"}))  # ready by GET /readyz

    @classmethod
    def of_archive(cls) -> Program:
        """The archive itself: ``python -m archive_service.main …``."""
        main = (sys.executable, "-m", "archive_service.main")
        workers = {f"worker-{number}": (*main, "worker") for number in range(1, WORKERS + 1)}
        services = {"api": (*main, "api"), **workers, "sequencer": (*main, "sequencer")}
        return cls(once={name: (*main, name) for name in ("migrate", "bootstrap")}, services=services)


def serve(
    *,
    data: Path,
    port: int | None,
    announce: Callable[[Address], None],
    report: Callable[[str], None] = lambda _: None,
    program: Program | None = None,
) -> int:
    """Run the stack until SIGINT or SIGTERM; return the exit code.

    ``announce`` is called once, when the API takes requests. Raises DataInUse, DidNotStart,
    IncompleteSettings; whatever it raises, everything that it had started is stopped.
    """
    data, program = data.absolute(), program or Program.of_archive()
    needed = needed_servers(os.environ)
    with own(data, report=report) as supervisor:
        servers = [server(data) for server in needed]
        last = [server.name for server in reversed(servers)]
        try:
            _start_servers(supervisor, servers)
            environment = _environment(servers, data=data, port=port)
            _start_program(supervisor, program, environment)
            address = Address(url=_url(environment), token=_first_key(data), data=data)
            write_address(address)
            announce(address)
            supervisor.watch()
        except Interrupted:
            report("stopped before everything had started")
        finally:
            remove_address(data)
            supervisor.stop_all(last=last)
    return 0


def needed_servers(environment: Mapping[str, str]) -> tuple[type[Server], ...]:
    """Return the servers that the environment does not name already. Raises IncompleteSettings."""
    needed = []
    for server, variables in OUTSIDE.items():
        if not environment.get(variables[0]):
            needed.append(server)
        elif missing := [name for name in variables if not environment.get(name)]:
            raise IncompleteSettings(f"{variables[0]} is set, so {', '.join(missing)} must be set too.")
    return tuple(needed)


def _start_servers(supervisor: Supervisor, servers: Sequence[Server]) -> None:
    def supervised(server: Server) -> Supervised:
        return Supervised(part=server.prepare(), ready=lambda _: server.ready(), settle=server.settle)

    supervisor.start([supervised(server) for server in servers])


def _environment(servers: Sequence[Server], *, data: Path, port: int | None) -> dict[str, str]:
    """Return the whole environment of the service's processes; what we set is kept for the CLI as well."""
    ours: dict[str, str] = {"DATA": str(data), "HOST": LOOPBACK, "PORT": str(_api_port(data, port))}
    for server in servers:
        ours |= server.environment()
    ours |= _given_or("MASTER_KEY", lambda: _master_key(data))
    ours |= _given_or("VERAPDF_JAR", lambda: str(verapdf_jar()))
    ours |= _given_or("JAVA", lambda: str(java()))
    remember(data / "run" / "environment.json", ours)
    return {**os.environ, **ours, "PYTHONUNBUFFERED": "1"}


def _given_or(name: str, make: Callable[[], str]) -> dict[str, str]:
    return {name: os.environ.get(name) or make()}


def _master_key(data: Path) -> str:
    path = data / "master-key"
    if not path.exists():
        FileMasterKey.create(path)
    return str(path)


def _api_port(data: Path, wanted: int | None) -> int:
    memory = data / "run" / "api.json"
    if wanted is not None and not is_free(wanted):
        raise DidNotStart(f"Port {wanted} on {LOOPBACK} is in use: choose another.")
    port = wanted or free_port(recall_port(recall(memory), "port"))
    remember(memory, {"port": port})
    return port


def _start_program(supervisor: Supervisor, program: Program, environment: Mapping[str, str]) -> None:
    for name, command in program.once.items():
        printed = supervisor.run_once(Part(name=name, command=command, environment=environment))
        _keep_first_key(supervisor.data, printed)
    services = [
        Supervised(
            part=Part(name=name, command=command, environment=environment),
            ready=_answers(environment) if name in program.http else lambda child: child.said("ready"),
        )
        for name, command in program.services.items()
    ]
    supervisor.start(services)


def _answers(environment: Mapping[str, str]) -> Callable[[Child], bool]:
    def ready(_: Child) -> bool:
        try:
            answer = httpx.get(f"{_url(environment)}/readyz", timeout=5.0, trust_env=False)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    return ready


def _url(environment: Mapping[str, str]) -> str:
    return f"http://{environment['HOST']}:{environment['PORT']}"


def _keep_first_key(data: Path, printed: str) -> None:
    """Keep the API key that ``bootstrap`` prints, once, as ``{"token": …}``.

    A crash before it is kept loses it (docs/limits.md).
    """
    for line in printed.splitlines():
        if line.startswith("{") and (token := json.loads(line).get("token")):
            write_private(data / "first-api-key", token.encode())


def _first_key(data: Path) -> str:
    path = data / "first-api-key"
    return path.read_text().strip() if path.exists() else ""
