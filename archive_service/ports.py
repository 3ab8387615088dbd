"""What the archive needs from outside, as small promises. Adapters earn them; ``main`` joins the two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from archive_service.model import ArchiveError, Outcome, PdfaVerdict, StoredVersion


class ObjectConflict(ArchiveError):
    """Other bytes already stand at that path."""


class ObjectMissing(ArchiveError):
    """No such version of that object."""


class StoreUnavailable(ArchiveError):
    """The object store did not answer, or answered that it cannot; the write may or may not have happened."""


class StoreRefused(ArchiveError):
    """The store answers that it will not (rights, a lock in the past, no such bucket). No retry helps."""

    def __init__(self, code: str, message: str | None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code  # S3's own


class ObjectStore(Protocol):
    """Objects in buckets, each version under its own identifier.

    S3 promises less than this: a second put on a locked key succeeds there. The adapter sends
    ``If-None-Match: *`` and compares what it finds.
    """

    def put_once(
        self, *, bucket: str, path: str, body: bytes, retain_until: datetime | None
    ) -> StoredVersion:
        """Store and lock (COMPLIANCE) until ``retain_until``; None: without a lock.

        Durable on return. Same bytes already there: no-op, and the version found is returned
        (its lock is extended when it ends before ``retain_until``).
        Raises ObjectConflict for other bytes, StoreUnavailable when nothing is known.
        """

    def put(self, *, bucket: str, path: str, body: bytes) -> None:
        """Write or overwrite, without a lock (keys, current checkpoint, partial tiles). Durable on return."""

    def get(self, *, bucket: str, path: str, version_id: str | None = None) -> bytes:
        """Return the bytes of that version, or of the current one. Raises ObjectMissing, StoreUnavailable."""

    def stat(self, *, bucket: str, path: str, version_id: str) -> StoredVersion:
        """Return version, size and lock as the store states them; ``sha256`` is empty: nothing was read."""

    def extend_lock(self, *, bucket: str, path: str, version_id: str, retain_until: datetime) -> None:
        """Move a version's lock to ``retain_until`` unless it ends later already. It never moves earlier."""

    def delete(self, *, bucket: str, path: str) -> None:
        """Remove an object from a bucket without lock or versions; absent is fine."""

    def versions(self, *, bucket: str, prefix: str) -> Iterator[tuple[str, str, bool, bool]]:
        """List every version below a prefix: (path, version id, is the latest, is a delete marker)."""


class PdfaValidator(Protocol):
    """PDF/A verdicts, all veraPDF's own."""

    def validate(self, path: Path) -> PdfaVerdict:
        """Validate a file against the flavour it claims. Never raises for what a document does."""

    def close(self) -> None:
        """Stop every process that was started."""


class SchematronValidator(Protocol):
    """Schematron rule sets run over an invoice."""

    def check(self, xml: bytes, rule_set: str) -> Outcome:
        """Run one rule set (``en16931``, ``fr-ctc``…) over well-formed XML. Never raises for its content."""

    def close(self) -> None:
        """Stop every process that was started."""


class MasterKey(Protocol):
    """The key that wraps tenant keys: a KMS, an HSM, or a file in the embedded stack."""

    def wrap(self, secret: bytes, *, context: bytes) -> bytes:
        """Encrypt a secret under the master key, bound to ``context``."""

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """Return the secret. Raises WrongKey when key, context or bytes do not fit."""


class Upload(Protocol):
    """An unfinished file. Only ``commit`` makes it exist under its name."""

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises StagingFull."""

    def commit(self) -> Path:
        """Make it durable under its name, and return where it is. Raises StagingFull."""


class Staging(Protocol):
    """Bytes on their way in, durable before they are acknowledged, gone when the deposit has ended."""

    def write(self, name: str, body: bytes) -> Path:
        """Durable on return (written, synced, renamed, folder synced). Raises StagingFull."""

    def path(self, name: str) -> Path:
        """Where a staged file is."""

    def discard(self, name: str) -> None:
        """Remove it; absent is fine."""

    def open_upload(self, name: str) -> AbstractContextManager[Upload]:
        """Open an upload; leaving without ``commit`` leaves nothing behind. Raises StagingFull."""

    def check_room(self, more: int) -> None:
        """Raise StagingFull where ``more`` bytes would not fit."""


class StagingFull(ArchiveError):
    """There is no room left to receive documents."""
