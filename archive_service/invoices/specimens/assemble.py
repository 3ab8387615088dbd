"""Putting a specimen together: the base, the pages, the XML, the XMP."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pikepdf
from pikepdf import Array, Dictionary, Name

from archive_service.invoices.specimens.base import make_base
from archive_service.invoices.specimens.page import draw_pages
from archive_service.invoices.specimens.trade import Trade
from archive_service.invoices.specimens.xmp import make_packet

XML_NAME = "factur-x.xml"
_BARE_BYTES = 46_000  # what an invoice of ten lines takes without its picture
_DATA_ONLY = ("MINIMUM", "BASIC WL")  # the XML is not the invoice (Factur-X 1.0x §6.2.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What goes into the file. ``level`` and ``part`` are the XMP's claims; ``xml`` None: no attachment."""

    trade: Trade
    profile: str
    xml: bytes | None
    level: str
    part: str = "3"
    kilobytes: int | None = None


def assemble(parts: Parts, change: Callable[[pikepdf.Pdf], None] | None = None) -> bytes:
    """Return the PDF; ``change`` may alter it just before it is written."""
    wanted = (parts.kilobytes or 0) * 1000 - _BARE_BYTES
    base = make_base(max(0, wanted))
    pages = draw_pages(parts.trade, faces=base.faces, picture=base.picture, profile=parts.profile)
    with pikepdf.open(io.BytesIO(base.pdf)) as pdf:
        _fill_pages(pdf, pages)
        packet = make_packet(
            title=f"Facture {parts.trade.number}",
            author=parts.trade.seller.name,
            day=parts.trade.issued,
            level=parts.level,
            part=parts.part,
        )
        pdf.Root.Metadata = pdf.make_stream(packet, Type=Name.Metadata, Subtype=Name.XML)
        if parts.xml is not None:
            relationship = "Data" if parts.profile in _DATA_ONLY else "Alternative"
            attach(pdf, XML_NAME, parts.xml, day=parts.trade.issued, relationship=relationship)
        if change:
            change(pdf)
        return save(pdf)


def save(pdf: pikepdf.Pdf) -> bytes:
    """Write a PDF so that the same content gives the same bytes."""
    out = io.BytesIO()
    if "/ID" in pdf.trailer:  # fpdf2's would stay as its first half, and differs between runs
        del pdf.trailer["/ID"]
    pdf.save(out, deterministic_id=True, fix_metadata_version=False)
    return out.getvalue()


def attach(pdf: pikepdf.Pdf, name: str, body: bytes, *, day: date, relationship: str) -> None:
    """Embed a file and associate it with the document (ISO 32000-1, 7.11.4; ISO 19005-3, 6.8)."""
    stream = pdf.make_stream(
        body,
        Type=Name.EmbeddedFile,
        Subtype=Name("/text/xml"),
        Params=Dictionary(
            Size=len(body),
            ModDate=f"D:{day:%Y%m%d}080000Z",
            CheckSum=pikepdf.String(hashlib.md5(body, usedforsecurity=False).digest()),
        ),
    )
    specification = pdf.make_indirect(
        Dictionary(
            Type=Name.Filespec,
            F=name,
            UF=name,
            Desc="Factur-X",
            AFRelationship=Name(f"/{relationship}"),
            EF=Dictionary(F=stream, UF=stream),
        )
    )
    pdf.Root.AF = Array([specification])
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array([name, specification])))


def _fill_pages(pdf: pikepdf.Pdf, contents: tuple[bytes, ...]) -> None:
    first = pdf.pages[0].obj
    first.Resources = pdf.make_indirect(first.Resources)
    for _ in contents[1:]:
        pdf.pages.append(
            pikepdf.Page(
                Dictionary(
                    Type=Name.Page, MediaBox=first.MediaBox, Group=first.Group, Resources=first.Resources
                )
            )
        )
    for page, content in zip(pdf.pages, contents, strict=True):
        page.obj.Contents = pdf.make_stream(content)
