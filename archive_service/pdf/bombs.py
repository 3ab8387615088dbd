"""Streams that grow beyond measure when they are decompressed, found without letting them grow."""

from __future__ import annotations

import re
import zlib

import pikepdf

from archive_service.model import ArchiveError

MAX_INFLATED_BYTES = 384 * 1024 * 1024  # all Flate streams together; a page of A4 at 600 dpi in RGB is 105 MB
_INPUT_STEP = 1 << 16
_OUTPUT_STEP = 1 << 20
_STREAM = re.compile(rb"(?<!end)stream\r?\n")  # ISO 32000-1, 7.3.8.1


class Bomb(ArchiveError):
    """The document decompresses to more than it may. ``limit`` is in bytes."""

    def __init__(self, message: str, limit: int) -> None:
        super().__init__(message)
        self.limit = limit


def check_streams(document: bytes) -> None:
    """Inflate every Flate stream in steps, keep nothing, and stop at the limit. Raises Bomb.

    It looks at the bytes before any parser does: the parser inflates object streams without a bound, and
    veraPDF those of pages, fonts and profiles. What only looks like a stream does not inflate.
    """
    view = memoryview(document)
    left = MAX_INFLATED_BYTES
    for start in _STREAM.finditer(document):
        left -= _inflated_size(view[start.end() :], left)
        if left < 0:
            raise Bomb(f"It decompresses to more than {MAX_INFLATED_BYTES} bytes.", MAX_INFLATED_BYTES)


def read_bounded(stream: pikepdf.Stream, limit: int) -> bytes:
    """Return a stream's decoded bytes. Raises Bomb beyond ``limit``; pikepdf.PdfError when it cannot."""
    raw = stream.read_raw_bytes()
    filters = _filters(stream)
    if not filters:
        data = raw
    elif filters in (["/FlateDecode"], ["/Fl"]) and "/DecodeParms" not in stream:
        data = _inflate(raw, limit)
    else:  # rare for a file; the child's memory limit bounds it
        data = stream.read_bytes()
    if len(data) > limit:
        raise Bomb(f"A stream decompresses to more than {limit} bytes.", limit)
    return data


def _filters(stream: pikepdf.Stream) -> list[str]:
    filters = stream.get("/Filter")
    if filters is None:
        return []
    return [str(name) for name in filters] if isinstance(filters, pikepdf.Array) else [str(filters)]


def _inflate(raw: bytes, limit: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(raw, limit + 1)
    except zlib.error as error:
        raise ValueError(f"a broken Flate stream: {error}") from error


def _inflated_size(data: memoryview, limit: int) -> int:
    """Count what the Flate stream at the start of ``data`` makes, at most a step more than ``limit``."""
    if len(data) < 2 or data[0] & 0x0F != 8 or (data[0] << 8 | data[1]) % 31:  # RFC 1950 §2.2
        return 0
    inflater = zlib.decompressobj()
    size = 0
    try:
        for place in range(0, len(data), _INPUT_STEP):
            pending: memoryview | bytes = data[place : place + _INPUT_STEP]
            while pending and size <= limit and not inflater.eof:
                size += len(inflater.decompress(pending, _OUTPUT_STEP))
                pending = inflater.unconsumed_tail
            if inflater.eof or size > limit:
                break
    except zlib.error:
        pass  # whether that matters is veraPDF's to say; what came out is counted
    return size
