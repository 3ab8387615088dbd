"""What a PDF is made of: attachments, claims, signatures. Nothing here judges PDF/A: veraPDF does.

``read_facts`` parses what a stranger sent. Call it through ``pdf.guard``, which runs it in a child process
with a memory limit and a deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pikepdf

from archive_service.model import ArchiveError, Finding, Severity
from archive_service.pdf import bombs, embedded, xmp
from archive_service.pdf.embedded import Attachment
from archive_service.pdf.xmp import FacturxXmp

HEADER_WINDOW = 1024  # bytes in which %PDF- must come, as readers have it (ISO 32000-1, annex H.3.4.1)
MAX_FIELDS = 10_000  # form fields visited in search of signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfFacts:
    """What a PDF says about itself. ``claimed_flavour`` is the XMP's word, e.g. ``3b``."""

    version: str
    pages: int
    attachments: tuple[Attachment, ...] = ()
    claimed_flavour: str | None = None
    facturx_xmp: FacturxXmp | None = None
    signatures: int = 0


class PdfRefused(ArchiveError):
    """The file cannot be taken as a PDF. ``slug`` names the kind of problem, ``finding`` says what it is."""

    def __init__(self, slug: str, finding: Finding) -> None:
        super().__init__(f"{slug}: {finding.message}")
        self.slug = slug
        self.finding = finding


def refuse(slug: str, message: str, **arguments: object) -> PdfRefused:
    """Return the refusal to raise; its rule is ``pdf.`` and the slug."""
    texts = tuple((name, str(value)) for name, value in arguments.items())
    finding = Finding(rule=f"pdf.{slug}", severity=Severity.ERROR, message=message, arguments=texts)
    return PdfRefused(slug, finding)


def read_facts(path: Path) -> PdfFacts:
    """Read a PDF's facts, or raise PdfRefused.

    Its slug is one of empty-document, not-a-pdf, unreadable-pdf, encrypted-pdf, too-many-embedded-files,
    decompression-bomb. A file whose cross-reference table must be guessed is unreadable: readers would
    guess differently.
    """
    _check_header(path)
    try:
        bombs.check_streams(path.read_bytes())
        with pikepdf.open(path, attempt_recovery=False, suppress_warnings=True) as pdf:
            bombs.check_chains(pdf)
            return _facts(pdf)
    except pikepdf.PasswordError:
        raise refuse("encrypted-pdf", "The document is encrypted.") from None
    except embedded.TooManyFiles as error:
        raise refuse("too-many-embedded-files", str(error), limit=embedded.MAX_EMBEDDED_FILES) from error
    except bombs.Bomb as error:
        raise refuse("decompression-bomb", str(error), limit=error.limit) from error
    except MemoryError:
        raise refuse("decompression-bomb", "Reading it takes more memory than a document may.") from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # pikepdf raises the built-in ones where an object is not of the type that the standard wants
        raise refuse("unreadable-pdf", "The document is damaged.", detail=str(error)[:300]) from error


def _facts(pdf: pikepdf.Pdf) -> PdfFacts:
    if pdf.is_encrypted:  # also with an empty user password: PDF/A forbids it (ISO 19005-3, 6.1.3)
        raise refuse("encrypted-pdf", "The document is encrypted.")
    pages = len(pdf.pages)
    if pages == 0:
        raise refuse("unreadable-pdf", "The document has no pages.")
    embedded.check_count(pdf)
    packet = xmp.read_packet(pdf)
    return PdfFacts(
        version=pdf.pdf_version,
        pages=pages,
        attachments=embedded.read_attachments(pdf),
        claimed_flavour=xmp.claimed_flavour(packet),
        facturx_xmp=xmp.facturx(packet),
        signatures=_count_signatures(pdf),
    )


def _check_header(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(HEADER_WINDOW)
    if not start:
        raise refuse("empty-document", "The document is empty.")
    if b"%PDF-" not in start:
        raise refuse("not-a-pdf", "The document is not a PDF.")


def _count_signatures(pdf: pikepdf.Pdf) -> int:
    """Signature fields that hold a signature (ISO 32000-1, 12.7.4.5); a field's type may be inherited."""
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary) or not isinstance(form.get("/Fields"), pikepdf.Array):
        return 0
    waiting: list[tuple[object, object]] = [(field, None) for field in list(form.Fields)]
    count = 0
    for _ in range(MAX_FIELDS):
        if not waiting:
            break
        field, inherited = waiting.pop()
        if not isinstance(field, pikepdf.Dictionary):
            continue
        kind = field.get("/FT", inherited)
        count += kind == pikepdf.Name.Sig and isinstance(field.get("/V"), pikepdf.Dictionary)
        kids = field.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            waiting.extend((kid, kind) for kid in list(kids))
    return count
