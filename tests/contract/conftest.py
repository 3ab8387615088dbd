"""The stores that must keep the contract."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from archive_service.adapters.embedded.seaweedfs import ObjectServer
from archive_service.adapters.s3 import S3Store, connect
from archive_service.ports import ObjectStore
from tests.contract.fakes import MemoryStore

_COUNT = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A store with one bucket of each kind, fresh for one test."""

    store: ObjectStore
    locked: str
    plain: str


def _memory(locked: str, plain: str) -> ObjectStore:
    return MemoryStore(locked=(locked,), plain=(plain,))


def _seaweedfs(server: ObjectServer) -> Callable[[str, str], ObjectStore]:
    def make(locked: str, plain: str) -> ObjectStore:
        keys = server.environment()
        client = connect(
            keys["S3_ENDPOINT"],
            access_key=keys["S3_ACCESS_KEY"],
            secret_key=keys["S3_SECRET_KEY"],
            region=keys["S3_REGION"],
        )
        store = S3Store(client)
        store.ensure_buckets(locked=(locked,), plain=(plain,))
        return store

    return make


@pytest.fixture(params=["memory", "seaweedfs"])
def place(request: pytest.FixtureRequest) -> Place:
    """The fake and the real one, each with empty buckets."""
    number = next(_COUNT)
    locked, plain = f"contract-locked-{number}", f"contract-plain-{number}"
    make = _memory if request.param == "memory" else _seaweedfs(request.getfixturevalue("seaweedfs"))
    return Place(store=make(locked, plain), locked=locked, plain=plain)
