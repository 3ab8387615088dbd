"""The log as tiles (C2SP tlog-tiles): paths, growth, proofs, and what is refused."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from audit.errors import BadTile, BrokenProof, TileConflict
from audit.merkle import EMPTY_ROOT, check_inclusion, leaf_hash
from audit.tiles import (
    MemoryTiles,
    Tile,
    consistency_proof,
    grow,
    inclusion_proof,
    read_entry,
    tile_path,
    tree_root,
)

Vectors = dict[str, Any]


def test_paths_are_written_as_the_specification_shows() -> None:
    """tlog-tiles: index 1234067 is x001/x234/067; a partial tile carries its width."""
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path("entries", 0, 5) == "tile/entries/000.p/5"
    assert tile_path(2, 1000) == "tile/2/x001/000"


def test_the_specification_s_example_of_70000_entries(big_log: MemoryTiles) -> None:
    """tlog-tiles: 273 full level 0 tiles, one of width 112, one full level 1 tile, then widths 17 and 1."""
    paths = {tile.path: tile for tile in big_log.added()}
    full = [tile for tile in paths.values() if tile.full and tile.path.startswith("tile/0/")]
    assert len(full) == 273
    assert {"tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"} <= set(paths)
    assert {"tile/entries/273.p/112", "tile/entries/272"} <= set(paths)


def test_tiles_are_go_s_byte_for_byte(vectors: Vectors) -> None:
    """Grown in one go or one by one, every hash tile equals the one that Go's sumdb/tlog cuts."""
    for size in {item["size"] for item in vectors["tiles"]}:
        tiles = MemoryTiles()
        entries = [b"entry %d" % index for index in range(size)]
        tiles.add(*grow(size=0, entries=entries, read=tiles.read).tiles)
        for item in vectors["tiles"]:
            if item["size"] == size:
                body = tiles.read(item["path"])
                assert (len(body), hashlib.sha256(body).hexdigest()) == (item["bytes"], item["sha256"])


def test_growing_one_by_one_ends_where_growing_at_once_does(big_log: MemoryTiles) -> None:
    """How entries are batched leaves no trace: same tiles at the end, whatever came between."""
    at_once = MemoryTiles()
    entries = [b"entry %d" % index for index in range(70_000)]
    growth = grow(size=0, entries=entries, read=at_once.read)
    for tile in growth.tiles:
        assert big_log.read(tile.path) == tile.body
    assert growth.root == tree_root(70_000, big_log.read)


def test_roots_and_proofs_are_go_s(vectors: Vectors, big_log: MemoryTiles) -> None:
    """Roots, inclusion and consistency proofs read from tiles equal those of Go's sumdb/tlog."""
    for item in vectors["roots"]:
        assert tree_root(item["size"], big_log.read).hex() == item["root"]
    for item in vectors["inclusions"]:
        proof = inclusion_proof(index=item["index"], size=item["size"], read=big_log.read)
        assert [one.hex() for one in proof] == item["proof"]
    for item in vectors["consistency"]:
        proof = consistency_proof(old_size=item["old_size"], size=item["size"], read=big_log.read)
        assert [one.hex() for one in proof] == item["proof"]


def test_only_the_right_edge_is_read(big_log: MemoryTiles) -> None:
    """An append to a log of 70,000 reads one object per level, and no full tile."""
    read: list[str] = []

    def recorded(path: str) -> bytes:
        read.append(path)
        return big_log.read(path)

    grow(size=70_000, entries=[b"next"], read=recorded)
    assert sorted(read) == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"]


def test_an_empty_log_has_the_empty_root() -> None:
    """RFC 6962 §2.1: the root of no entries; nothing is read and nothing is written."""
    growth = grow(size=0, entries=[], read=MemoryTiles().read)
    assert (growth.size, growth.root, growth.tiles) == (0, EMPTY_ROOT, ())


