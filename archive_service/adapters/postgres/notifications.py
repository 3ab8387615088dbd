"""One connection that listens, so that waiting costs no polling and holds no pooled connection."""

from __future__ import annotations

import contextlib
import threading
import time
from uuid import UUID

import psycopg

from archive_service.adapters.postgres.ledger import PostgresLedger
from archive_service.adapters.postgres.lines import Channel
from archive_service.model import Cause, DepositState
from archive_service.pipeline.ledger import Deposit, Inclusion
from archive_service.pipeline.parts import TryAgain

# A notification is lost while the connection is down: every wait looks again at least this often.
LOOK_AGAIN_SECONDS = 1.0
_RECONNECT_SECONDS = 0.5


class Notifications(threading.Thread):
    """Listens to the channels and wakes whoever waits. Losing the connection delays, and loses nothing."""

    def __init__(self, url: str, *channels: Channel) -> None:
        super().__init__(name="notifications", daemon=True)
        self._url, self._channels = url, channels
        self._changed = threading.Condition()
        self._count = 0
        self._stopped = threading.Event()

    def run(self) -> None:
        """Listen until stopped, reconnecting when the database comes back."""
        while not self._stopped.is_set():
            with contextlib.suppress(psycopg.Error):
                self._listen()
            self._stopped.wait(_RECONNECT_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
            for channel in self._channels:
                connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
            while not self._stopped.is_set():
                for _ in connection.notifies(timeout=LOOK_AGAIN_SECONDS, stop_after=1):
                    self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def seen(self) -> int:
        """Return how many notifications came so far, for ``wait_beyond``."""
        return self._count

    def wait_beyond(self, count: int, timeout: float) -> None:
        """Wait until more than ``count`` came, or ``timeout`` seconds passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > count, timeout)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._wake()
        self.join(timeout=2 * LOOK_AGAIN_SECONDS)


class NotifiedEntries:
    """Implements ``pipeline.parts.EntryWaiter``."""

    def __init__(self, ledger: PostgresLedger, notifications: Notifications, timeout: float = 30.0) -> None:
        self._ledger, self._notifications, self._timeout = ledger, notifications, timeout

    def wait(self, tenant: UUID, entry_id: UUID) -> Inclusion:
        """Return the entry once it is published."""
        deadline = time.monotonic() + self._timeout
        while True:
            seen = self._notifications.seen()
            entry = self._ledger.entry(tenant, entry_id)
            if entry is not None:
                return entry
            if time.monotonic() > deadline:
                raise TryAgain(Cause.UNAVAILABLE, "the sequencer has not published the entry yet")
            self._notifications.wait_beyond(seen, LOOK_AGAIN_SECONDS)


class NotifiedDeposits:
    """Implements ``pipeline.parts.DepositWaiter``."""

    def __init__(self, ledger: PostgresLedger, notifications: Notifications) -> None:
        self._ledger, self._notifications = ledger, notifications

    def wait(self, deposit: Deposit, seconds: float) -> Deposit:
        """Return the deposit as it stands when it has ended or the time is over."""
        deadline = time.monotonic() + seconds
        while deposit.state is DepositState.RECEIVED and (left := deadline - time.monotonic()) > 0:
            seen = self._notifications.seen()
            deposit = self._ledger.deposit(deposit.tenant_id, deposit.deposit_id)
            if deposit.state is DepositState.RECEIVED:
                self._notifications.wait_beyond(seen, min(left, LOOK_AGAIN_SECONDS))
        return deposit
