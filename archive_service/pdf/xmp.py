"""What a document's XMP packet claims: its PDF/A flavour, and the invoice it holds."""

from __future__ import annotations

from dataclasses import dataclass

import pikepdf
from lxml import etree

from archive_service.pdf.bombs import read_bounded

MAX_XMP_BYTES = 4 * 1024 * 1024  # a packet has some 10 kB
PDFAID = "http://www.aiim.org/pdfa/ns/id/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FACTURX_NAMESPACES = (
    "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
    "urn:zugferd:pdfa:CrossIndustryDocument:invoice:2p0#",  # ZUGFeRD 2.0
    "urn:ferd:pdfa:CrossIndustryDocument:invoice:1p0#",  # ZUGFeRD 1
)
MAX_VALUE_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FacturxXmp:
    """The properties of the ``fx`` schema (Factur-X 1.0x §6.3.2), None where the packet has none."""

    namespace: str
    document_type: str | None
    file_name: str | None
    version: str | None
    conformance_level: str | None


def read_packet(pdf: pikepdf.Pdf) -> etree._Element | None:
    """Parse the document's XMP; None when there is none that parses, as veraPDF will say. Raises Bomb."""
    stream = pdf.Root.get("/Metadata")
    if not isinstance(stream, pikepdf.Stream):
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(read_bounded(stream, MAX_XMP_BYTES), parser)
    except etree.XMLSyntaxError:
        return None


def claimed_flavour(packet: etree._Element | None) -> str | None:
    """``3b`` for pdfaid part 3, conformance B; ``4`` where there is no conformance (ISO 19005-4)."""
    part = _property(packet, PDFAID, "part")
    if part is None:
        return None
    return part + (_property(packet, PDFAID, "conformance") or "").lower()


def facturx(packet: etree._Element | None) -> FacturxXmp | None:
    """The first invoice schema that the packet uses, newest first."""
    for namespace in FACTURX_NAMESPACES:
        names = ("DocumentType", "DocumentFileName", "Version", "ConformanceLevel")
        values = [_property(packet, namespace, name) for name in names]
        if any(value is not None for value in values):
            kind, file_name, version, level = values
            return FacturxXmp(
                namespace=namespace,
                document_type=kind,
                file_name=file_name,
                version=version,
                conformance_level=level,
            )
    return None


def _property(packet: etree._Element | None, namespace: str, name: str) -> str | None:
    """A simple property of an rdf:Description, written as an element or as an attribute (XMP part 1, 7.4)."""
    if packet is None:
        return None
    tag = f"{{{namespace}}}{name}"
    for description in packet.iter(f"{{{RDF}}}Description"):
        text = description.get(tag) or description.findtext(tag)
        if text is not None:
            return str(text).strip()[:MAX_VALUE_LENGTH]
    return None
