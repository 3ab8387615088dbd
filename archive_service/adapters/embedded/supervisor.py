"""Start parts, wait until each is really ready, restart what dies, stop them all, leave no orphan.

Killed itself, it leaves its parts running. The next start on the same data folder ends them: first those on
record, by pid and start time, then whatever else carries the folder's mark in its environment: a child of a
part, or a part started in the instant before it was recorded.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from archive_service.adapters.embedded.processes import (
    Child,
    DidNotStart,
    Identity,
    Part,
    identify,
    stop_leftover,
)
from archive_service.adapters.embedded.server import wait_ready
from archive_service.adapters.embedded.state import (
    private_folder,
    recall,
    remember,
    sole_owner,
    write_private,
)

MARK = "ARCHIVE_STACK"  # in the environment of all that we start, and so of all that they start
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 30.0  # before a part that died is started again
STEADY_SECONDS = 30.0  # after so long its next death is a first one again
_WATCH_SECONDS = 0.1


class Interrupted(DidNotStart):
    """A signal asked us to stop before everything had started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervised:
    """A part with its test of readiness and what to do once it is ready for the first time."""

    part: Part
    ready: Callable[[Child], bool]
    settle: Callable[[], None] = lambda: None


@dataclass(slots=True, kw_only=True)
class _Watched:
    child: Child
    since: float  # time.monotonic() of its start
    pause: float = FIRST_PAUSE_SECONDS
    not_before: float | None = None  # set while it is dead


