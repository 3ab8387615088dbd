"""Every way a write can go wrong between us and the store, on a real store behind a proxy that spoils it."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import pytest

from archive_service.adapters import s3
from archive_service.adapters.s3 import S3Store
from archive_service.model import StoredVersion
from archive_service.ports import ObjectConflict, StoreRefused, StoreUnavailable
from tests.integration.store.conftest import Connect
from tests.integration.store.faulty_proxy import FaultyProxy, Spoil

PATH = "a/record.json"
WRITTEN = (Spoil.LOSE, Spoil.INTERNAL)
NOT_WRITTEN = (Spoil.REFUSE, Spoil.BUSY)


def _put(store: S3Store, bucket: str, body: bytes = b"bytes") -> StoredVersion:
    until = datetime.now(UTC) + timedelta(minutes=5)
    return store.put_once(bucket=bucket, path=PATH, body=body, retain_until=until)


@pytest.fixture
def store(proxy: FaultyProxy, client_of: Connect) -> S3Store:
    """Return a store behind the proxy. Signatures name the proxy as host: it passes them on unchanged."""
    return S3Store(client_of(proxy.url))


@pytest.fixture
def direct(client_of: Connect) -> S3Store:
    """Return the same store, without the proxy."""
    return S3Store(client_of())


def _versions(direct: S3Store, bucket: str) -> list[str]:
    return [version_id for _, version_id, _, _ in direct.versions(bucket=bucket, prefix="")]


@pytest.mark.parametrize("spoil", [*WRITTEN, *NOT_WRITTEN])
def test_one_spoilt_put_is_settled_by_the_second_try(
    store: S3Store, direct: S3Store, proxy: FaultyProxy, bucket: str, spoil: Spoil
) -> None:
    """Failed, or failed but persisted: the second try ends with one version, locked, and its bytes."""
    proxy.spoil("PUT", spoil)
    stored = _put(store, bucket)
    assert _versions(direct, bucket) == [stored.version_id]
    assert direct.get(bucket=bucket, path=PATH, version_id=stored.version_id) == b"bytes"
    found = direct.stat(bucket=bucket, path=PATH, version_id=stored.version_id)
    assert found.retain_until == stored.retain_until is not None


@pytest.mark.parametrize("first", [*WRITTEN, *NOT_WRITTEN])
@pytest.mark.parametrize("second", [*WRITTEN, *NOT_WRITTEN])
def test_two_spoilt_puts_are_unavailable_and_a_later_call_ends_it(
    store: S3Store, direct: S3Store, proxy: FaultyProxy, bucket: str, first: Spoil, second: Spoil
) -> None:
    """When nothing is known, StoreUnavailable says so; called again, there is one version at the end."""
    proxy.spoil("PUT", first, second)
    with pytest.raises(StoreUnavailable):
        _put(store, bucket)
    left = _versions(direct, bucket)
    assert len(left) == (1 if {first, second} & set(WRITTEN) else 0)
    ended = _put(store, bucket)
    assert left in ([], [ended.version_id])
    assert _versions(direct, bucket) == [ended.version_id]


def test_a_put_whose_answer_was_lost_never_hides_other_bytes(
    store: S3Store, direct: S3Store, proxy: FaultyProxy, bucket: str
) -> None:
    """The second try compares: bytes that another process put meanwhile are a conflict."""
    _put(direct, bucket, b"others")
    proxy.spoil("PUT", Spoil.LOSE)
    with pytest.raises(ObjectConflict):
        _put(store, bucket)


@pytest.mark.parametrize("spoil", [Spoil.REFUSE, Spoil.BUSY, Spoil.LOSE, Spoil.INTERNAL])
def test_a_lost_read_back_is_unavailable_and_a_later_call_ends_it(
    store: S3Store, proxy: FaultyProxy, bucket: str, spoil: Spoil
) -> None:
    """Stored but not compared is not stored yet for the caller; the next call compares."""
    proxy.spoil("GET", spoil)
    with pytest.raises(StoreUnavailable):
        _put(store, bucket)
    assert _put(store, bucket).retain_until is not None


@pytest.mark.parametrize("again", [False, True], ids=["after the put", "after a 412"])
def test_bytes_that_read_back_changed_are_refused(
    store: S3Store, direct: S3Store, proxy: FaultyProxy, bucket: str, again: bool
) -> None:
    """A store that gives back other bytes than it was sent is noticed before anything is acknowledged."""
    if again:
        _put(direct, bucket)
    proxy.spoil("GET", Spoil.FLIP)
    with pytest.raises(ObjectConflict):
        _put(store, bucket)


def test_a_store_that_does_not_answer_is_given_up_in_time(
    proxy: FaultyProxy, client_of: Connect, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call waits for ever: each try has its deadline, shortened here."""
    monkeypatch.setattr(s3, "READ_SECONDS", 0.3)
    store = S3Store(client_of(proxy.url))
    proxy.spoil("PUT", Spoil.HANG, Spoil.HANG)
    before = datetime.now(UTC)
    with pytest.raises(StoreUnavailable):
        _put(store, bucket)
    assert datetime.now(UTC) - before < timedelta(seconds=5)


def test_no_try_is_hidden(store: S3Store, proxy: FaultyProxy, bucket: str) -> None:
    """The client below repeats nothing by itself: a put is one PUT and one GET; two tries are two PUTs."""
    _put(store, bucket)
    assert proxy.seen == ["PUT", "GET"]
    proxy.seen.clear()
    proxy.spoil("GET", Spoil.BUSY)
    with pytest.raises(StoreUnavailable):
        store.get(bucket=bucket, path=PATH)
    assert proxy.seen == ["GET"]


def test_a_store_that_is_not_there_is_unavailable(client_of: Connect) -> None:
    """A closed port is StoreUnavailable for every call, never an error of the client library."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        store = S3Store(client_of(f"http://127.0.0.1:{taken.getsockname()[1]}"))
        calls = (
            lambda: _put(store, "bucket"),
            lambda: store.get(bucket="bucket", path=PATH),
            lambda: store.stat(bucket="bucket", path=PATH, version_id="1"),
            lambda: store.put(bucket="bucket", path=PATH, body=b""),
            lambda: store.delete(bucket="bucket", path=PATH),
            lambda: list(store.versions(bucket="bucket", prefix="")),
            lambda: store.ensure_buckets(locked=("bucket",), plain=()),
            lambda: store.extend_lock(
                bucket="bucket", path=PATH, version_id="1", retain_until=datetime.now(UTC)
            ),
        )
        for call in calls:
            with pytest.raises(StoreUnavailable):
                call()


def test_what_no_retry_mends_is_refused(direct: S3Store, client_of: Connect, bucket: str) -> None:
    """A lock in the past, a missing bucket, missing rights: StoreRefused with S3's own code."""
    past = datetime.now(UTC) - timedelta(minutes=1)
    with pytest.raises(StoreRefused, match="InvalidRequest"):
        direct.put_once(bucket=bucket, path=PATH, body=b"", retain_until=past)
    with pytest.raises(StoreRefused, match="NoSuchBucket"):
        _put(direct, "no-such-bucket")
    with pytest.raises(StoreRefused, match="AccessDenied"):
        S3Store(client_of(keys=False)).get(bucket=bucket, path=PATH)
