"""Try to break the store's lock, and refuse a store that lets it happen (design: proved, not assumed).

Versions are attacked in the records bucket itself. What would strike a whole bucket is tried on a sibling
made for it: on a store that fails, an attempt on the records' own would destroy them. A crash here leaves a
probe object whose lock ends in minutes; the next probe removes it.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product

import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE, GOVERNANCE
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from minio.retention import Retention
from minio.versioningconfig import SUSPENDED, VersioningConfig

from archive_service.adapters.s3 import S3Store
from archive_service.model import ArchiveError
from archive_service.ports import ObjectConflict, ObjectMissing, StoreUnavailable

PREFIX = "probes/"
LOCK = timedelta(minutes=2)  # longer than any probe takes; short, so that daily probes do not pile up
_SHORTER = timedelta(seconds=60)
_BODY = b"archive store probe: if you read this after its lock ended, it may be deleted\n"
_DOOR_SECONDS = 3.0
_NOT_IMPLEMENTED = 501
_METHODS = ("GET", "PUT", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The locked version that every attempt is aimed at."""

    bucket: str
    path: str
    version_id: str


# Tries to get at the target by a way other than S3. None: refused. Text: what it was let do.
Door = Callable[[Target], str | None]
Attack = Callable[[], str]  # returning says what was let happen; being refused is an exception


class _Refused(Exception):
    """What should be refused was; the message is the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One thing tried, and what came of it."""

    name: str
    refused: bool
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """All that was tried. Fit for the journal: it says nothing secret."""

    at: datetime
    target: Target
    attempts: tuple[Attempt, ...]

    @property
    def open_doors(self) -> tuple[str, ...]:
        """Names of the attempts that were not refused."""
        return tuple(attempt.name for attempt in self.attempts if not attempt.refused)


class StoreNotWorm(ArchiveError):
    """The store let a locked object be changed, or may: nothing can be archived on it."""

    def __init__(self, report: ProbeReport) -> None:
        found = (f"{item.name} ({item.answer})" for item in report.attempts if not item.refused)
        super().__init__(", ".join(found))
        self.report = report


def probe(
    client: Minio,
    *,
    anonymous: Minio,
    bucket: str,
    now: datetime,
    sibling: str | None = None,
    doors: tuple[tuple[str, Door], ...] = (),
) -> ProbeReport:
    """Lock a probe object in ``bucket``, try everything on it, and check that it is unchanged.

    ``anonymous`` is a client of the same store without keys. ``sibling`` is the bucket for attempts on a
    bucket, by default ``<bucket>-probe``; it is made where it is missing.
    Raises StoreNotWorm with the report; StoreUnavailable when an attempt could not be made, which proves
    nothing either way.
    """
    store = S3Store(client)
    sibling = sibling or f"{bucket}-probe"
    store.ensure_buckets(locked=(sibling,), plain=())
    for name in (bucket, sibling):
        _sweep(client, store, name)
    until = now.astimezone(UTC) + LOCK
    target = _lock_probe(store, bucket, until)
    _lock_probe(store, sibling, until)  # so that the sibling is not empty, as the records bucket is not
    attacks: tuple[tuple[str, Attack], ...] = (
        *_version_attacks(client, store, target, until),
        *_anonymous_attacks(anonymous, target),
        *_bucket_attacks(client, sibling),
        *((f"door:{name}", partial(_knock, door, target)) for name, door in doors),
        ("unchanged", partial(_check_unchanged, store, target, until)),
    )
    report = ProbeReport(
        at=now, target=target, attempts=tuple(_try(name, attack) for name, attack in attacks)
    )
    if report.open_doors:
        raise StoreNotWorm(report)
    return report


def http_door(url: str) -> Door:
    """Return a door that asks an HTTP address (``http://host:port``) for the target, without credentials.

    The paths are those of SeaweedFS's filer; any other server must not know them either.
    """

    def knock(target: Target) -> str | None:
        path = f"/buckets/{target.bucket}/{target.path}"
        let_in = []
        with urllib3.PoolManager(timeout=_DOOR_SECONDS, retries=False) as pool:
            for method, asked in product(_METHODS, (path, f"{path}.versions/v_{target.version_id}")):
                try:
                    status = pool.request(method, url + asked).status
                except urllib3.exceptions.HTTPError:
                    continue  # closed, or it speaks something else: nothing was let happen
                if status < 400:
                    let_in.append(f"{method} {asked}: {status}")
        return ", ".join(let_in) or None

    return knock


def _lock_probe(store: S3Store, bucket: str, until: datetime) -> Target:
    path = f"{PREFIX}{until:%Y-%m-%dT%H%M%S}-{secrets.token_hex(8)}"
    version = store.put_once(bucket=bucket, path=path, body=_BODY, retain_until=until)
    return Target(bucket=bucket, path=path, version_id=version.version_id)


