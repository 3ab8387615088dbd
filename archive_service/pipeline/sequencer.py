"""Put waiting entries into their log: order → stage → sign → swap → publish. Nobody is told before the last.

The order of the steps is Sunlight's and Tessera's (transparency logs that run in production); what a crash
leaves behind is written at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from archive_service.keys import paths
from archive_service.model import ArchiveError
from archive_service.pipeline.crash_points import CrashPoint, reached
from archive_service.pipeline.log_tiles import LogTiles, log_path, recent
from archive_service.pipeline.parts import Buckets
from archive_service.ports import MasterKey, ObjectStore
from audit.checkpoints import Checkpoint, sign_checkpoint
from audit.notes import NoteSigner
from audit.tiles import ReadObject, Tile, grow, inclusion_proof
from audit.tlog_proof import format_proof

MAX_BATCH = 1000  # entries a checkpoint; bounds memory and the time that the first of them waits


class HeadMoved(ArchiveError):
    """Another sequencer moved this log's head: this one must start over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """A log as of its last checkpoint. ``checkpoint`` is None while it is empty."""

    tenant_id: UUID
    log_id: UUID
    origin: str
    size: int
    checkpoint: bytes | None
    wrapped_signing_key: bytes
    lock_until: datetime  # the latest date of what it proves


class LogTable(Protocol):
    """The rows of the logs. Every method is one transaction."""

    def waiting(self) -> tuple[tuple[UUID, UUID], ...]:
        """Return (tenant, log) of each log with entries that are not published."""

    def head(self, tenant: UUID, log_id: UUID) -> LogHead:
        """Return the log as of its last checkpoint."""

    def order(self, head: LogHead, limit: int) -> tuple[bytes, ...]:
        """Fix for ever the order of up to ``limit`` waiting entries after the head; return their leaves.

        Entries that an earlier call ordered come first, in that order.
        """

    def swap(self, head: LogHead, *, size: int, root: bytes, checkpoint: bytes) -> None:
        """Move the head if it is still where ``head`` says. Raises HeadMoved."""

    def unpublished(self, head: LogHead) -> tuple[int, ...]:
        """Return the indices of entries that the head's checkpoint covers and nobody was told of."""

    def publish(self, head: LogHead, proofs: Sequence[tuple[int, bytes]]) -> None:
        """Keep each entry's proof and tell those who wait."""


class Sequencer:
    """The one integrator of the logs. A second one is harmless: the swap lets one through."""

    def __init__(
        self, *, table: LogTable, store: ObjectStore, buckets: Buckets, master_key: MasterKey
    ) -> None:
        self._table, self._store, self._buckets, self._master_key = table, store, buckets, master_key
        self._signers: dict[UUID, NoteSigner] = {}

    def run_once(self) -> int:
        """Integrate what waits in every log; return how many entries were published."""
        return sum(self.integrate(tenant, log_id) for tenant, log_id in self._table.waiting())

    def integrate(self, tenant: UUID, log_id: UUID) -> int:
        """Integrate one log's waiting entries. Raises HeadMoved, StoreUnavailable; both leave it whole."""
        tiles = LogTiles(self._store, self._buckets, log_id)
        fresh = self._advance(self._table.head(tenant, log_id), tiles)
        return self._publish(self._table.head(tenant, log_id), recent(tiles.read, fresh))

    def _advance(self, head: LogHead, tiles: LogTiles) -> tuple[Tile, ...]:
        """Cover what waits by a new checkpoint; return the tiles that this made."""
        # Crash after ordering: the same entries come first next time, so staged tiles stay prefixes.
        leaves = self._table.order(head, MAX_BATCH)
        reached(CrashPoint.SEQUENCE_ORDERED)
        if not leaves:
            return ()
        growth = grow(size=head.size, entries=leaves, read=tiles.read)
        tiles.stage(growth.tiles, lock_until=head.lock_until)
        # Crash after staging: tiles that no checkpoint covers; the next batch begins with these entries.
        reached(CrashPoint.SEQUENCE_STAGED)
        checkpoint = Checkpoint(origin=head.origin, size=growth.size, root=growth.root)
        note = sign_checkpoint(checkpoint, self._signer(head))
        self._table.swap(head, size=growth.size, root=growth.root, checkpoint=note)
        # Crash after the swap: the entries are in, but unpublished; the next run publishes them.
        reached(CrashPoint.SEQUENCE_SWAPPED)
        return growth.tiles

    def _publish(self, head: LogHead, read: ReadObject) -> int:
        """Show the checkpoint to strangers, then tell those who wait for an entry."""
        if head.checkpoint is None:
            return 0
        path = log_path(head.log_id, "checkpoint")
        self._store.put(bucket=self._buckets.edge, path=path, body=head.checkpoint)
        # Crash here: strangers see the new checkpoint before depositors are told. That harms nobody.
        reached(CrashPoint.SEQUENCE_PUBLISHED)
        proofs = []
        for index in self._table.unpublished(head):
            path_to_root = inclusion_proof(index=index, size=head.size, read=read)
            proofs.append((index, format_proof(index=index, proof=path_to_root, checkpoint=head.checkpoint)))
        self._table.publish(head, proofs)
        return len(proofs)

    def _signer(self, head: LogHead) -> NoteSigner:
        signer = self._signers.get(head.log_id)
        if signer is None:
            seed = self._master_key.unwrap(
                head.wrapped_signing_key, context=paths.log_key_context(head.log_id)
            )
            signer = self._signers[head.log_id] = NoteSigner(name=head.origin, seed=seed)
        return signer
