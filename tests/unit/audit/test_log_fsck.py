"""Fsck of a log: clean when whole, and every spoiled object is found by its place."""

from __future__ import annotations

import hashlib

import pytest

from audit.checkpoints import Checkpoint, sign_checkpoint
from audit.entries import decode_entry
from audit.errors import BadNote
from audit.fsck import check_log, check_stamps
from audit.merkle import leaf_hash
from audit.notes import NoteSigner, NoteVerifier
from audit.statements import statement
from audit.tiles import MemoryTiles, ReadObject, grow, tree_root

SIGNER = NoteSigner(name="archive.example/logs/fsck", seed=bytes(32))
VERIFIER = NoteVerifier.from_vkey(SIGNER.vkey)
SIZE = 70_000


def signed(size: int, root: bytes) -> bytes:
    """Return a checkpoint of the test's log."""
    return sign_checkpoint(Checkpoint(origin=SIGNER.name, size=size, root=root), SIGNER)


@pytest.fixture(scope="module")
def objects() -> dict[str, bytes]:
    """Every object of a log of 600 entries."""
    tiles = MemoryTiles()
    entries = [b"entry %d" % index for index in range(600)]
    tiles.add(*grow(size=0, entries=entries, read=tiles.read).tiles)
    return {tile.path: tile.body for tile in tiles.added()}


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 70_000])
def test_a_whole_log_is_clean(big_log: MemoryTiles, size: int) -> None:
    """Sizes on and off tile edges, under the roots that Go computes (test_tiles): nothing is found."""
    note = signed(size, tree_root(size, big_log.read))
    report = check_log(read=big_log.read, checkpoint=note, verifier=VERIFIER)
    assert report.clean, report.findings
    assert report.checkpoint.size == size


def test_an_empty_log_is_clean() -> None:
    """Nothing is read when there is nothing."""
    note = signed(0, hashlib.sha256(b"").digest())
    assert check_log(read=MemoryTiles().read, checkpoint=note, verifier=VERIFIER).clean


def test_every_spoiled_object_is_found_by_its_place(objects: dict[str, bytes]) -> None:
    """Flip a byte in each tile and bundle, cut it, or remove it: the finding names that object."""
    note = signed(600, tree_root(600, objects.__getitem__))
    assert set(objects) == {
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88",
        "tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2",
    }  # fmt: skip
    for path, body in objects.items():
        flipped = body[:-1] + bytes([body[-1] ^ 1])
        for spoiled in (objects | {path: flipped}, objects | {path: body[:-1]}, objects | {path: b""}):
            report = check_log(read=spoiled.__getitem__, checkpoint=note, verifier=VERIFIER)
            places = [finding.place for finding in report.findings]
            expected = path.replace("entries", "0") if spoiled[path] is flipped else path.split(".p/")[0]
            assert any(place.startswith(expected.split(".p/")[0]) for place in places), (path, places)
        gone = {name: other for name, other in objects.items() if name != path}
        report = check_log(read=gone.__getitem__, checkpoint=note, verifier=VERIFIER)
        assert any(finding.place.startswith(path.split(".p/")[0]) for finding in report.findings)


def test_a_changed_entry_with_tiles_to_fit_does_not_fit_the_checkpoint(objects: dict[str, bytes]) -> None:
    """Rewriting an entry and every tile above it still leaves the signed root."""
    note = signed(600, tree_root(600, objects.__getitem__))
    forged = MemoryTiles()
    entries = [b"entry %d" % index for index in range(600)]
    entries[77] = b"another"
    forged.add(*grow(size=0, entries=entries, read=forged.read).tiles)
    report = check_log(read=forged.read, checkpoint=note, verifier=VERIFIER)
    assert [finding.place for finding in report.findings] == ["checkpoint"]


def test_a_checkpoint_by_another_key_is_no_finding_but_an_error(objects: dict[str, bytes]) -> None:
    """There is nothing to compare with: BadNote."""
    stranger = NoteSigner(name=SIGNER.name, seed=bytes([1]) * 32)
    note = stranger.sign(f"{SIGNER.name}\n1\n{'A' * 43}=\n")
    with pytest.raises(BadNote):
        check_log(read=objects.__getitem__, checkpoint=note, verifier=VERIFIER)


def test_entries_are_visited_in_order(objects: dict[str, bytes]) -> None:
    """Whoever fscks the store sees every entry; what it refuses is a finding at that entry."""
    note = signed(600, tree_root(600, objects.__getitem__))
    seen: list[bytes] = []

    def visit(index: int, entry: bytes) -> None:
        assert index == len(seen)
        seen.append(leaf_hash(entry))
        decode_entry(entry)

    report = check_log(read=objects.__getitem__, checkpoint=note, verifier=VERIFIER, visit=visit)
    assert seen == [leaf_hash(b"entry %d" % index) for index in range(600)]
    assert [finding.place for finding in report.findings] == [f"entry {index}" for index in range(600)]


# --- Stamps -------------------------------------------------------------------------------------


def stamps(read: ReadObject, *sizes: int) -> list[tuple[bytes, bytes]]:
    """Return a chain of statements, each with the bytes that stand for its token."""
    made: list[tuple[bytes, bytes]] = []
    for size in sizes:
        previous = hashlib.sha256(made[-1][1]).digest() if made else None
        note = signed(size, tree_root(size, read))
        made.append((statement(checkpoint=note, previous_token_sha256=previous), b"token %d" % size))
    return made


def test_a_chain_of_stamps_is_clean(big_log: MemoryTiles) -> None:
    """Growing trees, each naming the token before: nothing is found."""
    head = Checkpoint(origin=SIGNER.name, size=SIZE, root=tree_root(SIZE, big_log.read))
    chain = stamps(big_log.read, 3, 256, 256, 70_000)
    assert check_stamps(stamps=chain, read=big_log.read, head=head, verifier=VERIFIER) == ()


def test_a_broken_chain_of_stamps_is_found(big_log: MemoryTiles) -> None:
    """Left out, out of order, forked, ahead of the log, unreadable: each is found at its number."""
    head = Checkpoint(origin=SIGNER.name, size=SIZE, root=tree_root(SIZE, big_log.read))
    chain = stamps(big_log.read, 3, 256, 1000)
    fork = (statement(checkpoint=signed(300, bytes(32)), previous_token_sha256=None), b"t")
    ahead = (statement(checkpoint=signed(SIZE + 1, bytes(32)), previous_token_sha256=None), b"t")
    cases: list[tuple[list[tuple[bytes, bytes]], list[str]]] = [
        ([chain[0], chain[2]], ["stamp 1"]),
        (chain[1:], ["stamp 0"]),
        (stamps(big_log.read, 256, 3), ["stamp 1"]),
        ([fork], ["stamp 0"]),
        ([ahead], ["stamp 0"]),
        ([(b"nothing", b"t")], ["stamp 0"]),
    ]
    for broken, places in cases:
        found = check_stamps(stamps=broken, read=big_log.read, head=head, verifier=VERIFIER)
        assert [finding.place for finding in found] == places