def _version_attacks(
    client: Minio, store: S3Store, target: Target, until: datetime
) -> Iterator[tuple[str, Attack]]:
    place = (target.bucket, target.path)

    def delete() -> str:
        client.remove_object(*place, version_id=target.version_id)
        return "deleted"

    def delete_with_bypass() -> str:
        asked = [DeleteObject(target.path, target.version_id)]
        for error in client.remove_objects(target.bucket, asked, bypass_governance_mode=True):
            raise _Refused(error.code)
        return "deleted"

    def set_retention(mode: str, end: datetime) -> str:
        client.set_object_retention(*place, Retention(mode, end), version_id=target.version_id)
        return f"{mode} until {end.isoformat()}"

    def put_again() -> str:
        other = store.put_once(bucket=target.bucket, path=target.path, body=b"other bytes", retain_until=None)
        return f"a second version: {other.version_id}"

    yield "delete-version", delete
    yield "delete-version-with-bypass", delete_with_bypass
    yield "shorten-lock", partial(set_retention, COMPLIANCE, until - _SHORTER)
    yield "downgrade-lock", partial(set_retention, GOVERNANCE, until)
    yield "put-again-if-none-match", put_again


def _anonymous_attacks(anonymous: Minio, target: Target) -> Iterator[tuple[str, Attack]]:
    place = (target.bucket, target.path)

    def read() -> str:
        response = anonymous.get_object(*place, version_id=target.version_id)
        response.close()
        response.release_conn()
        return "read"

    def write() -> str:
        anonymous.put_object(*place, io.BytesIO(b"other bytes"), length=11)
        return "written"

    def delete() -> str:
        anonymous.remove_object(*place, version_id=target.version_id)
        return "deleted"

    def enumerate_objects() -> str:
        return f"listed {len(list(anonymous.list_objects(target.bucket, prefix=PREFIX)))}"

    yield "anonymous-read", read
    yield "anonymous-write", write
    yield "anonymous-delete", delete
    yield "anonymous-list", enumerate_objects


def _bucket_attacks(client: Minio, bucket: str) -> Iterator[tuple[str, Attack]]:
    def suspend_versions() -> str:
        client.set_bucket_versioning(bucket, VersioningConfig(SUSPENDED))
        return "suspended"

    def remove_lock_configuration() -> str:
        client.delete_object_lock_config(bucket)  # S3 takes this as "no default lock": the lock itself stays
        try:
            client.get_object_lock_config(bucket)
        except S3Error as answered:
            return f"the lock is gone: {answered.code}"
        raise _Refused("the lock is still on")

    def delete_bucket() -> str:
        client.remove_bucket(bucket)
        return "deleted"

    yield "suspend-versions", suspend_versions
    yield "remove-lock-configuration", remove_lock_configuration
    yield "delete-bucket", delete_bucket


def _knock(door: Door, target: Target) -> str:
    answer = door(target)
    if answer is None:
        raise _Refused("refused")
    return answer


def _check_unchanged(store: S3Store, target: Target, until: datetime) -> str:
    """Refused means: everything above was, in truth and not only in its answers."""
    try:
        body = store.get(bucket=target.bucket, path=target.path, version_id=target.version_id)
        found = store.stat(bucket=target.bucket, path=target.path, version_id=target.version_id)
    except ObjectMissing:
        return "the version is gone"
    if body != _BODY:
        return "the bytes are others"
    if found.retain_until is None or found.retain_until < until:
        return f"locked until {found.retain_until}"
    raise _Refused("unchanged")


def _try(name: str, attack: Attack) -> Attempt:
    try:
        return Attempt(name=name, refused=False, answer=attack())
    except _Refused as refused:
        return Attempt(name=name, refused=True, answer=str(refused))
    except ObjectConflict:
        return Attempt(name=name, refused=True, answer="exists")
    except S3Error as answered:
        if answered.response.status >= 500 and answered.response.status != _NOT_IMPLEMENTED:
            raise StoreUnavailable(f"{name}: {answered.code}") from answered
        return Attempt(name=name, refused=True, answer=str(answered.code))
    except (urllib3.exceptions.HTTPError, MinioException, OSError) as failed:
        raise StoreUnavailable(f"{name}: {type(failed).__name__}") from failed


def _sweep(client: Minio, store: S3Store, bucket: str) -> None:
    """Remove earlier probes; those whose lock still runs are refused, and go next time."""
    for path, version_id, _, _ in tuple(store.versions(bucket=bucket, prefix=PREFIX)):
        _try("sweep", partial(_remove, client, bucket, path, version_id))


def _remove(client: Minio, bucket: str, path: str, version_id: str) -> str:
    client.remove_object(bucket, path, version_id=version_id)
    return "removed"
