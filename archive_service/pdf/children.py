"""Child processes that parse what strangers send: with a deadline, a memory limit and no secrets.

Each check that could hang, crash or be taken over runs in one of these. A child gets an environment of its
own (no database address, no keys), a folder for its temporary files, and dies with us.
"""

from __future__ import annotations

import fcntl
import os
import queue
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from archive_service.model import ArchiveError

MAX_LINE_BYTES = 64 * 1024  # a path or a status, never a document
MAX_DETAIL_BYTES = 2000  # of a dead child's last words
FOLDER_PREFIX = "archive-check-"

# The parent-death signal is sent when the *thread* that started the child ends, so one thread that lives as
# long as the process starts them all.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="child-spawner")
_swept = threading.Event()


class ChildEnded(ArchiveError):
    """The child process ended, or could not be started."""

    def __init__(self, returncode: int | None, last_words: str = "") -> None:
        super().__init__(
            f"ended with {returncode}: {last_words}" if last_words else f"ended with {returncode}"
        )
        self.returncode = returncode


class ChildSilent(ArchiveError):
    """The child process did not answer before the deadline."""


class ChildUnavailable(ArchiveError):
    """The child process could not be started or made ready."""


class Child:
    """One process that answers requests on its pipes. Not thread-safe: a Pool lends it to one at a time.

    ``command`` is given the child's own temporary folder and returns program and arguments, the program as
    an absolute path. Every ``until`` is a moment of ``time.monotonic()``, in seconds.
    """

    def __init__(self, command: Callable[[Path], Sequence[str]], *, memory_bytes: int = 0) -> None:
        _sweep_once()
        self.folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
        self._lock = _hold(self.folder)
        with (self.folder / "stderr").open("wb") as stderr:
            self._process = _spawner.submit(
                subprocess.Popen,
                [*_launcher(memory_bytes), *command(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=self.folder,
                env=_environment(self.folder),
                start_new_session=True,  # Ctrl-C in a terminal is for us to handle
            ).result()
        self._in, self._out = _pipes(self._process)
        self._buffer = bytearray()

    @property
    def pid(self) -> int:
        """The process id (the launcher becomes the program, so it is the program's)."""
        return self._process.pid

    def write(self, data: bytes, *, until: float) -> None:
        """Send all bytes. Raises ChildEnded or ChildSilent."""
        view = memoryview(data)
        while view:
            self._wait(self._in, select.POLLOUT, until)
            try:
                view = view[os.write(self._in, view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._ended() from None

    def read_line(self, *, until: float) -> bytes:
        """Return one line without its end. Raises ChildEnded or ChildSilent."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise ChildEnded(None, "a line without end")
            self._fill(until)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def read_exactly(self, size: int, *, until: float) -> bytes:
        """Return that many bytes. Raises ChildEnded or ChildSilent."""
        while len(self._buffer) < size:
            self._fill(until)
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def kill(self) -> None:
        """End the process now and remove its folder. May be called twice, and from another thread."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def release(self) -> None:
        """Close our ends of the pipes; the process must have been killed."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _fill(self, until: float) -> None:
        self._wait(self._out, select.POLLIN, until)
        try:
            block = os.read(self._out, 1 << 16)
        except BlockingIOError:
            return
        if not block:
            raise self._ended()
        self._buffer += block

    def _wait(self, pipe: int, events: int, until: float) -> None:
        poll = select.poll()
        poll.register(pipe, events)
        left = until - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise ChildSilent

    def _ended(self) -> ChildEnded:
        try:
            returncode: int | None = self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            returncode = None  # it closed its output and lives on: it is killed by whoever catches this
        return ChildEnded(returncode, self._last_words())

    def _last_words(self) -> str:
        try:
            with (self.folder / "stderr").open("rb") as stderr:
                stderr.seek(max(0, (self.folder / "stderr").stat().st_size - MAX_DETAIL_BYTES))
                return stderr.read(MAX_DETAIL_BYTES).decode("utf-8", "replace").strip()
        except FileNotFoundError:
            return ""


class Pool:
    """``size`` places for children; each is started when first needed, and replaced when it is worn out.

    A child that was interrupted (any exception leaves ``lease``) is killed and never lent again, since
    the rest of its answer could be taken for the next one's.
    """

    def __init__(self, start: Callable[[], Child], *, size: int, recycle_after: int) -> None:
        self._start = start
        self._recycle_after = recycle_after
        self._free: queue.LifoQueue[_Place] = queue.LifoQueue()  # the last one used is the warmest
        self._places = tuple(_Place() for _ in range(size))
        for place in self._places:
            self._free.put(place)
        self._closed = threading.Event()

    @contextmanager
    def lease(self) -> Iterator[Child]:
        """Lend a child that is ready. Raises ChildUnavailable; waits while all are in use."""
        place = self._free.get()
        try:
            child = self._ready(place)
            try:
                yield child
            except BaseException:
                place.drop()
                raise
            place.uses += 1
            if place.uses >= self._recycle_after:
                place.drop()
        finally:
            self._free.put(place)

    def close(self) -> None:
        """Kill every child, also one at work: its user sees ChildEnded."""
        self._closed.set()
        idle = []
        with suppress(queue.Empty):
            while True:
                idle.append(self._free.get_nowait())
        for place in self._places:
            if place in idle:
                place.drop()
            elif (child := place.child) is not None:
                child.kill()  # whoever uses it drops it
        for place in idle:
            self._free.put(place)  # waiting users are told that the pool is closed

    def pids(self) -> tuple[int, ...]:
        """The processes that run now, for tests and for the operator."""
        return tuple(child.pid for place in self._places if (child := place.child) is not None)

    def _ready(self, place: _Place) -> Child:
        if self._closed.is_set():
            raise ChildUnavailable("the pool is closed")
        if place.child is None:
            try:
                place.child = self._start()
            except (OSError, ChildEnded, ChildSilent) as error:
                raise ChildUnavailable(f"{type(error).__name__}: {error}") from error
            if self._closed.is_set():  # close() did not see it
                place.drop()
                raise ChildUnavailable("the pool is closed")
        return place.child


class _Place:
    """Where a child stands, between two uses."""

    __slots__ = ("child", "uses")

    def __init__(self) -> None:
        self.child: Child | None = None
        self.uses = 0

    def drop(self) -> None:
        child, self.child, self.uses = self.child, None, 0
        if child is not None:
            child.kill()
            child.release()


def python_module(module: str) -> tuple[str, ...]:
    """Return the command that runs one of our modules in a child."""
    return (sys.executable, "-B", "-m", module)


def _launcher(memory_bytes: int) -> tuple[str, ...]:
    launch = str(Path(__file__).with_name("launch.py"))
    return (sys.executable, "-I", "-S", launch, str(os.getpid()), str(memory_bytes))


def _environment(folder: Path) -> dict[str, str]:
    package_root = str(Path(__file__).resolve().parents[2])
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": package_root,
        "MALLOC_ARENA_MAX": "2",
    }


def _pipes(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    if process.stdin is None or process.stdout is None:
        raise ChildUnavailable("no pipes")
    for pipe in (process.stdin, process.stdout):
        os.set_blocking(pipe.fileno(), False)
    return process.stdin.fileno(), process.stdout.fileno()


def _hold(folder: Path) -> int:
    """Lock the folder for as long as this process lives, so that no other sweeps it away."""
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _sweep_once() -> None:
    """Remove the folders of processes that were killed: their locks are gone. Nothing else cleans them."""
    if _swept.is_set():
        return
    _swept.set()
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
