"""The log as tiles: paths, growth, proofs (C2SP tlog-tiles, tile height 8). See ADR 0003."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from audit.errors import BadTile, BrokenProof, TileConflict
from audit.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, fold, leaf_hash, node_hash, split

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_ENTRY_BYTES = 0xFFFF  # an entry bundle writes lengths as uint16

ReadObject = Callable[[str], bytes]
"""Return the bytes at a path below the log (``tile/0/000.p/5``, ``tile/entries/000``). Raises KeyError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A hash tile or an entry bundle. ``full``: it has 256 members and will never change."""

    path: str
    body: bytes
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A log after an append: its size, its root, and every tile that is new or wider than before."""

    size: int
    root: bytes
    tiles: tuple[Tile, ...]


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """Return a tile's path; level ``entries`` for entry bundles. ``1234067`` is ``x001/x234/067``."""
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03d}")
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def tile_places(count: int, first: int = 0) -> Iterator[tuple[int, int]]:
    """Return (index, width) of the tiles that hold ``count`` hashes, from tile ``first`` on."""
    for index in range(first, -(-count // TILE_WIDTH)):
        yield index, min(TILE_WIDTH, count - index * TILE_WIDTH)


def grow(*, size: int, entries: Sequence[bytes], read: ReadObject) -> Growth:
    """Append entries to a log of ``size``; reads nothing but the tiles on its right edge.

    Raises BadTile when an entry is too long or a tile is not what it must be, KeyError when one is missing.
    """
    total = size + len(entries)
    if size < 0 or total > MAX_SIZE:
        raise BadTile(f"a log cannot have {total} entries")
    made = MemoryTiles(below=read)
    if entries:
        _grow_bundles(size, entries, made)
        _grow_hashes(size, [leaf_hash(entry) for entry in entries], made)
    return Growth(size=total, root=tree_root(total, made.read), tiles=made.added())


def _grow_bundles(size: int, entries: Sequence[bytes], made: MemoryTiles) -> None:
    first, width = divmod(size, TILE_WIDTH)
    framed = _read_bundle(first, width, made.read) + [_framed(entry) for entry in entries]
    for index, wide in tile_places(size + len(entries), first):
        start = (index - first) * TILE_WIDTH
        made.add(_tile("entries", index, framed[start : start + wide]))


def _grow_hashes(size: int, fresh: list[bytes], made: MemoryTiles) -> None:
    level = 0
    while fresh:
        first, width = divmod(size >> (TILE_HEIGHT * level), TILE_WIDTH)
        hashes = read_hashes(level, first, width, made.read) + fresh
        fresh = []
        for index, wide in tile_places(first * TILE_WIDTH + len(hashes), first):
            start = (index - first) * TILE_WIDTH
            members = hashes[start : start + wide]
            made.add(_tile(level, index, members))
            if wide == TILE_WIDTH:
                fresh.append(fold(members))
        level += 1


def _tile(level: int | str, index: int, members: list[bytes]) -> Tile:
    width = len(members)
    path = tile_path(level, index, width)
    return Tile(path=path, body=b"".join(members), full=width == TILE_WIDTH)


def _framed(entry: bytes) -> bytes:
    if len(entry) > MAX_ENTRY_BYTES:
        raise BadTile(f"an entry of {len(entry)} bytes does not fit an entry bundle")
    return len(entry).to_bytes(2, "big") + entry


def _read_bundle(index: int, width: int, read: ReadObject) -> list[bytes]:
    """Return the first ``width`` entries of a bundle, each with its length in front."""
    if width == 0:
        return []
    framed, rest = [], _read_tile("entries", index, width, read)
    while rest:
        end = 2 + int.from_bytes(rest[:2], "big")
        if len(rest) < end:
            raise BadTile(f"{tile_path('entries', index, width)} ends within an entry")
        framed.append(rest[:end])
        rest = rest[end:]
    if len(framed) not in (width, TILE_WIDTH):
        raise BadTile(f"{tile_path('entries', index, width)} has {len(framed)} entries")
    return framed[:width]


def read_hashes(level: int, index: int, width: int, read: ReadObject) -> list[bytes]:
    """Return the first ``width`` hashes of a tile. Raises BadTile, KeyError."""
    if width == 0:
        return []
    body = _read_tile(level, index, width, read)
    if len(body) not in (width * HASH_BYTES, TILE_WIDTH * HASH_BYTES):
        raise BadTile(f"{tile_path(level, index, width)} has {len(body)} bytes")
    return [body[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]


def _read_tile(level: int | str, index: int, width: int, read: ReadObject) -> bytes:
    """Read a tile; where a partial one is gone, the full one holds it (tlog-tiles, "Partial Tiles")."""
    if width < TILE_WIDTH:
        try:
            return read(tile_path(level, index, width))
        except KeyError:
            pass
    return read(tile_path(level, index))


class _Tree:
    """A tree of ``size`` leaves whose hashes come from tiles, each read once."""

    def __init__(self, size: int, read: ReadObject) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise BrokenProof(f"a log cannot have {size} entries")
        self._size, self._read = size, read
        self._known: dict[tuple[int, int], list[bytes]] = {}

    def hash(self, start: int, end: int) -> bytes:
        """Return MTH(D[start:end]), for the ranges that RFC 6962's recursion asks for."""
        count = end - start
        if count == 0:
            return EMPTY_ROOT
        if count & (count - 1) == 0:
            return self._complete(start, count)
        middle = start + split(count)
        return node_hash(self.hash(start, middle), self.hash(middle, end))

    def _complete(self, start: int, count: int) -> bytes:
        level, height = divmod(count.bit_length() - 1, TILE_HEIGHT)
        place = start >> (TILE_HEIGHT * level)
        index, offset = divmod(place, TILE_WIDTH)
        return fold(self._hashes(level, index)[offset : offset + (1 << height)])

    def _hashes(self, level: int, index: int) -> list[bytes]:
        if (level, index) not in self._known:
            width = min(TILE_WIDTH, (self._size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH)
            self._known[level, index] = read_hashes(level, index, width, self._read)
        return self._known[level, index]


def tree_root(size: int, read: ReadObject) -> bytes:
    """Return the root of the first ``size`` entries. Raises BadTile, KeyError."""
    return _Tree(size, read).hash(0, size)


def inclusion_proof(*, index: int, size: int, read: ReadObject) -> tuple[bytes, ...]:
    """Return RFC 6962's PATH(index, D[size]), leaf's sibling first. Raises BrokenProof, BadTile, KeyError."""
    if not 0 <= index < size:
        raise BrokenProof(f"there is no entry {index} in a tree of {size}")
    tree, proof, start, end = _Tree(size, read), list[bytes](), 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            proof.append(tree.hash(middle, end))
            end = middle
        else:
            proof.append(tree.hash(start, middle))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(*, old_size: int, size: int, read: ReadObject) -> tuple[bytes, ...]:
    """Return RFC 6962's PROOF(old_size, D[size]). Raises BrokenProof, BadTile, KeyError."""
    if not 0 <= old_size <= size:
        raise BrokenProof(f"a tree of {size} cannot extend one of {old_size}")
    if old_size in (0, size):
        return ()
    tree, proof, start, end = _Tree(size, read), list[bytes](), 0, size
    while end != old_size:
        middle = start + split(end - start)
        if old_size <= middle:
            proof.append(tree.hash(middle, end))
            end = middle
        else:
            proof.append(tree.hash(start, middle))
            start = middle
    if start != 0:  # RFC 6962's b is false: the old tree's own root would not say what is here
        proof.append(tree.hash(start, end))
    return tuple(reversed(proof))


def read_entries(*, index: int, size: int, read: ReadObject) -> tuple[bytes, ...]:
    """Return all entries of bundle number ``index`` in a log of ``size``. Raises BadTile, KeyError."""
    width = min(TILE_WIDTH, size - index * TILE_WIDTH)
    return tuple(framed[2:] for framed in _read_bundle(index, width, read))


def read_entry(*, index: int, size: int, read: ReadObject) -> bytes:
    """Return one entry's bytes. Raises BrokenProof, BadTile, KeyError."""
    if not 0 <= index < size:
        raise BrokenProof(f"there is no entry {index} in a tree of {size}")
    bundle, offset = divmod(index, TILE_WIDTH)
    return read_entries(index=bundle, size=size, read=read)[offset]


class MemoryTiles:
    """Tiles in memory, over those that ``below`` reads, whose answers are remembered. Written once each."""

    def __init__(self, *, below: ReadObject | None = None) -> None:
        self._below = below
        self._added: dict[str, Tile] = {}
        self._seen: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        """Return the bytes at a path. Raises KeyError."""
        if path in self._added:
            return self._added[path].body
        if path not in self._seen:
            if self._below is None:
                raise KeyError(path)
            self._seen[path] = self._below(path)
        return self._seen[path]

    def add(self, *tiles: Tile) -> None:
        """Keep tiles; the same again is fine. Raises TileConflict for other bytes."""
        for tile in tiles:
            if self._added.setdefault(tile.path, tile).body != tile.body:
                raise TileConflict(tile.path)

    def added(self) -> tuple[Tile, ...]:
        """Return what was added, in order."""
        return tuple(self._added.values())
