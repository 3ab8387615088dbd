"""What ``ports.ObjectStore`` promises, kept by the real adapter on a real store and by the fake alike."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from archive_service.model import StoredVersion
from archive_service.ports import ObjectConflict, ObjectMissing

if TYPE_CHECKING:
    from tests.contract.conftest import Place

PATH = "tenants/t/records/2026/r/record.json"


def _in(minutes: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=minutes)


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)) * 4096], ids=["empty", "byte", "1 MiB"])
def test_put_once_says_what_was_stored(place: Place, body: bytes) -> None:
    """The answer has version, digest, size and lock, and that version reads back."""
    until = _in(5)
    stored = place.store.put_once(bucket=place.locked, path=PATH, body=body, retain_until=until)
    assert stored == StoredVersion(
        bucket=place.locked,
        path=PATH,
        version_id=stored.version_id,
        sha256=hashlib.sha256(body).digest(),
        size=len(body),
        retain_until=until,
    )
    assert stored.version_id
    assert place.store.get(bucket=place.locked, path=PATH, version_id=stored.version_id) == body
    assert place.store.get(bucket=place.locked, path=PATH) == body


def test_put_once_of_the_same_bytes_changes_nothing(place: Place) -> None:
    """A repeated step finds its first try, and makes no second version."""
    until = _in(5)
    first = place.store.put_once(bucket=place.locked, path=PATH, body=b"x", retain_until=until)
    assert place.store.put_once(bucket=place.locked, path=PATH, body=b"x", retain_until=until) == first
    assert list(place.store.versions(bucket=place.locked, prefix="")) == [
        (PATH, first.version_id, True, False)
    ]


def test_put_once_of_other_bytes_is_a_conflict(place: Place) -> None:
    """What stands there is not shadowed by a newer version, as plain S3 would have it."""
    first = place.store.put_once(bucket=place.locked, path=PATH, body=b"x", retain_until=_in(5))
    with pytest.raises(ObjectConflict):
        place.store.put_once(bucket=place.locked, path=PATH, body=b"y", retain_until=_in(5))
    assert place.store.get(bucket=place.locked, path=PATH) == b"x"
    assert [version[1] for version in place.store.versions(bucket=place.locked, prefix="")] == [
        first.version_id
    ]


def test_put_once_again_moves_the_lock_later_only(place: Place) -> None:
    """The second put's lock counts when it ends later; when earlier, the first one stays."""
    first = place.store.put_once(bucket=place.locked, path=PATH, body=b"x", retain_until=_in(5))
    later = _in(9)
    second = place.store.put_once(bucket=place.locked, path=PATH, body=b"x", retain_until=later)
    third = place.store.put_once(bucket=place.locked, path=PATH, body=b"x", retain_until=_in(2))
    assert (second.version_id, second.retain_until) == (first.version_id, later)
    assert third == second
    found = place.store.stat(bucket=place.locked, path=PATH, version_id=first.version_id)
    assert found.retain_until == later


def test_a_lock_between_seconds_is_rounded_up(place: Place) -> None:
    """The store keeps whole seconds; the lock may end later by less than one, never earlier."""
    until = _in(5)
    stored = place.store.put_once(
        bucket=place.locked, path=PATH, body=b"x", retain_until=until - timedelta(microseconds=1)
    )
    found = place.store.stat(bucket=place.locked, path=PATH, version_id=stored.version_id)
    assert stored.retain_until == found.retain_until == until


def test_a_lock_without_time_zone_is_refused(place: Place) -> None:
    """Nobody could say when it ends; nothing is stored."""
    with pytest.raises(ValueError, match="time zone"):
        place.store.put_once(
            bucket=place.locked, path=PATH, body=b"x", retain_until=_in(5).replace(tzinfo=None)
        )
    assert list(place.store.versions(bucket=place.locked, prefix="")) == []


def test_extend_lock_never_moves_it_earlier(place: Place) -> None:
    """Later is taken, earlier and equal do nothing, and the bytes stay."""
    first = place.store.put_once(bucket=place.locked, path=PATH, body=b"x", retain_until=_in(5))
    later = _in(9)
    for until in (later, _in(2), later):
        place.store.extend_lock(
            bucket=place.locked, path=PATH, version_id=first.version_id, retain_until=until
        )
        found = place.store.stat(bucket=place.locked, path=PATH, version_id=first.version_id)
        assert found.retain_until == later
    assert place.store.get(bucket=place.locked, path=PATH, version_id=first.version_id) == b"x"


