"""Kill parts of a running archive, and see what became of every deposit that was begun."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Self

import psutil

from archive_service.adapters.embedded.stack import Stack
from archive_service.cli.client import Archive
from archive_service.invoices.specimens import make_bad, make_invoice

# Who can be killed. The checkers are children of workers: they are found below them.
PARTS = ("api", "worker-1", "worker-2", "sequencer", "postgres", "seaweedfs", "pki")
CHECKERS = {"verapdf": "greenfield-apps", "schematron": "schematron"}


def fresh(folder: Path, *, good: bool = True) -> Path:
    """Write an invoice that nobody has deposited."""
    number = f"K-{uuid.uuid4().hex}"
    issued = date(2026, 9, 30)
    body = make_invoice(number=number, issue_date=issued) if good else make_bad("schematron", number=number)
    path = folder / f"{number}.pdf"
    path.write_bytes(body)
    return path


def pids_of(stack: Stack, name: str) -> list[int]:
    """Return the processes of a part; for a checker, those of all workers."""
    if name not in CHECKERS:
        running = stack.pids()
        return [running[name]] if name in running else []
    workers = [psutil.Process(pid) for part, pid in stack.pids().items() if part.startswith("worker")]
    return [
        child.pid
        for worker in workers
        for child in worker.children(recursive=True)
        if any(CHECKERS[name] in word for word in child.cmdline())
    ]


@dataclass
class Load:
    """Deposits invoices without pause, as careful clients do, and keeps what became of each."""

    archive: Archive
    folder: Path
    clients: int = 3
    stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Begin."""
        self._pool = ThreadPoolExecutor(self.clients)
        self._running: list[Future[list[dict[str, Any]]]] = [
            self._pool.submit(self._client, number) for number in range(self.clients)
        ]
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, whatever happened."""
        self.stopped.set()
        self._pool.shutdown(cancel_futures=True)
        self.archive.close()

    def _client(self, number: int) -> list[dict[str, Any]]:
        outcomes = []
        while not self.stopped.is_set():
            good = random.Random(f"{number} {len(outcomes)}").random() < 0.8  # noqa: S311 - no secret
            path = fresh(self.folder, good=good)
            outcome = self.archive.deposit(path, None)
            outcomes.append({"expected": "archived" if good else "rejected", **outcome})
            path.unlink()
        return outcomes

    def finish(self) -> list[dict[str, Any]]:
        """Let each client end its deposit; return all outcomes. Raises what a client met."""
        self.stopped.set()
        return [outcome for client in self._running for outcome in client.result(timeout=300)]


def fsck(stack: Stack) -> str:
    """Return what fsck says, once the last receipts' entries had time to be published."""
    time.sleep(12)  # fsck leaves the last ten seconds out
    done = subprocess.run(
        [sys.executable, "-m", "archive_service.cli", "fsck", "--json", "--data", str(stack.data)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"


def check_outcomes(outcomes: list[dict[str, Any]]) -> None:
    """Every deposit ended as it had to, and no two became one record."""
    assert [o["state"] for o in outcomes] == [o["expected"] for o in outcomes]
    ids = [o["deposit_id"] for o in outcomes]
    assert len(set(ids)) == len(ids)
