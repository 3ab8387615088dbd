"""Child processes: started in a session of their own, watched, stopped with all they started.

Their output goes straight to a file and not through us, so that they live on undisturbed when the supervisor
is killed, until its next start finds them by pid and start time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archive_service.model import ArchiveError

MAX_LOG_BYTES = 16 * 1024 * 1024  # per process; one older file of that size is kept beside it
_POLL_SECONDS = 0.02


class DidNotStart(ArchiveError):
    """A part ended, or did not become ready in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One process for good: its pid may be given away again, but not with this start in this boot."""

    pid: int
    started: int  # clock ticks since boot (proc_pid_stat(5), field 22)
    boot: str  # the kernel's boot identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What to run and how to end it. ``user`` and ``group`` are numbers; None: as ourselves."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)  # the whole of it
    folder: Path | None = None  # working directory
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 20.0  # between the stop signal and SIGKILL
    user: int | None = None
    group: int | None = None


def identify(pid: int) -> Identity | None:
    """Return who has this pid now; None if nobody does, or it has ended and only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    if fields[0] in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return Identity(pid=pid, started=int(fields[19]), boot=boot)


def workers_in(folder: Path) -> tuple[int, ...]:
    """Return the pids whose working directory is this folder; of other users' only when we are root."""
    found, wanted = [], folder.resolve()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == wanted:
                found.append(int(entry.name))
        except OSError:  # gone meanwhile, a zombie, or another user's
            continue
    return tuple(found)


class Child:
    """One running part."""

    def __init__(self, part: Part, *, logs: Path) -> None:
        """Start it; its output is appended to ``<logs>/<name>.log``."""
        self.part = part
        self.log = logs / f"{part.name}.log"
        self._bound_log()
        with self.log.open("ab") as output:
            self._said_from = output.tell()
            self._process = subprocess.Popen(
                part.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=part.folder,
                env=dict(part.environment),
                start_new_session=True,  # Ctrl-C is ours to handle; and killpg reaches its children
                umask=0o077,
                user=part.user,
                group=part.group,
                extra_groups=[] if part.user is not None else None,
            )
        self.identity = identify(self._process.pid)

    @property
    def pid(self) -> int:
        """Its process number, and that of its group."""
        return self._process.pid

    def ended(self) -> int | None:
        """Return its exit code (negative: the signal) once it has ended, and end what it left behind."""
        if self._process.returncode is None:
            # Look without reaping: while the dead leader keeps its pid, the group cannot be anyone else's.
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
                return None
            kill_group(self.pid)
            self._process.wait()
        return self._process.returncode

    def ask_to_stop(self) -> None:
        """Send the stop signal, to the leader alone: it ends its own children in order."""
        if self._process.returncode is None:
            self._process.send_signal(self.part.stop_signal)

    def stop(self) -> None:
        """Ask, wait for the grace, then kill; returns when it and its group are gone."""
        self.ask_to_stop()
        deadline = time.monotonic() + self.part.grace_seconds
        while self.ended() is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it and its group at once."""
        if self._process.returncode is None:
            kill_group(self.pid)
            self._process.wait()

    def said(self, line: str) -> bool:
        """Say whether it has printed this line, alone, since it started."""
        with self.log.open("rb") as output:
            output.seek(self._said_from)
            return line.encode() in output.read().splitlines()

    def last_words(self, lines: int = 12) -> str:
        """Return the end of what it printed, for an error message."""
        with self.log.open("rb") as output:
            output.seek(self._said_from)
            return "\n".join(output.read().decode(errors="replace").splitlines()[-lines:])

    def bound_log(self) -> None:
        """Keep its log within bounds while it writes: a full one is copied aside and emptied."""
        if self._bound_log():
            self._said_from = 0

    def _bound_log(self) -> bool:
        if not self.log.exists() or self.log.stat().st_size < MAX_LOG_BYTES:
            return False
        # It appends through its own descriptor, so the file stays and is emptied; a few lines may be lost.
        self.log.with_suffix(".log.1").write_bytes(self.log.read_bytes())
        os.truncate(self.log, 0)
        return True


def kill_group(pid: int) -> None:
    """SIGKILL a process group; gone already is fine."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def stop_leftover(found: Identity, *, stop_signal: int, grace_seconds: float = 10.0) -> bool:
    """End a process that an earlier run started; False if it is no longer the one that was recorded."""
    if identify(found.pid) != found:
        return False
    os.kill(found.pid, stop_signal)
    deadline = time.monotonic() + grace_seconds
    while identify(found.pid) == found and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    kill_group(found.pid)
    return True
