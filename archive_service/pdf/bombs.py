"""Streams that grow beyond measure when they are decompressed, found without letting them grow."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable

import pikepdf

from archive_service.model import ArchiveError

MAX_INFLATED_BYTES = 384 * 1024 * 1024  # all Flate streams together; a page of A4 at 600 dpi in RGB is 105 MB
MAX_CHAINED_BYTES = 64 * 1024 * 1024  # all streams under several filters or rare ones; one is held at a time
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


def check_chains(pdf: pikepdf.Pdf) -> None:
    """Decode what ``check_streams`` does not see: what is packed twice or behind other filters. Raises Bomb.

    Such a stream has hardly a use, and grows by more than one filter allows. Image codecs end a chain: what
    they make is bounded by the image's own size.
    """
    left = MAX_CHAINED_BYTES
    for item in pdf.objects:
        if isinstance(item, pikepdf.Stream) and _filters(item) not in ([], ["/FlateDecode"], ["/Fl"]):
            left -= _decoded_size(item, left)
            if left < 0:
                raise Bomb(f"Filtered streams make more than {MAX_CHAINED_BYTES} bytes.", MAX_CHAINED_BYTES)


def _decoded_size(stream: pikepdf.Stream, limit: int) -> int:
    """Return the size of the largest thing that decoding a stream makes, or more than ``limit``."""
    data, largest = stream.read_raw_bytes(), 0
    for name in _filters(stream):
        decode = _DECODERS.get(name)
        if decode is None:
            break
        try:
            data = decode(data, limit)
        except ValueError:
            break  # whether that matters is veraPDF's to say
        largest = max(largest, len(data))
        if largest > limit:
            break
    return largest


def _run_lengths(data: bytes, limit: int) -> bytes:
    """ISO 32000-1, 7.4.5: a length byte, then so many literal bytes, or one byte to repeat."""
    made, place = bytearray(), 0
    while place < len(data) and len(made) <= limit:
        length = data[place]
        if length == 128:
            break
        if length < 128:
            made += data[place + 1 : place + 2 + length]
            place += 2 + length
        else:
            made += data[place + 1 : place + 2] * (257 - length)
            place += 2
    return bytes(made)


def _hexadecimal(data: bytes, _: int) -> bytes:
    """ISO 32000-1, 7.4.2. It only shrinks."""
    digits = b"".join(data.partition(b">")[0].split())
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))


def _base_85(data: bytes, _: int) -> bytes:
    """ISO 32000-1, 7.4.3. It grows by four at most, for zeros."""
    return base64.a85decode(b"".join(data.partition(b"~>")[0].split()))


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


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "/FlateDecode": _inflate,
    "/Fl": _inflate,
    "/RunLengthDecode": _run_lengths,
    "/RL": _run_lengths,
    "/ASCIIHexDecode": _hexadecimal,
    "/AHx": _hexadecimal,
    "/ASCII85Decode": _base_85,
    "/A85": _base_85,
}


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
