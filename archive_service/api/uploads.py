"""Stream a multipart deposit to staging while hashing; stop reading where the limit is passed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from archive_service.api.problems import ApiProblem
from archive_service.pipeline.metadata import MAX_METADATA_BYTES
from archive_service.ports import Upload

MAX_PARTS = 4  # two are known; a few more are tolerated and refused by name
SNIFFED_BYTES = 1024  # PDF 32000-1 implementation note 13: the header may be within the first 1024 bytes
MAX_FILE_NAME = 255


@dataclass(slots=True, kw_only=True)
class Received:
    """What came in. ``too_large``: reading stopped there, and digest and size are of what was read."""

    sha256: bytes = b""
    size: int = 0
    head: bytes = b""
    file_name: str | None = None
    metadata: bytes | None = None
    has_document: bool = False
    too_large: bool = False


class _Reader:
    """Callbacks of the multipart parser. They only collect; writing to disk happens between chunks."""

    def __init__(self) -> None:
        self.received = Received()
        self.document = bytearray()
        self._metadata = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._field, self._value = b"", b""
        self._part: str | None = None
        self._parts = 0
        self.ended = False

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise ApiProblem("request-malformed", reason=f"more than {MAX_PARTS} parts")
        self._headers.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field, self._value = b"", b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", errors="replace")
        if name not in ("document", "metadata"):
            raise ApiProblem("request-malformed", reason=f"unknown part {name!r}")
        if (name == "document" and self.received.has_document) or (
            name == "metadata" and self.received.metadata is not None
        ):
            raise ApiProblem("request-malformed", reason=f"part {name!r} comes twice")
        self._part = name
        if name == "document":
            self.received.has_document = True
            self.received.file_name = _file_name(options.get(b"filename"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part == "document":
            self.document += data[start:end]
        else:
            self._metadata += data[start:end]
            if len(self._metadata) > MAX_METADATA_BYTES:
                raise ApiProblem("metadata-invalid", mismatches=f"longer than {MAX_METADATA_BYTES} bytes")

    def _end_part(self) -> None:
        if self._part == "metadata":
            self.received.metadata = bytes(self._metadata)
        self._part = None

    def _end(self) -> None:
        self.ended = True


def _file_name(raw: bytes | None) -> str | None:
    """Return the last part of the name, without what could not be shown or kept."""
    if not raw:
        return None
    text = raw.decode("utf-8", errors="replace").replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(sign for sign in text if sign.isprintable())[:MAX_FILE_NAME]
    return shown or None


async def receive(body: AsyncIterator[bytes], content_type: str, upload: Upload, *, limit: int) -> Received:
    """Stream a request's body into ``upload``. Raises ApiProblem, StagingFull.

    At most ``limit`` bytes of document are read, and never more than one chunk beyond.
    """
    reader, digest = _Reader(), hashlib.sha256()
    parser = _parser(content_type, reader)
    received = reader.received
    async for chunk in body:
        try:
            parser.write(chunk)
        except MultipartParseError as error:
            raise ApiProblem("request-malformed", reason=str(error)) from error
        piece = bytes(reader.document)
        reader.document.clear()
        digest.update(piece)
        received.size += len(piece)
        received.head += piece[: SNIFFED_BYTES - len(received.head)]
        if received.size > limit:
            received.too_large = True
            break
        if piece:
            await run_in_threadpool(upload.write, piece)
    received.sha256 = digest.digest()
    if not received.too_large and not reader.ended:
        raise ApiProblem("request-malformed", reason="the body ends before its last boundary")
    if not received.has_document:
        raise ApiProblem("request-malformed", reason="there is no part named 'document'")
    return received


def _parser(content_type: str, reader: _Reader) -> MultipartParser:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise ApiProblem("request-malformed", reason="send multipart/form-data with a part named 'document'")
    return MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]  # its TypedDict is not exported
