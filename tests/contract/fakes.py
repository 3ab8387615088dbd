"""An object store in memory for fault tests. It passes the same contract suite as the real adapter."""

from __future__ import annotations

import enum
import hashlib
import itertools
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from archive_service.model import StoredVersion
from archive_service.ports import ObjectConflict, ObjectMissing, StoreUnavailable


class Fault(enum.Enum):
    """How a write can go wrong, seen from the caller: both look the same."""

    FAILED = "nothing was written"
    FAILED_BUT_PERSISTED = "it was written, and the answer was lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    stored: StoredVersion
    body: bytes


class MemoryStore:
    """Implements ``ports.ObjectStore``: write-once, versions, locks that only move later.

    ``faults`` are consumed by the next writes, one each; None lets a write through.
    """

    def __init__(self, *, locked: tuple[str, ...], plain: tuple[str, ...]) -> None:
        self.faults: deque[Fault | None] = deque()
        self._locked = locked
        self._objects: dict[tuple[str, str], list[_Version]] = {}
        self._buckets = {*locked, *plain}
        self._count = itertools.count(1)
        self._mutex = threading.Lock()

    def put_once(
        self, *, bucket: str, path: str, body: bytes, retain_until: datetime | None
    ) -> StoredVersion:
        """See the port."""
        until = None if retain_until is None else _whole_second(retain_until)
        with self._mutex, self._faulty():
            held = self._held(bucket, path)
            if held:
                if held[-1].body != body:
                    raise ObjectConflict(f"{bucket}/{path}")
                if until is not None:
                    self._extend(bucket, path, held[-1].stored.version_id, until)
            else:
                held.append(self._version(bucket, path, body, until))
            return held[-1].stored

    def put(self, *, bucket: str, path: str, body: bytes) -> None:
        """See the port."""
        with self._mutex, self._faulty():
            held = self._held(bucket, path)
            if bucket not in self._locked:
                held.clear()
            held.append(self._version(bucket, path, body, None))

    def get(self, *, bucket: str, path: str, version_id: str | None = None) -> bytes:
        """See the port."""
        with self._mutex:
            return self._find(bucket, path, version_id).body

    def stat(self, *, bucket: str, path: str, version_id: str) -> StoredVersion:
        """See the port."""
        with self._mutex:
            return replace(self._find(bucket, path, version_id).stored, sha256=b"")

    def extend_lock(self, *, bucket: str, path: str, version_id: str, retain_until: datetime) -> None:
        """See the port."""
        with self._mutex, self._faulty():
            self._extend(bucket, path, version_id, _whole_second(retain_until))

    def delete(self, *, bucket: str, path: str) -> None:
        """See the port."""
        if bucket in self._locked:
            raise AssertionError("the port deletes in buckets without lock only")
        with self._mutex, self._faulty():
            self._objects.pop((bucket, path), None)

    def versions(self, *, bucket: str, prefix: str) -> Iterator[tuple[str, str, bool, bool]]:
        """See the port."""
        with self._mutex:
            found = [
                (path, version.stored.version_id, version is held[-1], False)
                for (where, path), held in sorted(self._objects.items())
                if where == bucket and path.startswith(prefix)
                for version in reversed(held)
            ]
        yield from found

    def _faulty(self) -> _NextFault:
        return _NextFault(self)

    def _held(self, bucket: str, path: str) -> list[_Version]:
        if bucket not in self._buckets:
            raise AssertionError(f"no such bucket: {bucket}")
        return self._objects.setdefault((bucket, path), [])

    def _version(self, bucket: str, path: str, body: bytes, until: datetime | None) -> _Version:
        stored = StoredVersion(
            bucket=bucket,
            path=path,
            version_id=f"{next(self._count):08d}" if bucket in self._locked else "",
            sha256=hashlib.sha256(body).digest(),
            size=len(body),
            retain_until=until,
        )
        return _Version(stored=stored, body=bytes(body))

    def _find(self, bucket: str, path: str, version_id: str | None) -> _Version:
        for version in reversed(self._objects.get((bucket, path), [])):
            if not version_id or version.stored.version_id == version_id:
                return version
        raise ObjectMissing(f"{bucket}/{path}")

    def _extend(self, bucket: str, path: str, version_id: str, until: datetime) -> None:
        version = self._find(bucket, path, version_id)
        found = version.stored.retain_until
        if found is None or found < until:
            held = self._objects[bucket, path]
            held[held.index(version)] = replace(version, stored=replace(version.stored, retain_until=until))


class _NextFault:
    """Takes the next fault: before the write, or after it instead of its answer."""

    def __init__(self, store: MemoryStore) -> None:
        self._fault = store.faults.popleft() if store.faults else None

    def __enter__(self) -> None:
        if self._fault is Fault.FAILED:
            raise StoreUnavailable("as the test asked: nothing was written")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._fault is Fault.FAILED_BUT_PERSISTED:
            raise StoreUnavailable("as the test asked: it was written")


def _whole_second(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a lock's end has a time zone")
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)
