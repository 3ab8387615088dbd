"""Invoices that must be refused, one reason each; all but that reason is in order."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import pikepdf

from archive_service.invoices.specimens.assemble import Parts, assemble
from archive_service.invoices.specimens.cii import invoice_tree, to_bytes
from archive_service.invoices.specimens.elements import Level
from archive_service.invoices.specimens.good import break_business_rule, plain_trade
from archive_service.invoices.specimens.trade import Trade

_PROFILE = "EN 16931"
_ISSUED = date(2026, 9, 30)
OWNER_PASSWORD = "specimen"  # noqa: S105 - it opens a file that is made to be refused

# The problem that each must be refused with; the first member of the pipeline's order that applies.
EXPECTED_PROBLEMS = {
    "schematron": "invoice-schematron",
    "xsd": "invoice-xsd",
    "not-pdfa": "not-pdfa",
    "claims-pdfa": "not-pdfa",
    "pdfa-2": "pdfa-not-accepted",
    "no-invoice": "no-invoice",
    "xmp-disagrees": "invoice-container",
    "not-xml": "invoice-xml",
    "unknown-profile": "invoice-xml",
    "encrypted": "encrypted-pdf",
    "truncated": "unreadable-pdf",
}


def make_bad(kind: str, *, number: str = "F2026-0666", issue_date: date = _ISSUED) -> bytes:
    """Return an invoice that is refused for the reason that ``kind`` names (see EXPECTED_PROBLEMS).

    Raises ValueError for a kind that there is not.
    """
    make = _KINDS.get(kind)
    if make is None:
        raise ValueError(f"no specimen is bad in the way {kind!r}; there are {', '.join(_KINDS)}")
    return make(plain_trade(number, issue_date))


def make_with_xml(
    trade: Trade,
    xml: bytes | None,
    *,
    level: str = _PROFILE,
    part: str = "3",
    change: Callable[[pikepdf.Pdf], None] | None = None,
) -> bytes:
    """Return a specimen around any XML; ``level`` and ``part`` are what the XMP claims."""
    return assemble(Parts(trade=trade, profile=_PROFILE, xml=xml, level=level, part=part), change)


def good_xml(trade: Trade) -> bytes:
    """Return the trade's XML, in order."""
    return to_bytes(invoice_tree(trade, Level.EN16931))


def _schematron(trade: Trade) -> bytes:
    """The VAT total is a euro more than its parts (BR-CO-14)."""
    root = invoice_tree(trade, Level.EN16931)
    break_business_rule(root, "BR-CO-14")
    return make_with_xml(trade, to_bytes(root))


def _xsd(trade: Trade) -> bytes:
    """The invoice has no number: the schema requires one."""
    root = invoice_tree(trade, Level.EN16931)
    document = root.find("{*}ExchangedDocument")
    number = document.find("{*}ID") if document is not None else None
    if document is not None and number is not None:
        document.remove(number)
    return make_with_xml(trade, to_bytes(root))


def _not_pdfa(trade: Trade) -> bytes:
    """No claim, no colour profile, a script: an ordinary PDF."""

    def change(pdf: pikepdf.Pdf) -> None:
        del pdf.Root.Metadata, pdf.Root.OutputIntents
        _add_script(pdf)

    return make_with_xml(trade, good_xml(trade), change=change)


def _claims_pdfa(trade: Trade) -> bytes:
    """The XMP says PDF/A-3B; the fonts are not embedded and a script runs."""

    def change(pdf: pikepdf.Pdf) -> None:
        _add_script(pdf)
        for item in pdf.objects:
            if isinstance(item, pikepdf.Dictionary) and "/FontFile2" in item:
                del item.FontFile2

    return make_with_xml(trade, good_xml(trade), change=change)


def _add_script(pdf: pikepdf.Pdf) -> None:
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('Bonjour');")
    pdf.Root.OpenAction = pdf.make_indirect(script)


def _pdfa_2(trade: Trade) -> bytes:
    """A sound PDF/A-2B, which cannot carry an XML."""
    return make_with_xml(trade, None, part="2")


def _no_invoice(trade: Trade) -> bytes:
    """A sound PDF/A-3B without an XML."""
    return make_with_xml(trade, None)


def _xmp_disagrees(trade: Trade) -> bytes:
    """The XMP says BASIC, the XML EN 16931."""
    return make_with_xml(trade, good_xml(trade), level="BASIC")


def _not_xml(trade: Trade) -> bytes:
    """The XML is cut in the middle of an element."""
    return make_with_xml(trade, good_xml(trade)[:1500])


def _unknown_profile(trade: Trade) -> bytes:
    """The guideline identifier is one that nobody published."""
    root = invoice_tree(trade, Level.EN16931)
    for guideline in root.iter("{*}GuidelineSpecifiedDocumentContextParameter"):
        for identifier in guideline.iter("{*}ID"):
            identifier.text = "urn:example:invoice:2026"
    return make_with_xml(trade, to_bytes(root))


def _encrypted(trade: Trade) -> bytes:
    """Encrypted with AES-256: it opens without a password, and PDF/A forbids it all the same.

    Its keys are random: the bytes differ each time.
    """
    plain = make_with_xml(trade, good_xml(trade))
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(plain)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner=OWNER_PASSWORD, user="", R=6))
    return out.getvalue()


def _truncated(trade: Trade) -> bytes:
    """Two thirds of a good invoice, as a broken transfer leaves it."""
    whole = make_with_xml(trade, good_xml(trade))
    return whole[: len(whole) * 2 // 3]


_KINDS: dict[str, Callable[[Trade], bytes]] = {
    "schematron": _schematron,
    "xsd": _xsd,
    "not-pdfa": _not_pdfa,
    "claims-pdfa": _claims_pdfa,
    "pdfa-2": _pdfa_2,
    "no-invoice": _no_invoice,
    "xmp-disagrees": _xmp_disagrees,
    "not-xml": _not_xml,
    "unknown-profile": _unknown_profile,
    "encrypted": _encrypted,
    "truncated": _truncated,
}