def test_entries_come_back_as_they_went_in(big_log: MemoryTiles) -> None:
    """Bundles frame entries by their length; the first, the last and those at edges are found."""
    for index in (0, 255, 256, 69_887, 69_888, 69_999):
        assert read_entry(index=index, size=70_000, read=big_log.read) == b"entry %d" % index
    with pytest.raises(BrokenProof):
        read_entry(index=70_000, size=70_000, read=big_log.read)


def test_entries_of_any_bytes_up_to_the_frame_s_limit() -> None:
    """An empty entry and one of 65,535 bytes fit; one more byte is refused, not cut."""
    entries = [b"", bytes(range(256)) * 255 + bytes(255), b"\x00\x01"]
    tiles = MemoryTiles()
    tiles.add(*grow(size=0, entries=entries, read=tiles.read).tiles)
    assert [read_entry(index=at, size=3, read=tiles.read) for at in range(3)] == entries
    with pytest.raises(BadTile):
        grow(size=0, entries=[bytes(65_536)], read=tiles.read)


def test_a_partial_tile_that_is_gone_is_cut_from_the_full_one() -> None:
    """tlog-tiles lets a log drop partial tiles once the full one is there: proofs still come."""
    tiles = MemoryTiles()
    entries = [b"entry %d" % index for index in range(256)]
    growth = grow(size=0, entries=entries, read=tiles.read)
    tiles.add(*growth.tiles)
    root = tree_root(100, tiles.read)
    proof = inclusion_proof(index=42, size=100, read=tiles.read)
    check_inclusion(leaf=leaf_hash(entries[42]), index=42, size=100, proof=proof, root=root)
    assert read_entry(index=99, size=100, read=tiles.read) == entries[99]


def test_tiles_of_the_wrong_size_are_refused() -> None:
    """A tile or bundle cut short or grown is named, not read as something else."""
    good = MemoryTiles()
    good.add(*grow(size=0, entries=[b"a", b"b", b"c"], read=good.read).tiles)
    for path, body in [
        ("tile/0/000.p/3", good.read("tile/0/000.p/3")[:-1]),
        ("tile/0/000.p/3", good.read("tile/0/000.p/3") + bytes(32)),
        ("tile/entries/000.p/3", good.read("tile/entries/000.p/3")[:-1]),
        ("tile/entries/000.p/3", good.read("tile/entries/000.p/3") + b"\x00\x00"),
        ("tile/entries/000.p/3", good.read("tile/entries/000.p/3") + b"\x00"),
    ]:
        bad = {tile.path: tile.body for tile in good.added()} | {path: body}
        with pytest.raises(BadTile, match=path.replace(".", r"\.")):
            grow(size=3, entries=[b"d"], read=bad.__getitem__)


def test_a_missing_tile_is_a_key_error() -> None:
    """What the store does not have is said by its path."""
    with pytest.raises(KeyError, match="tile/0/000"):
        tree_root(3, MemoryTiles().read)


def test_sizes_out_of_bounds_are_refused(big_log: MemoryTiles) -> None:
    """No proof is made for entries or trees that cannot be."""
    with pytest.raises(BrokenProof):
        inclusion_proof(index=5, size=5, read=big_log.read)
    with pytest.raises(BrokenProof):
        consistency_proof(old_size=6, size=5, read=big_log.read)
    with pytest.raises(BrokenProof):
        tree_root(-1, big_log.read)
    with pytest.raises(BadTile):
        grow(size=-1, entries=[], read=big_log.read)


def test_tiles_in_memory_are_written_once() -> None:
    """The same bytes again are fine; others at the same path are a conflict, as the store would say."""
    tiles = MemoryTiles()
    tile = Tile(path="tile/0/000.p/1", body=bytes(32), full=False)
    tiles.add(tile, tile)
    with pytest.raises(TileConflict):
        tiles.add(Tile(path="tile/0/000.p/1", body=bytes([1]) * 32, full=False))
    assert tiles.read("tile/0/000.p/1") == bytes(32)