def test_stat_states_without_reading(place: Place) -> None:
    """Size and lock as the store has them, and no digest, which nobody computed."""
    until = _in(5)
    first = place.store.put_once(bucket=place.locked, path=PATH, body=b"four", retain_until=until)
    found = place.store.stat(bucket=place.locked, path=PATH, version_id=first.version_id)
    assert (found.size, found.sha256, found.retain_until) == (4, b"", until)


def test_without_a_lock_it_is_still_once(place: Place) -> None:
    """In a bucket without lock the first bytes stand too, until they are deleted."""
    arguments = {"bucket": place.plain, "path": "k", "retain_until": None}
    first = place.store.put_once(body=b"1", **arguments)
    assert first.retain_until is None
    assert place.store.put_once(body=b"1", **arguments) == first
    with pytest.raises(ObjectConflict):
        place.store.put_once(body=b"2", **arguments)
    place.store.delete(bucket=place.plain, path="k")
    place.store.put_once(body=b"2", **arguments)
    assert place.store.get(bucket=place.plain, path="k") == b"2"


def test_put_overwrites_and_delete_leaves_nothing(place: Place) -> None:
    """Keys and edges are replaced whole; what is deleted has no older version to come back from."""
    place.store.put(bucket=place.plain, path="k", body=b"old")
    place.store.put(bucket=place.plain, path="k", body=b"new")
    assert place.store.get(bucket=place.plain, path="k") == b"new"
    place.store.delete(bucket=place.plain, path="k")
    with pytest.raises(ObjectMissing):
        place.store.get(bucket=place.plain, path="k")
    assert list(place.store.versions(bucket=place.plain, prefix="")) == []
    place.store.delete(bucket=place.plain, path="k")


@pytest.mark.parametrize("version_id", [None, "0123456789abcdef0123456789abcdef"])
def test_what_is_not_there_is_missing(place: Place, version_id: str | None) -> None:
    """An unknown path is ObjectMissing, and nothing else."""
    with pytest.raises(ObjectMissing):
        place.store.get(bucket=place.locked, path="absent", version_id=version_id)


def test_an_unknown_version_is_missing(place: Place) -> None:
    """Reading by version never falls back to the current one."""
    first = place.store.put_once(bucket=place.locked, path=PATH, body=b"x", retain_until=_in(5))
    other = first.version_id[::-1]
    assert other != first.version_id
    with pytest.raises(ObjectMissing):
        place.store.get(bucket=place.locked, path=PATH, version_id=other)
    with pytest.raises(ObjectMissing):
        place.store.stat(bucket=place.locked, path=PATH, version_id=other)


def test_versions_are_listed_below_a_prefix(place: Place) -> None:
    """The listing sees every path below, and none beside."""
    for path in ("a/1", "a/b/2", "ab/3"):
        place.store.put_once(bucket=place.locked, path=path, body=b"x", retain_until=_in(5))
    listed = list(place.store.versions(bucket=place.locked, prefix="a/"))
    assert [(path, latest, marker) for path, _, latest, marker in listed] == [
        ("a/1", True, False),
        ("a/b/2", True, False),
    ]


def test_of_several_at_once_one_wins(place: Place) -> None:
    """Puts of other bytes at the same moment: one is stored, the rest conflict, no version is shadowed."""

    def attempt(number: int) -> StoredVersion | None:
        try:
            return place.store.put_once(
                bucket=place.locked, path=PATH, body=bytes([number]), retain_until=_in(5)
            )
        except ObjectConflict:
            return None

    with ThreadPoolExecutor(3) as threads:
        winners = [version for version in threads.map(attempt, range(3)) if version is not None]
    assert len(winners) == 1
    assert list(place.store.versions(bucket=place.locked, prefix="")) == [
        (PATH, winners[0].version_id, True, False)
    ]


def test_of_several_with_the_same_bytes_all_get_one_version(place: Place) -> None:
    """Two workers at the same step of the same deposit agree."""
    until = _in(5)

    def attempt(_: int) -> StoredVersion:
        return place.store.put_once(bucket=place.locked, path=PATH, body=b"x", retain_until=until)

    with ThreadPoolExecutor(3) as threads:
        assert len({version.version_id for version in threads.map(attempt, range(3))}) == 1
