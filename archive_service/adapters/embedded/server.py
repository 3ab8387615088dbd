"""What the embedded servers have in common: prepare, run, be ready, settle, tell where they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from archive_service.adapters.embedded.processes import Child, DidNotStart, Part
from archive_service.adapters.embedded.state import private_folder

START_SECONDS = 60.0  # generous: a busy two-core machine, a database that recovers
_POLL_SECONDS = 0.05


class Server:
    """One real part, run below a data folder: alone (``start``, ``stop``, ``with``) or by a supervisor.

    A supervisor calls ``prepare``, runs the part, waits for ``ready``, then calls ``settle``.
    """

    name: str

    def __init__(self, data: Path) -> None:
        """Take the data folder; what several servers share is below ``run`` and ``logs``."""
        self.data = data.absolute()
        self.run = private_folder(self.data / "run")
        self.logs = self.data / "logs"
        self.logs.mkdir(exist_ok=True)
        self.child: Child | None = None

    def prepare(self) -> Part:
        """Make its files and choose its ports. What a crash leaves half-made, the next call makes anew."""
        raise NotImplementedError  # each server has its own

    def ready(self) -> bool:
        """Say whether it answers as its clients need."""
        raise NotImplementedError  # each server has its own

    def settle(self) -> None:
        """Bring a server that is ready into the state its clients rely on; repeating it changes nothing."""

    def environment(self) -> dict[str, str]:
        """Return the settings that point at this server. Valid after ``prepare``."""
        raise NotImplementedError  # each server has its own

    def start(self) -> Self:
        """Run it alone and return when it is usable. Raises DidNotStart."""
        self.child = Child(self.prepare(), logs=self.logs)
        try:
            wait_ready(self.child, self.ready)
            self.settle()
        except BaseException:  # whatever ended the wait, Ctrl-C too: leave no orphan
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it, if it runs."""
        if self.child is not None:
            self.child.stop()
            self.child = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def wait_ready(
    child: Child,
    ready: Callable[[], bool],
    *,
    seconds: float = START_SECONDS,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Return once ``ready`` says yes. Raises DidNotStart when the child ends first, or time does."""
    deadline = time.monotonic() + seconds
    while not ready():
        if (code := child.ended()) is not None:
            raise DidNotStart(f"{child.part.name} ended with {code}:\n{child.last_words()}")
        if cancelled():
            raise DidNotStart(f"{child.part.name} was told to stop before it was ready.")
        if time.monotonic() > deadline:
            raise DidNotStart(
                f"{child.part.name} was not ready within {seconds:.0f} s:\n{child.last_words()}"
            )
        time.sleep(_POLL_SECONDS)