class Supervisor:
    """The parts of one data folder. Use ``own``; one thread only, the main one."""

    def __init__(self, data: Path, *, report: Callable[[str], None]) -> None:
        """Take the folder, which must be held already; ``report`` gets a line per event worth telling."""
        self.data = data
        self._report = report
        self._run = private_folder(data / "run")
        self._logs = data / "logs"
        self._logs.mkdir(exist_ok=True)
        self._mark = mark(data)
        self._watched: dict[str, _Watched] = {}
        self._signals = 0

    def note_signal(self, _signal: int, _frame: FrameType | None) -> None:
        """Handle SIGINT and SIGTERM: the first asks all to stop, the second ends the patience."""
        self._signals += 1

    def start(self, group: Sequence[Supervised]) -> None:
        """Start a group at once and return when all of it is ready and settled. Raises DidNotStart."""
        for each in group:
            self._spawn(each.part)
        for each in group:
            self._wait(each)
            each.settle()
            self._report(f"{each.part.name} is ready")

    def _wait(self, supervised: Supervised) -> None:
        child = self._watched[supervised.part.name].child
        try:
            wait_ready(child, lambda: supervised.ready(child), cancelled=lambda: self._signals > 0)
        except DidNotStart as error:
            if self._signals:
                raise Interrupted(str(error)) from None
            raise

    def run_once(self, part: Part, *, seconds: float = 120.0) -> str:
        """Run a part to its end and return what it prints, which is kept in no log. Raises DidNotStart."""
        if self._signals:
            raise Interrupted("Told to stop.")
        done = subprocess.run(
            part.command,
            env=self._marked(part).environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            start_new_session=True,
            umask=0o077,
        )
        if done.returncode:
            raise DidNotStart(f"{part.name} ended with {done.returncode}:\n{done.stderr[-4000:]}")
        return done.stdout

    def watch(self) -> None:
        """Keep everything running until a signal comes."""
        while not self._signals:
            for watched in self._watched.values():
                self._look_after(watched)
            time.sleep(_WATCH_SECONDS)

    def _look_after(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.not_before is not None:
            if now >= watched.not_before:
                self._spawn(watched.child.part, pause=watched.pause)
            return
        watched.child.bound_log()
        code = watched.child.ended()
        if code is None:
            return
        steady = now - watched.since > STEADY_SECONDS
        pause = FIRST_PAUSE_SECONDS if steady else watched.pause
        self._report(f"{watched.child.part.name} ended with {code}; starting it again in {pause:.1f} s")
        watched.not_before = now + pause
        watched.pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _spawn(self, part: Part, *, pause: float = FIRST_PAUSE_SECONDS) -> None:
        child = Child(self._marked(part), logs=self._logs)
        # A crash here leaves a part that is not on record: the next start finds it by its mark.
        self._watched[part.name] = _Watched(child=child, since=time.monotonic(), pause=pause)
        record(self._run, [watched.child for watched in self._watched.values()])

    def _marked(self, part: Part) -> Part:
        return replace(part, environment={**part.environment, MARK: self._mark})

    def stop(self, names: Sequence[str]) -> None:
        """Ask these parts to stop, all at once, and return when they are gone."""
        children = [self._watched.pop(name).child for name in names if name in self._watched]
        for child in children:
            child.ask_to_stop()
        asked = time.monotonic()
        while waiting := [child for child in children if child.ended() is None]:
            for child in waiting:
                if self._signals > 1 or time.monotonic() - asked > child.part.grace_seconds:
                    child.kill()
            time.sleep(0.02)

    def stop_all(self, *, last: Sequence[str]) -> None:
        """Stop all parts together, but for ``last``: these afterwards, one by one, the first named first."""
        self.stop([name for name in self._watched if name not in last])
        for name in last:
            self.stop([name])
        end_marked(self._mark)
        (self._run / "processes.json").unlink(missing_ok=True)


@contextmanager
def own(data: Path, *, report: Callable[[str], None]) -> Iterator[Supervisor]:
    """Hold the data folder, end what a killed run left, and route signals. Raises DataInUse."""
    data.mkdir(parents=True, exist_ok=True)
    with sole_owner(data):
        for name in stop_leftovers(data):
            report(f"stopped {name}, left over from a run that was killed")
        supervisor = Supervisor(data, report=report)
        ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, kill, the terminal closed
        before = {each: signal.signal(each, supervisor.note_signal) for each in ends}
        try:
            yield supervisor
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def mark(data: Path) -> str:
    """Return the folder's own random mark, made on first use."""
    path = private_folder(data / "run") / "mark"
    if not path.exists():
        write_private(path, secrets.token_hex(16).encode())
    return path.read_text().strip()


def record(run: Path, children: Sequence[Child]) -> None:
    """Put on record who runs, in the order of their start, and by which signal each likes to stop."""
    remember(
        run / "processes.json",
        {
            f"{number:02} {child.part.name}": {
                "pid": child.pid,
                "started": child.identity.started if child.identity else 0,
                "boot": child.identity.boot if child.identity else "",
                "signal": int(child.part.stop_signal),
            }
            for number, child in enumerate(children)
        },
    )


def recorded(data: Path) -> dict[str, tuple[Identity, int]]:
    """Return what is on record, in the order of its start: name → identity and stop signal."""
    found = {}
    for key, entry in sorted(recall(data / "run" / "processes.json").items()):
        if isinstance(entry, dict):
            identity = Identity(pid=entry["pid"], started=entry["started"], boot=entry["boot"])
            found[key.partition(" ")[2]] = identity, entry["signal"]
    return found


def stop_leftovers(data: Path) -> tuple[str, ...]:
    """End what a killed supervisor left running; return its names. Call only while holding the folder."""
    stopped = [
        name
        for name, (identity, number) in reversed(recorded(data).items())
        if stop_leftover(identity, stop_signal=number)
    ]
    stopped += [f"process {pid}" for pid in end_marked(mark(data))]
    (data / "run" / "processes.json").unlink(missing_ok=True)
    return tuple(stopped)


def end_marked(text: str) -> tuple[int, ...]:
    """SIGKILL every process that carries this mark in its environment; return their pids."""
    wanted = f"{MARK}={text}".encode()
    ended = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:  # gone meanwhile, or another user's: not ours
            continue
        if wanted in environment.split(b"\0") and identify(int(entry.name)):
            os.kill(int(entry.name), signal.SIGKILL)
            ended.append(int(entry.name))
    while any(identify(pid) for pid in ended):  # SIGKILL is certain, not instant
        time.sleep(0.02)
    return tuple(ended)
