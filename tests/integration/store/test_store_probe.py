"""The probe believes no store: it passes on one whose doors are closed, and names those that are open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive_service.adapters import store_probe
from archive_service.adapters.embedded.seaweedfs import ObjectServer
from archive_service.adapters.s3 import S3Store, connect
from archive_service.adapters.store_probe import StoreNotWorm, Target, http_door, probe
from archive_service.ports import StoreUnavailable
from tests.integration.store.conftest import Connect

S3_ATTEMPTS = {
    "delete-version",
    "delete-version-with-bypass",
    "shorten-lock",
    "downgrade-lock",
    "put-again-if-none-match",
    "anonymous-read",
    "anonymous-write",
    "anonymous-delete",
    "anonymous-list",
    "suspend-versions",
    "remove-lock-configuration",
    "delete-bucket",
    "unchanged",
}


class OpenServer(ObjectServer):
    """The same server, with its doors as SeaweedFS leaves them by default."""

    def _security(self) -> str:
        return ""

    def _flags(self) -> tuple[str, ...]:
        return tuple(
            flag for flag in super()._flags() if flag != "-disableHttp" and not flag.startswith("-s3.config")
        )


@pytest.fixture
def open_server(tmp_path: Path) -> Iterator[OpenServer]:
    """Run a server whose filer answers HTTP and whose S3 asks nobody for keys."""
    with OpenServer(tmp_path) as server:
        yield server


def test_a_closed_store_refuses_everything(seaweedfs: ObjectServer, client_of: Connect, bucket: str) -> None:
    """Every attempt is made and refused, through S3 and through each other port it listens on."""
    doors = tuple((name, http_door(url)) for name, url in seaweedfs.doors().items())
    report = probe(
        client_of(), anonymous=client_of(keys=False), bucket=bucket, now=datetime.now(UTC), doors=doors
    )
    names = [attempt.name for attempt in report.attempts]
    assert set(names) == S3_ATTEMPTS | {"door:filer", "door:master", "door:volume", "door:admin"}
    assert report.open_doors == ()
    assert report.target.path.startswith("probes/")
    assert report.target.bucket == bucket


def test_an_open_store_is_refused_and_its_doors_are_named(open_server: OpenServer) -> None:
    """Where the filer deletes for anyone, and S3 asks for no key, nothing can be archived."""
    keys = open_server.environment()
    anonymous = connect(keys["S3_ENDPOINT"], access_key=None, secret_key=None, region=keys["S3_REGION"])
    S3Store(anonymous).ensure_buckets(locked=("open",), plain=())
    doors = tuple((name, http_door(url)) for name, url in open_server.doors().items())
    with pytest.raises(StoreNotWorm) as refused:
        probe(anonymous, anonymous=anonymous, bucket="open", now=datetime.now(UTC), doors=doors)
    found = set(refused.value.report.open_doors)
    assert {"anonymous-read", "anonymous-write", "anonymous-list", "door:filer", "unchanged"} <= found
    # S3 itself still kept the lock: the version went by the filer, and reading back shows that it went
    assert not found & {"delete-version", "delete-version-with-bypass", "shorten-lock", "downgrade-lock"}
    assert "unchanged (the version is gone)" in str(refused.value)


def test_a_door_that_opens_is_named(client_of: Connect, bucket: str) -> None:
    """Each door that is passed in is knocked at with the probe's place, and its answer reported."""
    seen: list[Target] = []

    def wide_open(target: Target) -> str | None:
        seen.append(target)
        return "let in"

    with pytest.raises(StoreNotWorm, match=r"door:side \(let in\)") as refused:
        probe(
            client_of(),
            anonymous=client_of(keys=False),
            bucket=bucket,
            now=datetime.now(UTC),
            doors=(("side", wide_open),),
        )
    assert seen == [refused.value.report.target]


def test_a_client_with_too_many_rights_is_told_from_an_anonymous_one(client_of: Connect, bucket: str) -> None:
    """If what should be the anonymous client has keys, the attempts succeed and are open doors."""
    with pytest.raises(StoreNotWorm) as refused:
        probe(client_of(), anonymous=client_of(), bucket=bucket, now=datetime.now(UTC))
    assert set(refused.value.report.open_doors) == {"anonymous-read", "anonymous-write", "anonymous-list"}


def test_a_store_that_does_not_answer_proves_nothing(client_of: Connect, bucket: str) -> None:
    """No answer is no refusal: the probe then has no result."""
    nowhere = client_of("http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable):
        probe(client_of(), anonymous=nowhere, bucket=bucket, now=datetime.now(UTC))


def test_probes_do_not_pile_up(client_of: Connect, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier probe whose lock has ended is removed by the next; one still locked is left."""
    monkeypatch.setattr(store_probe, "LOCK", timedelta(seconds=3))
    monkeypatch.setattr(store_probe, "_SHORTER", timedelta(seconds=1))
    client, anonymous = client_of(), client_of(keys=False)
    store = S3Store(client)
    first = probe(client, anonymous=anonymous, bucket=bucket, now=datetime.now(UTC)).target
    second = probe(client, anonymous=anonymous, bucket=bucket, now=datetime.now(UTC)).target
    assert {path for path, *_ in store.versions(bucket=bucket, prefix="")} == {first.path, second.path}
    _wait_for(first, store)
    _wait_for(second, store)
    third = probe(client, anonymous=anonymous, bucket=bucket, now=datetime.now(UTC)).target
    assert [path for path, *_ in store.versions(bucket=bucket, prefix="")] == [third.path]


def _wait_for(target: Target, store: S3Store) -> None:
    until = store.stat(bucket=target.bucket, path=target.path, version_id=target.version_id).retain_until
    assert until is not None
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds() + 0.2))
