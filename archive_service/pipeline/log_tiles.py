"""Where a log's tiles lie (ADR 0003): full ones locked, the growing edge in a bucket without lock.

C2SP tlog-tiles lets a partial tile of every width be asked for. Every narrower one is a prefix of the wider,
since the order of entries never changes: so one object per edge tile is kept and cut to the width asked for.
"""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from archive_service.pipeline.parts import Buckets
from archive_service.ports import ObjectMissing, ObjectStore
from audit.tiles import MemoryTiles, ReadObject, Tile

_PARTIAL = re.compile(r"^(?P<tile>.+)\.p/(?P<width>[1-9][0-9]{0,2})$")
_HASH_BYTES = 32


def log_path(log_id: UUID, path: str) -> str:
    """Path in either bucket of something that belongs to a log."""
    return f"logs/{log_id}/{path}"


class LogTiles:
    """Reads and stages the tiles of one log."""

    def __init__(self, store: ObjectStore, buckets: Buckets, log_id: UUID) -> None:
        self._store, self._buckets, self._log_id = store, buckets, log_id

    def read(self, path: str) -> bytes:
        """Return a tile or an entry bundle, as ``audit.tiles.ReadObject`` wants it. Raises KeyError."""
        try:
            if match := _PARTIAL.match(path):
                return self._read_partial(match["tile"], int(match["width"]))
            return self._get(self._buckets.records, path)
        except ObjectMissing as error:
            raise KeyError(path) from error

    def _read_partial(self, tile: str, width: int) -> bytes:
        cut = _cut_bundle if tile.startswith("tile/entries/") else _cut_hashes
        try:
            edge = cut(self._get(self._buckets.edge, f"{tile}.partial"), width)
        except ObjectMissing:
            edge = None
        whole = edge if edge is not None else cut(self._get(self._buckets.records, tile), width)
        if whole is None:
            raise ObjectMissing(f"{tile} has fewer than {width} entries")
        return whole

    def _get(self, bucket: str, path: str) -> bytes:
        return self._store.get(bucket=bucket, path=log_path(self._log_id, path))

    def stage(self, tiles: tuple[Tile, ...], *, lock_until: datetime) -> None:
        """Write new tiles. A crash leaves tiles that no checkpoint covers yet; the same ones come again."""
        for tile in tiles:
            if match := _PARTIAL.match(tile.path):
                path = log_path(self._log_id, f"{match['tile']}.partial")
                self._store.put(bucket=self._buckets.edge, path=path, body=tile.body)
            else:
                self._store.put_once(
                    bucket=self._buckets.records,
                    path=log_path(self._log_id, tile.path),
                    body=tile.body,
                    retain_until=lock_until,
                )


def _cut_hashes(body: bytes, width: int) -> bytes | None:
    return body[: width * _HASH_BYTES] if len(body) >= width * _HASH_BYTES else None


def _cut_bundle(body: bytes, width: int) -> bytes | None:
    """Return the first ``width`` entries of a bundle: each a big-endian uint16 length, then the bytes."""
    end = 0
    for _ in range(width):
        if end + 2 > len(body):
            return None
        end += 2 + int.from_bytes(body[end : end + 2])
    return body[:end] if end <= len(body) else None


def recent(read: ReadObject, fresh: tuple[Tile, ...]) -> ReadObject:
    """Return a reader that has the tiles just made in memory, and fetches each other one once."""
    tiles = MemoryTiles(below=read)
    tiles.add(*fresh)
    return tiles.read
