"""What the adapter does beyond the port's contract: buckets, shadows, endpoints."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from archive_service.adapters.s3 import S3Store, WrongBucket, connect
from archive_service.ports import ObjectMissing
from tests.integration.store.conftest import Connect


def test_buckets_of_the_wrong_kind_are_refused(client_of: Connect) -> None:
    """Records must be lockable and keys destroyable: a bucket that exists and is neither is not used."""
    store = S3Store(client_of())
    store.ensure_buckets(locked=("kind-locked",), plain=("kind-plain",))
    store.ensure_buckets(locked=("kind-locked",), plain=("kind-plain",))
    with pytest.raises(WrongBucket, match="kind-plain"):
        store.ensure_buckets(locked=("kind-plain",), plain=())
    with pytest.raises(WrongBucket, match="kind-locked"):
        store.ensure_buckets(locked=(), plain=("kind-locked",))


def test_a_delete_marker_hides_nothing_from_who_has_the_version(client_of: Connect, bucket: str) -> None:
    """Deleting a locked key only puts a marker on it: reads by version go on, and the listing names it."""
    client = client_of()
    store = S3Store(client)
    until = datetime.now(UTC) + timedelta(minutes=5)
    stored = store.put_once(bucket=bucket, path="a", body=b"x", retain_until=until)
    client.remove_object(bucket, "a")
    with pytest.raises(ObjectMissing):
        store.get(bucket=bucket, path="a")
    assert store.get(bucket=bucket, path="a", version_id=stored.version_id) == b"x"
    listed = list(store.versions(bucket=bucket, prefix=""))
    assert ("a", stored.version_id, False, False) in listed
    assert [(latest, marker) for _, version, latest, marker in listed if version != stored.version_id] == [
        (True, True)
    ]


def test_a_shadow_version_is_listed(client_of: Connect, bucket: str) -> None:
    """A put past the archive (without the condition) makes a second version, and fsck can see it."""
    client = client_of()
    store = S3Store(client)
    until = datetime.now(UTC) + timedelta(minutes=5)
    stored = store.put_once(bucket=bucket, path="a", body=b"x", retain_until=until)
    store.put(bucket=bucket, path="a", body=b"shadow")
    assert store.get(bucket=bucket, path="a", version_id=stored.version_id) == b"x"
    listed = {version: latest for _, version, latest, _ in store.versions(bucket=bucket, prefix="a")}
    assert listed.pop(stored.version_id) is False
    assert list(listed.values()) == [True]


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1:8333", "ftp://127.0.0.1", "http://", "http://host/path", "https:host"]
)
def test_an_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    """A slip in the settings is said at once, not at the first deposit."""
    with pytest.raises(ValueError, match="endpoint"):
        connect(endpoint, access_key="a", secret_key="b", region="us-east-1")
