"""A real store with fresh buckets, directly or through a proxy that spoils exchanges."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from minio import Minio

from archive_service.adapters.embedded.seaweedfs import ObjectServer
from archive_service.adapters.s3 import S3Store, connect
from tests.integration.store.faulty_proxy import FaultyProxy

_COUNT = itertools.count()
Connect = Callable[..., Minio]


@pytest.fixture
def client_of(seaweedfs: ObjectServer) -> Connect:
    """Return a maker of clients: ``client_of(endpoint)`` with the keys, or ``keys=False`` without."""

    def make(endpoint: str | None = None, *, keys: bool = True) -> Minio:
        known = seaweedfs.environment()
        return connect(
            endpoint or known["S3_ENDPOINT"],
            access_key=known["S3_ACCESS_KEY"] if keys else None,
            secret_key=known["S3_SECRET_KEY"] if keys else None,
            region=known["S3_REGION"],
        )

    return make


@pytest.fixture
def bucket(client_of: Connect) -> str:
    """Return the name of a fresh bucket with Object Lock."""
    name = f"store-locked-{next(_COUNT)}"
    S3Store(client_of()).ensure_buckets(locked=(name,), plain=())
    return name


@pytest.fixture
def proxy(seaweedfs: ObjectServer) -> Iterator[FaultyProxy]:
    """Run a proxy in front of the store."""
    with FaultyProxy(seaweedfs.environment()["S3_ENDPOINT"]) as running:
        yield running
