"""What a process listens on, from /proc: for the check that every door is on loopback."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path

_LISTEN = "0A"  # net/tcp_states.h: TCP_LISTEN
_UNIX_LISTENING = 0x1_0000  # uapi/linux/net.h: __SO_ACCEPTCON


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """The listening sockets of one process: TCP as (address, port), Unix as paths."""

    tcp: tuple[tuple[str, int], ...]
    unix: tuple[str, ...]


def listening(pid: int) -> Listening:
    """Return what a process of ours listens on (proc_pid_net(5))."""
    links = (entry.readlink().name for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink())
    inodes = {found[1] for link in links if (found := re.fullmatch(r"socket:\[(\d+)\]", link))}
    tcp = [_tcp(fields[1]) for fields in _rows("tcp", "tcp6") if fields[3] == _LISTEN and fields[9] in inodes]
    unix = [
        fields[7]
        for fields in _rows("unix")
        if fields[6] in inodes and int(fields[3], 16) & _UNIX_LISTENING and len(fields) > 7
    ]
    return Listening(tcp=tuple(sorted(tcp)), unix=tuple(sorted(unix)))


def _rows(*tables: str) -> list[list[str]]:
    return [
        line.split() for table in tables for line in Path("/proc/net", table).read_text().splitlines()[1:]
    ]


def _tcp(text: str) -> tuple[str, int]:
    """Read ``0100007F:1F90``: the address as 32-bit words in the machine's byte order, the port in hex."""
    address, _, port = text.partition(":")
    words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
    packed = b"".join(words)
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, packed), int(port, 16)
