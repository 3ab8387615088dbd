"""Objects in S3 with Object Lock. Earns what ``ports.ObjectStore`` promises and S3 alone does not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE, ENABLED
from minio.error import MinioException, S3Error
from minio.helpers import ObjectWriteResult
from minio.retention import Retention

from archive_service.model import ArchiveError, StoredVersion
from archive_service.ports import ObjectConflict, ObjectMissing, StoreRefused, StoreUnavailable

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
PUT_ATTEMPTS = 2  # the second one settles whether a write whose answer was lost has happened
_ABSENT = {"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"}  # the last: a delete marker
_BUSY = {"SlowDown", "RequestTimeout"}
_EXISTS = {"PreconditionFailed", "ConditionalRequestConflict"}  # 412, and AWS's 409 while another put runs


class WrongBucket(ArchiveError):
    """A bucket exists, and is not of the kind that the archive needs."""


class _AlreadyThere(Exception):
    """Answered 412: the condition did not hold."""


def connect(
    endpoint: str, *, access_key: str | None, secret_key: str | None, region: str, connections: int = 16
) -> Minio:
    """Return a client. ``endpoint`` is ``http(s)://host[:port]``; ``connections`` is the number of threads.

    No retries below us: a repeated put would meet its own first try, and that must be seen here.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
        raise ValueError("an S3 endpoint is http://host:port or https://host")
    return Minio(
        parts.netloc,
        access_key=access_key,
        secret_key=secret_key,
        secure=parts.scheme == "https",
        region=region,  # given, so that no request is spent on asking
        http_client=urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            maxsize=connections,
            block=True,
            retries=False,
            cert_reqs="CERT_REQUIRED",
        ),
    )


