"""The whole archive as a child process, for tests and ``archive demo``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from archive_service.adapters.embedded.address import Address, read_address
from archive_service.adapters.embedded.processes import DidNotStart, identify
from archive_service.adapters.embedded.state import recall, sole_owner
from archive_service.adapters.embedded.supervisor import recorded, stop_leftovers

START_SECONDS = 120.0
STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05


class Stack:
    """``with Stack(data=…) as stack``: an archive that runs, and stops at the end. Its data stay."""

    def __init__(
        self,
        *,
        data: Path,
        port: int | None = None,
        variables: Mapping[str, str] | None = None,
        command: tuple[str, ...] | None = None,
    ) -> None:
        """Take the data folder; ``variables`` are added to the environment of all its processes."""
        self.data = data.absolute()
        wanted = () if port is None else ("--port", str(port))
        up = (sys.executable, "-m", "archive_service.cli", "up", "--json", "--data", str(self.data))
        self._command = command or (*up, *wanted)
        self._variables = dict(variables or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._address: Address | None = None

    def start(self) -> Self:
        """Start the supervisor and wait until the API takes requests. Raises DidNotStart."""
        logs = self.data / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / "supervisor.log").open("ab") as log:
            said_from = log.tell()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._variables},
                start_new_session=True,  # Ctrl-C reaches us, and we stop it
            )
        deadline = time.monotonic() + START_SECONDS
        while (address := read_address(self.data, pid=self._process.pid)) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                words = (logs / "supervisor.log").read_bytes()[said_from:].decode(errors="replace")
                raise DidNotStart(f"The stack did not start:\n{words[-4000:]}")
            time.sleep(_POLL_SECONDS)
        self._address = address
        return self

    @property
    def url(self) -> str:
        """The API's URL."""
        return self._running().url

    @property
    def token(self) -> str:
        """An API key of the default tenant."""
        return self._running().token

    @property
    def environment(self) -> dict[str, str]:
        """The settings' variables, as the service's processes have them."""
        return {name: str(value) for name, value in recall(self.data / "run" / "environment.json").items()}

    def _running(self) -> Address:
        if self._address is None:
            raise DidNotStart("The stack is not running.")
        return self._address

    def pids(self) -> dict[str, int]:
        """Return who runs now: name → pid, the supervisor among them."""
        running = {
            name: identity.pid
            for name, (identity, _) in recorded(self.data).items()
            if identify(identity.pid) == identity
        }
        if self._process is not None and self._process.poll() is None:
            running["supervisor"] = self._process.pid
        return running

    def kill(self, name: str) -> int:
        """SIGKILL one process, or the supervisor, and return its pid. Raises KeyError if it does not run."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        if name == "supervisor" and self._process is not None:
            self._process.wait()
        return pid

    def stop(self) -> int | None:
        """Stop it as Ctrl-C would; return its exit code, None if it did not run."""
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process = self._address = None
        if code:  # it was killed, by us or by a test: its parts still run
            with sole_owner(self.data):
                stop_leftovers(self.data)
        return code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
