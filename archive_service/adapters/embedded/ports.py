"""Loopback ports: found free, remembered, and kept over restarts while they stay free."""

from __future__ import annotations

import random
import socket

from archive_service.model import ArchiveError

LOOPBACK = "127.0.0.1"
# Below the range that Linux draws outgoing ports from (32768 up), so that no connection takes one meanwhile.
_RANGE = range(12_000, 22_000)
_TRIES = 200


class NoFreePort(ArchiveError):
    """No free loopback port was found."""


def is_free(port: int) -> bool:
    """Say whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no obstacle
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None, *, also: int = 0, taken: frozenset[int] = frozenset()) -> int:
    """Return ``preferred`` if it is free, else a free port drawn at random.

    ``also``: the port that many above must be free too (SeaweedFS puts its gRPC port 10000 above). ``taken``
    ports are left out. Raises NoFreePort.
    """

    def fits(port: int) -> bool:
        return port not in taken and is_free(port) and (not also or is_free(port + also))

    if preferred is not None and fits(preferred):
        return preferred
    for _ in range(_TRIES):
        port = random.choice(_RANGE)  # noqa: S311 -- no secret: a port is public
        if fits(port):
            return port
    raise NoFreePort(f"None of {_TRIES} ports tried on {LOOPBACK} was free.")