class S3Store:
    """Implements ``ports.ObjectStore``. As many threads may share it as the client has connections."""

    def __init__(self, client: Minio) -> None:
        self._client = client

    def ensure_buckets(self, *, locked: tuple[str, ...], plain: tuple[str, ...]) -> None:
        """Make the buckets that are missing: ``locked`` with versions and Object Lock, ``plain`` without.

        Raises WrongBucket when one exists and is of the other kind: Object Lock may be missing, or a key
        that was deleted may still be there as an older version.
        """
        for bucket in (*locked, *plain):
            self._make_bucket(bucket, lock=bucket in locked)
        for bucket in locked:
            if not (self._has_lock(bucket) and self._versioning(bucket) == ENABLED):
                raise WrongBucket(f"{bucket} has no Object Lock, or no versions")
        for bucket in plain:
            if self._has_lock(bucket) or self._versioning(bucket) == ENABLED:
                raise WrongBucket(f"{bucket} has Object Lock, or versions: nothing in it could be destroyed")

    def _make_bucket(self, bucket: str, *, lock: bool) -> None:
        try:
            with _errors():
                if not self._client.bucket_exists(bucket):
                    self._client.make_bucket(bucket, object_lock=lock)
        except StoreRefused as refused:
            if refused.code != "BucketAlreadyOwnedByYou":  # another process was faster
                raise

    def _versioning(self, bucket: str) -> str | None:
        with _errors():
            return self._client.get_bucket_versioning(bucket).status

    def _has_lock(self, bucket: str) -> bool:
        try:
            with _errors():
                self._client.get_object_lock_config(bucket)
        except StoreRefused as refused:
            if refused.code != "ObjectLockConfigurationNotFoundError":
                raise
            return False
        return True

    def put_once(
        self, *, bucket: str, path: str, body: bytes, retain_until: datetime | None
    ) -> StoredVersion:
        """Store, lock, read back and compare. See the port.

        A crash here leaves the object stored or not; the next call with the same bytes finds it and goes on.
        """
        lost: StoreUnavailable | None = None
        for _ in range(PUT_ATTEMPTS):
            try:
                version_id = self._put_if_absent(bucket, path, body, retain_until)
            except StoreUnavailable as failed:
                lost = failed
                continue
            if version_id is None:
                return self._settle(bucket, path, body, retain_until)
            self._compare(bucket, path, version_id, body)
            until = None if retain_until is None else _whole_second(retain_until)
            return _stored(bucket, path, version_id, body, until)
        raise StoreUnavailable(f"{bucket}/{path}") from lost

    def put(self, *, bucket: str, path: str, body: bytes) -> None:
        """Write or overwrite, without a lock."""
        with _errors():
            self._raw_put(bucket, path, body, {})

    def get(self, *, bucket: str, path: str, version_id: str | None = None) -> bytes:
        """Return the bytes of that version, or of the current one."""
        return self._read(bucket, path, version_id)[0]

    def stat(self, *, bucket: str, path: str, version_id: str) -> StoredVersion:
        """Return what the store states of a version: size and lock."""
        with _errors():
            found = self._client.stat_object(bucket, path, version_id=version_id or None)
        headers = found.metadata or {}
        until = headers.get("x-amz-object-lock-retain-until-date")
        mode = headers.get("x-amz-object-lock-mode")
        return StoredVersion(
            bucket=bucket,
            path=path,
            version_id=version_id,
            sha256=b"",
            size=found.size or 0,
            retain_until=_parse_time(until) if until and mode == COMPLIANCE else None,
        )

    def extend_lock(self, *, bucket: str, path: str, version_id: str, retain_until: datetime) -> None:
        """Move a version's lock later, never earlier. Doing it twice changes nothing."""
        self._extend(bucket, path, version_id, retain_until)

    def delete(self, *, bucket: str, path: str) -> None:
        """Remove an object from a bucket without versions; absent is fine."""
        with _errors():
            self._client.remove_object(bucket, path)

    def versions(self, *, bucket: str, prefix: str) -> Iterator[tuple[str, str, bool, bool]]:
        """List every version below a prefix."""
        with _errors():
            for item in self._client.list_objects(
                bucket, prefix=prefix, recursive=True, include_version=True
            ):
                yield (
                    item.object_name or "",
                    item.version_id or "",
                    item.is_latest == "true",
                    item.is_delete_marker,
                )

    def _put_if_absent(
        self, bucket: str, path: str, body: bytes, retain_until: datetime | None
    ) -> str | None:
        """Return the new version's identifier ("" where there are none), or None: something is there."""
        headers = {"If-None-Match": "*", **_lock_headers(retain_until)}
        try:
            with _errors():
                return self._raw_put(bucket, path, body, headers).version_id or ""
        except _AlreadyThere:
            return None

    def _settle(self, bucket: str, path: str, body: bytes, retain_until: datetime | None) -> StoredVersion:
        """Compare what stands there with what was to be put; extend its lock where it ends too early."""
        try:
            found, version_id = self._read(bucket, path, None)
        except ObjectMissing as gone:  # removed since, or a store that contradicts itself
            raise StoreUnavailable(f"{bucket}/{path}: exists, and cannot be read") from gone
        if hashlib.sha256(found).digest() != hashlib.sha256(body).digest():
            raise ObjectConflict(f"{bucket}/{path}")
        if retain_until is None:
            return _stored(bucket, path, version_id, body, None)
        locked_until = self._extend(bucket, path, version_id, retain_until)
        return _stored(bucket, path, version_id, body, locked_until)

    def _extend(self, bucket: str, path: str, version_id: str, retain_until: datetime) -> datetime:
        """Return when the lock ends now."""
        wanted = _whole_second(retain_until)
        found = self.stat(bucket=bucket, path=path, version_id=version_id).retain_until
        if found is not None and found >= wanted:
            return found
        with _errors():
            self._client.set_object_retention(
                bucket, path, Retention(COMPLIANCE, wanted), version_id=version_id
            )
        return wanted

    def _compare(self, bucket: str, path: str, version_id: str, body: bytes) -> None:
        if self.get(bucket=bucket, path=path, version_id=version_id) != body:
            raise ObjectConflict(f"{bucket}/{path}: the store gave back other bytes than it was sent")

    def _read(self, bucket: str, path: str, version_id: str | None) -> tuple[bytes, str]:
        with _errors():
            response = self._client.get_object(bucket, path, version_id=version_id or None)
            try:
                return response.read(), response.headers.get("x-amz-version-id", "")
            finally:
                response.close()
                response.release_conn()

    def _raw_put(self, bucket: str, path: str, body: bytes, headers: dict[str, str]) -> ObjectWriteResult:
        # minio-py's public put_object cannot send If-None-Match, and without it Object Lock does not stop a
        # second version: this is the one place that reaches below it (signature as of minio 7.2)
        return self._client._put_object(  # noqa: SLF001
            bucket, path, body, headers={"Content-Type": "application/octet-stream", **headers}
        )


@contextmanager
def _errors() -> Iterator[None]:
    """Say every failure in the port's words."""
    try:
        yield
    except S3Error as answered:
        if answered.code in _EXISTS:
            raise _AlreadyThere from answered
        if answered.code in _ABSENT:
            raise ObjectMissing(f"{answered.bucket_name}/{answered.object_name}") from answered
        if answered.response.status >= 500 or answered.code in _BUSY:
            raise StoreUnavailable(str(answered.code)) from answered
        raise StoreRefused(str(answered.code), answered.message) from answered
    except (urllib3.exceptions.HTTPError, MinioException, OSError) as failed:
        raise StoreUnavailable(type(failed).__name__) from failed


def _stored(
    bucket: str, path: str, version_id: str, body: bytes, retain_until: datetime | None
) -> StoredVersion:
    return StoredVersion(
        bucket=bucket,
        path=path,
        version_id=version_id,
        sha256=hashlib.sha256(body).digest(),
        size=len(body),
        retain_until=retain_until,
    )


def _lock_headers(retain_until: datetime | None) -> dict[str, str]:
    if retain_until is None:
        return {}
    return {
        "x-amz-object-lock-mode": COMPLIANCE,
        "x-amz-object-lock-retain-until-date": _whole_second(retain_until).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _whole_second(moment: datetime) -> datetime:
    """Round up, in UTC: S3 keeps whole seconds, and a lock must not end early."""
    if moment.tzinfo is None:
        raise ValueError("a lock's end has a time zone")
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)  # Python 3.11 reads the Z
