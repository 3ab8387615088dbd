"""Streams that grow beyond measure when they are decompressed, found without letting them grow."""

from __future__ import annotations

import zlib

import pikepdf

from archive_service.model import ArchiveError

MAX_INFLATED_BYTES = 384 * 1024 * 1024  # all Flate streams together; a page of A4 at 600 dpi in RGB is 105 MB
MAX_OBJECTS = 500_000  # an invoice has some hundred
_STEP = 1 << 20


class Bomb(ArchiveError):
    """The document decompresses to more than it may. ``limit`` is in bytes (or objects)."""

    def __init__(self, message: str, limit: int) -> None:
        super().__init__(message)
        self.limit = limit


def check_streams(pdf: pikepdf.Pdf) -> None:
    """Inflate every Flate stream in steps, keep nothing, and stop at the limit. Raises Bomb.

    veraPDF reads the streams of pages, fonts and profiles in full, so none may be without bound.
    """
    left = MAX_INFLATED_BYTES
    for number, item in enumerate(pdf.objects):
        if number >= MAX_OBJECTS:
            raise Bomb(f"It has more than {MAX_OBJECTS} objects.", MAX_OBJECTS)
        if isinstance(item, pikepdf.Stream) and _filters(item)[:1] in (["/FlateDecode"], ["/Fl"]):
            left -= _inflated_size(item.read_raw_bytes(), left)
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


def _inflated_size(raw: bytes, limit: int) -> int:
    """Count the bytes that a Flate stream makes, at most a step more than ``limit``."""
    inflater = zlib.decompressobj()
    size = 0
    pending = raw
    try:
        while size <= limit and not inflater.eof:
            block = inflater.decompress(pending, _STEP)
            size += len(block)
            pending = inflater.unconsumed_tail
            if not pending and len(block) < _STEP:
                break
    except zlib.error:
        pass  # whether that matters is veraPDF's to say; what came out is counted
    return size
