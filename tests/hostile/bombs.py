"""Documents that are small when they are sent and huge when they are read."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pikepdf
from pikepdf import Dictionary, Name

from .cases import HostileCase, append_content, changed, invoice_xml, raw_stream

INFLATED = 1 << 30  # a gibibyte, of a mebibyte that is sent
_STEP = 1 << 20


def flate_bomb(start: bytes = b"", total: int = INFLATED) -> bytes:
    """Return a zlib stream (RFC 1950) of ``start`` and then ``total`` spaces, made without inflating it.

    After a full flush the compressor knows nothing of before, so one step's bytes can be repeated.
    """
    block = b" " * _STEP
    compressor = zlib.compressobj(9)
    parts = [compressor.compress(start) + compressor.flush(zlib.Z_FULL_FLUSH)]
    repeated = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    checksum = zlib.adler32(start)
    for _ in range(total // _STEP):
        checksum = zlib.adler32(block, checksum)
        parts.append(repeated)
    last_block = b"\x03\x00"  # final, empty (RFC 1951 §3.2.3)
    return b"".join(parts) + last_block + checksum.to_bytes(4)


def flate_twice(start: bytes = b"") -> bytes:
    """Return a bomb compressed again: a gibibyte in some kilobytes."""
    return zlib.compress(flate_bomb(start), 9)


def run_lengths(total: int = INFLATED) -> bytes:
    """Return spaces as RunLengthDecode has them (ISO 32000-1, 7.4.5), compressed."""
    return zlib.compress(b"\x81 " * (total // 128) + b"\x80", 9)


def _in_content(make: Callable[[], bytes], *filters: str) -> Callable[[], bytes]:
    return lambda: changed(lambda pdf: append_content(pdf, raw_stream(pdf, make(), filters)))


def _in_xml(make: Callable[[bytes], bytes], *filters: str) -> Callable[[], bytes]:
    def change(pdf: pikepdf.Pdf) -> None:
        entries = {
            "/Type": Name.EmbeddedFile,
            "/Subtype": Name("/text/xml"),
            "/Params": Dictionary(ModDate="D:20260930080000Z"),
        }
        stream = raw_stream(pdf, make(invoice_xml()), filters, entries)
        pdf.Root.AF[0].EF = Dictionary(F=stream, UF=stream)

    return lambda: changed(change)


def _in_xmp() -> bytes:
    """The packet is followed by spaces; its stream has no Type, or qpdf would unpack it when it writes."""

    def change(pdf: pikepdf.Pdf) -> None:
        packet = bytes(pdf.Root.Metadata.read_bytes())
        pdf.Root.Metadata = raw_stream(pdf, flate_bomb(packet), ("FlateDecode",), {"/Subtype": Name.XML})

    return changed(change)


def _in_font() -> bytes:
    def change(pdf: pikepdf.Pdf) -> None:
        for item in pdf.objects:
            if isinstance(item, pikepdf.Dictionary) and "/FontFile2" in item:
                program = bytes(item.FontFile2.read_bytes())
                entries = {"/Length1": len(program) + INFLATED}
                item.FontFile2 = raw_stream(pdf, flate_bomb(program), ("FlateDecode",), entries)

    return changed(change)


def in_object_stream(total: int = INFLATED) -> bytes:
    """Return a PDF whose catalog lies in an object stream that inflates to ``total`` (ISO 32000-1, 7.5.7).

    Whoever wants to know anything about the document has to inflate it first.
    """
    catalog, pages = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[5 0 R]/Count 1>>"
    index = f"1 0 2 {len(catalog) + 1} ".encode()
    packed = flate_bomb(index + catalog + b" " + pages, total)
    body = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = {}
    for number, dictionary, data in (
        (3, f"/Type/ObjStm/N 2/First {len(index)}/Filter/FlateDecode", packed),
        (5, "/Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]", None),
    ):
        offsets[number] = len(body)
        body += _object(number, dictionary, data)
    offsets[4] = len(body)
    rows = (
        (0, 0, 65535),
        *((2, 3, place) for place in (0, 1)),  # objects 1 and 2: in stream 3, at 0 and 1
        *((1, offsets[number], 0) for number in (3, 4, 5)),
    )
    table = b"".join(kind.to_bytes(1) + where.to_bytes(4) + last.to_bytes(2) for kind, where, last in rows)
    body += _object(4, "/Type/XRef/Size 6/W[1 4 2]/Root 1 0 R", table)
    return bytes(body) + f"startxref\n{offsets[4]}\n%%EOF\n".encode()


def _object(number: int, dictionary: str, data: bytes | None) -> bytes:
    if data is None:
        return f"{number} 0 obj\n<<{dictionary}>>\nendobj\n".encode()
    head = f"{number} 0 obj\n<<{dictionary}/Length {len(data)}>>\nstream\n".encode()
    return head + data + b"\nendstream\nendobj\n"


def _bomb(name: str, document: Callable[[], bytes], why: str) -> HostileCase:
    return HostileCase(name=name, document=document, problem="decompression-bomb", why=why)


CASES = (
    _bomb("bomb-in-xml", _in_xml(flate_bomb, "FlateDecode"), "reading the invoice would take a gibibyte"),
    _bomb("bomb-in-content", _in_content(flate_bomb, "FlateDecode"), "veraPDF would work through it"),
    _bomb("bomb-in-object-stream", in_object_stream, "the parser unpacks it before anyone can look"),
    _bomb("bomb-in-xmp", _in_xmp, "the packet is read for every document"),
    _bomb("bomb-in-font", _in_font, "veraPDF parses font programs"),
    _bomb(
        "bomb-packed-twice-in-xml",
        _in_xml(flate_twice, "FlateDecode", "FlateDecode"),
        "looking at the outer packing alone shows a mebibyte",
    ),
    _bomb(
        "bomb-packed-twice-in-content",
        _in_content(flate_twice, "FlateDecode", "FlateDecode"),
        "47 kB that inflate to a gibibyte, and keep veraPDF busy beyond its deadline",
    ),
    _bomb(
        "bomb-behind-hexadecimal",
        _in_content(lambda: flate_bomb().hex().encode() + b">", "ASCIIHexDecode", "FlateDecode"),
        "the bytes do not look like Flate",
    ),
    _bomb(
        "bomb-of-run-lengths",
        _in_content(run_lengths, "FlateDecode", "RunLengthDecode"),
        "60 kB that veraPDF takes for conformant, and that every later reader unpacks",
    ),
)
