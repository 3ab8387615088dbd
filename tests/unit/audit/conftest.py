"""Vectors for the log and its formats. Provenance: ``tests/vectors/audit/generate`` (Go)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from audit.tiles import MemoryTiles, grow

VECTORS = Path(__file__).parents[2] / "vectors" / "audit" / "vectors.json"


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """What Go's implementations said."""
    result: dict[str, Any] = json.loads(VECTORS.read_text())
    return result


@pytest.fixture(scope="session")
def big_log() -> MemoryTiles:
    """The vectors' log of 70,000 entries, grown in batches that end on and off tile edges."""
    tiles, size = MemoryTiles(), 0
    for upto in (1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 257, 511, 512, 513, 1000, 65535, 65536, 69999, 70000):
        entries = [b"entry %d" % index for index in range(size, upto)]
        growth = grow(size=size, entries=entries, read=tiles.read)
        tiles.add(*growth.tiles)
        size = growth.size
    return tiles
