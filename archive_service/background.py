"""The loops of the processes that nobody calls: workers and sequencer.

They end on SIGTERM, and go on after every failure of a part outside.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import procrastinate
import sqlalchemy as sa
from procrastinate.exceptions import ConnectorException

from archive_service.adapters.postgres.jobs import INGEST_QUEUE, INGEST_TASK, RetryUntilDone
from archive_service.adapters.postgres.notifications import Notifications
from archive_service.adapters.staging import FolderStaging
from archive_service.pipeline.ingest import ingest
from archive_service.pipeline.parts import Parts
from archive_service.pipeline.sequencer import HeadMoved, Sequencer
from archive_service.pipeline.stamps import Stamper
from archive_service.ports import StoreRefused, StoreUnavailable
from signing.timestamps import NoTimestamp

_log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0  # how soon another worker sees that one died; a busy machine may miss a few
STALLED_SECONDS = 8.0
SWEEP_AGE = timedelta(days=2)  # staged files that no open deposit names are removed after this
GATHER_SECONDS = 0.03  # entries that come within this time share a checkpoint, its fsyncs and its signature
IDLE_SECONDS = 1.0
RETRY_SECONDS = 1.0
STAMP_LOOK_SECONDS = 1.0
PROBE_EVERY_SECONDS = 24 * 3600.0

_OUTSIDE = (sa.exc.DBAPIError, StoreUnavailable, StoreRefused, HeadMoved, NoTimestamp)


def _ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


# --- Workers ------------------------------------------------------------------------------------


def work(
    queue: procrastinate.App,
    parts: Parts,
    *,
    concurrency: int,
    staging: FolderStaging,
    clock: Callable[[], datetime],
) -> None:
    """Run jobs until SIGTERM or SIGINT; jobs of workers that died are taken up again."""

    @queue.task(name=INGEST_TASK, queue=INGEST_QUEUE, retry=RetryUntilDone())
    def run(*, tenant: str, deposit_id: str) -> None:
        try:
            ingest(parts, UUID(tenant), UUID(deposit_id))
        except Exception as error:
            # The queue tries again for ever and says so to nobody: the operator must see why.
            _log.warning("deposit %s is tried again: %s", deposit_id, _first_line(error))
            raise

    try:
        asyncio.run(_work(queue, concurrency, staging, clock))
    finally:
        parts.pdfa.close()
        parts.schematron.close()
        parts.pdf_reader.close()


def _first_line(error: Exception) -> str:
    """Return what went wrong without what follows: statements and parameters hold personal data."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


async def _work(
    queue: procrastinate.App, concurrency: int, staging: FolderStaging, clock: Callable[[], datetime]
) -> None:
    async with queue.open_async():
        adopting = asyncio.create_task(_adopt_stalled(queue))
        staging.sweep(older_than=(clock() - SWEEP_AGE).timestamp())
        _ready()
        try:
            await queue.run_worker_async(
                queues=[INGEST_QUEUE],
                concurrency=concurrency,
                delete_jobs="successful",
                fetch_job_polling_interval=1.0,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                shutdown_graceful_timeout=10.0,
            )
        finally:
            adopting.cancel()


async def _adopt_stalled(queue: procrastinate.App) -> None:
    """Queue again the jobs of workers whose heart stopped: every step can be repeated."""
    while True:
        try:
            stalled = await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS)
            for job in stalled:
                await queue.job_manager.retry_job(job)
        except ConnectorException as error:
            _log.warning("the queue does not answer: %s", error)
        await asyncio.sleep(HEARTBEAT_SECONDS)


# --- Sequencer ----------------------------------------------------------------------------------


class _Every:
    """Says when something is due again."""

    def __init__(self, seconds: float, *, first: float = 0.0) -> None:
        self._seconds, self._next = seconds, time.monotonic() + first

    def due(self) -> bool:
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self._seconds
        return True


def sequence(
    sequencer: Sequencer, stamper: Stamper, *, notifications: Notifications, probe: Callable[[], None]
) -> None:
    """Integrate whenever something waits, stamp on the interval, probe daily; until SIGTERM or SIGINT.

    Raises StoreNotWorm. Nothing is acknowledged without this process, so that nothing is archived on a
    store whose lock does not hold.
    """
    probe()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    stamping = threading.Thread(target=_stamp, args=(stamper, stopped), name="stamps")
    stamping.start()
    probing = _Every(PROBE_EVERY_SECONDS, first=PROBE_EVERY_SECONDS)
    _ready()
    while not stopped.is_set():
        seen = notifications.seen()
        try:
            if probing.due():
                probe()
            published = sequencer.run_once()
        except _OUTSIDE as error:
            _log.warning("entries wait: %s", error)
            stopped.wait(RETRY_SECONDS)
            continue
        if published:
            stopped.wait(GATHER_SECONDS)
        else:
            notifications.wait_beyond(seen, IDLE_SECONDS)
    stamping.join()
    notifications.stop()


def _stamp(stamper: Stamper, stopped: threading.Event) -> None:
    while not stopped.wait(STAMP_LOOK_SECONDS):
        try:
            stamper.run_once()
        except _OUTSIDE as error:
            _log.warning("checkpoints wait for their time: %s", error)
