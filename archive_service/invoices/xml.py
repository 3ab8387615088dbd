"""XML from strangers, parsed without entities, document types or network."""

from __future__ import annotations

from lxml import etree

from archive_service.invoices.findings import finding
from archive_service.model import ArchiveError, Finding

MAX_XML_BYTES = 10 * 1024 * 1024  # as many as are taken from a PDF


class XmlRefused(ArchiveError):
    """The XML cannot be read as an invoice. ``slug`` names the kind of problem."""

    slug = "invoice-xml"

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def parse(data: bytes) -> etree._Element:
    """Return the root element. Raises XmlRefused: too large, not well-formed, or with a DOCTYPE.

    Entities in text stay unresolved, external ones are never fetched, libxml2 bounds depth (256) and
    the growth of internal ones; then any DOCTYPE is refused, since CII uses none.
    """
    if len(data) > MAX_XML_BYTES:
        raise XmlRefused(finding("invoice.xml.too-large", limit=MAX_XML_BYTES))
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        place = f"line {error.lineno}" if error.lineno else None
        detail = str(error.msg or error)[:200]
        refused = XmlRefused(finding("invoice.xml.malformed", location=place, detail=detail))
        raise (XmlRefused(finding("invoice.xml.doctype")) if _declares_type(data) else refused) from None
    if root.getroottree().docinfo.internalDTD is not None:  # lxml's name; it is there for external ones too
        raise XmlRefused(finding("invoice.xml.doctype"))
    return root


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        collect_ids=False,
    )


def _declares_type(data: bytes) -> bool:
    """Whether what did not parse has a DOCTYPE, so that the finding names the real reason."""
    return b"<!DOCTYPE" in data or "<!DOCTYPE".encode("utf-16-le") in data
