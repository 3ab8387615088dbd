"""Documents that are no invoice's PDF, or not a whole one."""

from __future__ import annotations

import io
from datetime import date

import pikepdf
from pikepdf import Array, Dictionary, Name

from archive_service.invoices.specimens import make_bad, make_invoice

from .cases import HostileCase, changed, good_invoice

EMBEDDED_FILES = 10_000
OVER_LIMIT_BYTES = 33 * 1024 * 1024  # a mebibyte more than the default limit


def _text_file() -> bytes:
    return b"Facture F2026-0001\nTotal : 120,00 EUR\n" * 40


def _zip_file() -> bytes:
    return b"PK\x05\x06" + bytes(18)


def _header_only() -> bytes:
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def _late_header() -> bytes:
    """%PDF- stands where some readers still find it and others do not."""
    return b"\n" * 2000 + good_invoice()


def _no_pages() -> bytes:
    def change(pdf: pikepdf.Pdf) -> None:
        del pdf.pages[0]

    return changed(change)


def _broken_xref() -> bytes:
    """The table's offset points into nowhere: a reader must guess, and readers guess differently."""
    body = good_invoice()
    start = body.rindex(b"startxref\n") + len(b"startxref\n")
    return body[:start] + b"7\n%%EOF\n"


def _encrypted_with_password() -> bytes:
    """Nobody but the sender can read it."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(good_invoice())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="specimen", user="secret", R=6))
    return out.getvalue()


def _too_large() -> bytes:
    """A good invoice, then a comment that never ends."""
    body = good_invoice()
    return body + b"%" + b"a" * (OVER_LIMIT_BYTES - len(body) - 1)


def _specification(pdf: pikepdf.Pdf, stream: pikepdf.Stream, place: int) -> pikepdf.Dictionary:
    name = f"piece-{place:05d}.txt"
    entries = Dictionary(
        Type=Name.Filespec,
        F=name,
        UF=name,
        AFRelationship=Name.Supplement,
        EF=Dictionary(F=stream, UF=stream),
    )
    return pdf.make_indirect(entries)


def _small_file(pdf: pikepdf.Pdf) -> pikepdf.Stream:
    return pdf.make_stream(b"x", Type=Name.EmbeddedFile, Subtype=Name("/text/plain"))


def _many_files() -> bytes:
    """Ten thousand names in the name tree, all associated with the document, beside the invoice."""

    def change(pdf: pikepdf.Pdf) -> None:
        stream = _small_file(pdf)
        files = [_specification(pdf, stream, place) for place in range(EMBEDDED_FILES)]
        names = pdf.Root.Names.EmbeddedFiles.Names
        for place, file in enumerate(files):
            names.extend([f"piece-{place:05d}.txt", file])
        pdf.Root.AF.extend(files)

    return changed(change)


def _many_hidden_files() -> bytes:
    """Ten thousand files that hang on annotations, where no list of attachments shows them."""

    def change(pdf: pikepdf.Pdf) -> None:
        stream = _small_file(pdf)
        annotations = Array()
        for place in range(EMBEDDED_FILES):
            entries = Dictionary(
                Type=Name.Annot,
                Subtype=Name.FileAttachment,
                Rect=Array([0, 0, 1, 1]),
                F=4,
                FS=_specification(pdf, stream, place),
            )
            annotations.append(pdf.make_indirect(entries))
        pdf.pages[0].obj.Annots = annotations

    return changed(change)


def _dated(year: int) -> bytes:
    return make_invoice(number="F1-0001", issue_date=date(year, 3, 1))


CASES = (
    HostileCase(
        name="empty",
        document=lambda: b"",
        problem="empty-document",
        why="nothing would be archived under a receipt",
    ),
    HostileCase(name="text-file", document=_text_file, problem="not-a-pdf", why="it is no PDF at all"),
    HostileCase(name="zip-file", document=_zip_file, problem="not-a-pdf", why="it is another format"),
    HostileCase(
        name="late-header",
        document=_late_header,
        problem="not-a-pdf",
        why="some readers look further for the header than others: what is archived must not depend on it",
    ),
    HostileCase(
        name="header-only",
        document=_header_only,
        problem="unreadable-pdf",
        why="a sniff for %PDF- alone would let it in",
    ),
    HostileCase(
        name="truncated",
        document=lambda: make_bad("truncated"),
        problem="unreadable-pdf",
        why="a transfer that broke off would be proved for ten years",
    ),
    HostileCase(
        name="broken-xref",
        document=_broken_xref,
        problem="unreadable-pdf",
        why="each reader would guess another document",
    ),
    HostileCase(
        name="no-pages", document=_no_pages, problem="unreadable-pdf", why="nothing in it can be read"
    ),
    HostileCase(
        name="encrypted",
        document=lambda: make_bad("encrypted"),
        problem="encrypted-pdf",
        why="legible today, with a key that nobody promised to keep",
    ),
    HostileCase(
        name="encrypted-with-password",
        document=_encrypted_with_password,
        problem="encrypted-pdf",
        why="an auditor could not open it",
    ),
    HostileCase(
        name="too-large",
        document=_too_large,
        problem="document-too-large",
        why="disks and memory would fill at the sender's pleasure",
    ),
    HostileCase(
        name="ten-thousand-files",
        document=_many_files,
        problem="too-many-embedded-files",
        why="each would be read, and any of them may be the invoice",
    ),
    HostileCase(
        name="ten-thousand-hidden-files",
        document=_many_hidden_files,
        problem="too-many-embedded-files",
        why="counting only the name tree would miss them",
    ),
    HostileCase(
        name="not-pdfa",
        document=lambda: make_bad("not-pdfa"),
        problem="not-pdfa",
        why="nobody promises that it looks the same in ten years",
    ),
    HostileCase(
        name="claims-pdfa",
        document=lambda: make_bad("claims-pdfa"),
        problem="not-pdfa",
        why="believing the XMP would archive a script and missing fonts",
    ),
    HostileCase(
        name="xmp-disagrees",
        document=lambda: make_bad("xmp-disagrees"),
        problem="invoice-container",
        why="readers that trust the XMP would process another profile than the XML's",
    ),
    HostileCase(
        name="dated-2999",
        document=lambda: _dated(2999),
        problem="date-implausible",
        why="a lock in COMPLIANCE mode until 3009 could never be undone",
    ),
    HostileCase(
        name="dated-1950",
        document=lambda: _dated(1950),
        problem="retention-over",  # not implausible: ADR 0011 sets no earliest date
        why="the date is wrong, and so would be everything that rests on it",
    ),
    HostileCase(
        name="retention-over",
        document=lambda: _dated(2012),
        problem="retention-over",
        why="a lock that ends in the past is none: the store refuses it",
    ),
)
