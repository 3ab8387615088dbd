"""Time evidence for checkpoints: a token over a small file that names the checkpoint and the token before it.

Each statement holds the hash of the previous token, so that leaving one out shows (NF Z42-013: chained, at
least every 24 hours). A crash between token and row costs one token; the chain goes on from the last row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from archive_service.pipeline.crash_points import CrashPoint, reached
from archive_service.pipeline.log_tiles import log_path
from archive_service.pipeline.parts import Buckets
from archive_service.pipeline.sequencer import LogHead
from archive_service.ports import ObjectStore
from audit.statements import statement
from signing.timestamps import Timestamper


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A checkpoint with its statement and token. ``size`` is the tree's."""

    tenant_id: UUID
    log_id: UUID
    size: int
    checkpoint: bytes
    statement: bytes
    token: bytes
    tsa: str
    token_time: datetime


class StampTable(Protocol):
    """The rows of the stamps. Every method is one transaction."""

    def due(self, before: datetime) -> tuple[LogHead, ...]:
        """Return the logs that grew since their last stamp, where that was got before ``before``."""

    def last(self, tenant: UUID, log_id: UUID) -> Stamp | None:
        """Return the log's last stamp."""

    def keep(self, stamp: Stamp) -> None:
        """Keep it; the first of a size stays."""

    def unpublished(self) -> tuple[tuple[Stamp, datetime], ...]:
        """Return stamps whose files are not locked yet, and until when they must be."""

    def mark_published(self, stamp: Stamp) -> None:
        """Note that its files are locked."""


class Stamper:
    """Stamps the logs that grew."""

    def __init__(
        self,
        *,
        table: StampTable,
        store: ObjectStore,
        buckets: Buckets,
        timestamper: Timestamper,
        clock: Callable[[], datetime],
        interval: timedelta,
    ) -> None:
        self._table, self._store, self._buckets = table, store, buckets
        self._timestamper, self._clock, self._interval = timestamper, clock, interval

    def run_once(self) -> int:
        """Stamp what is due and lock what was kept; return how many. Raises NoTimestamp, StoreUnavailable."""
        for head in self._table.due(self._clock() - self._interval):
            self._table.keep(self._stamp(head))
            reached(CrashPoint.STAMP_KEPT)
        waiting = self._table.unpublished()
        for stamp, lock_until in waiting:
            self._publish(stamp, lock_until)
        return len(waiting)

    def _stamp(self, head: LogHead) -> Stamp:
        checkpoint = head.checkpoint or b""
        last = self._table.last(head.tenant_id, head.log_id)
        previous = hashlib.sha256(last.token).digest() if last else None
        text = statement(checkpoint=checkpoint, previous_token_sha256=previous)
        token = self._timestamper.stamp(hashlib.sha256(text).digest())
        reached(CrashPoint.STAMP_TOKEN_GOT)
        return Stamp(
            tenant_id=head.tenant_id,
            log_id=head.log_id,
            size=head.size,
            checkpoint=checkpoint,
            statement=text,
            token=token.der,
            tsa=token.tsa,
            token_time=token.time,
        )

    def _publish(self, stamp: Stamp, lock_until: datetime) -> None:
        for name, body in ((f"{stamp.size}.txt", stamp.statement), (f"{stamp.size}.tst", stamp.token)):
            self._store.put_once(
                bucket=self._buckets.records,
                path=log_path(stamp.log_id, f"stamps/{name}"),
                body=body,
                retain_until=lock_until,
            )
        self._table.mark_published(stamp)
        reached(CrashPoint.STAMP_PUBLISHED)
