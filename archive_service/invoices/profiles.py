"""Which profile an invoice declares (BT-24), and what its container must then say."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from archive_service.invoices.findings import finding
from archive_service.invoices.paths import text_at
from archive_service.invoices.xml import XmlRefused
from archive_service.model import InvoiceProfile

CII_ROOT = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
ZUGFERD_1_ROOT = "{urn:ferd:CrossIndustryDocument:invoice:1p0}CrossIndustryDocument"

# Factur-X 1.0x §7.1, ZUGFeRD 2.0 §6, and the French CTC profile's own.
_PUBLISHED = {
    "urn:factur-x.eu:1p0:minimum": InvoiceProfile.MINIMUM,
    "urn:zugferd.de:2p0:minimum": InvoiceProfile.MINIMUM,
    "urn:factur-x.eu:1p0:basicwl": InvoiceProfile.BASIC_WL,
    "urn:zugferd.de:2p0:basicwl": InvoiceProfile.BASIC_WL,
    "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic": InvoiceProfile.BASIC,
    "urn:cen.eu:en16931:2017#compliant#urn:zugferd.de:2p0:basic": InvoiceProfile.BASIC,
    "urn:cen.eu:en16931:2017": InvoiceProfile.EN16931,
    "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended": InvoiceProfile.EXTENDED,
    "urn:cen.eu:en16931:2017#conformant#urn:zugferd.de:2p0:extended": InvoiceProfile.EXTENDED,
    "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr": InvoiceProfile.EXTENDED_CTC_FR,
}
_LAST_PART = {
    "minimum": InvoiceProfile.MINIMUM,
    "basicwl": InvoiceProfile.BASIC_WL,
    "basic": InvoiceProfile.BASIC,
    "en16931": InvoiceProfile.EN16931,
    "extended": InvoiceProfile.EXTENDED,
    "extended-ctc-fr": InvoiceProfile.EXTENDED_CTC_FR,
}
_XRECHNUNG_MARK = ":xrechnung_"  # urn:…#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0, and older ones

# The ConformanceLevel that the XMP must state (Factur-X 1.0x §6.3.2; ZUGFeRD 2.1.1 for XRechnung).
_LEVELS = {
    InvoiceProfile.MINIMUM: ("MINIMUM",),
    InvoiceProfile.BASIC_WL: ("BASIC WL",),
    InvoiceProfile.BASIC: ("BASIC",),
    InvoiceProfile.EN16931: ("EN 16931",),
    InvoiceProfile.EXTENDED: ("EXTENDED",),
    InvoiceProfile.EXTENDED_CTC_FR: ("EXTENDED", "EXTENDED-CTC-FR"),  # 1.0x has no level of its own for it
    InvoiceProfile.XRECHNUNG: ("XRECHNUNG", "EN 16931"),  # which it restricts
}
NOT_A_VAT_INVOICE = frozenset({InvoiceProfile.MINIMUM, InvoiceProfile.BASIC_WL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A profile, the identifier it was read from, and the XMP levels that agree with it."""

    profile: InvoiceProfile
    identifier: str
    published: bool
    levels: tuple[str, ...]


def declared_profile(root: etree._Element) -> Declared:
    """Return the profile that the invoice declares. Raises XmlRefused when it is none we know."""
    if root.tag not in (CII_ROOT, ZUGFERD_1_ROOT):
        raise XmlRefused(finding("invoice.xml.unknown-root", root=str(root.tag)[:200]))
    identifier = text_at(
        root,
        "ExchangedDocumentContext|SpecifiedExchangedDocumentContext",
        "GuidelineSpecifiedDocumentContextParameter",
        "ID",
    )
    if root.tag == ZUGFERD_1_ROOT:
        return _zugferd_1(identifier or "")
    profile = _PUBLISHED.get(identifier or "")
    published = profile is not None
    profile = profile or _guess(identifier or "")
    if profile is None:
        raise XmlRefused(finding("invoice.xml.unknown-profile", value=identifier or "—"))
    xrechnung = profile is InvoiceProfile.XRECHNUNG
    return Declared(
        profile=profile,
        identifier=identifier or "",
        published=published or xrechnung,
        levels=_LEVELS[profile],
    )


def _guess(identifier: str) -> InvoiceProfile | None:
    """Read an identifier that was never published but is in use (colons for number signs, other CIUSs)."""
    if _XRECHNUNG_MARK in identifier:
        return InvoiceProfile.XRECHNUNG
    last = _LAST_PART.get(identifier.rsplit(":", 1)[-1])
    if last is None and identifier.startswith("urn:cen.eu:en16931:2017#"):
        return InvoiceProfile.EN16931
    return last


def _zugferd_1(identifier: str) -> Declared:
    level = identifier.rsplit(":", 1)[-1].upper()
    known = level in ("BASIC", "COMFORT", "EXTENDED")
    return Declared(
        profile=InvoiceProfile.ZUGFERD_1,
        identifier=identifier,
        published=known,
        levels=(level,) if known else ("BASIC", "COMFORT", "EXTENDED"),
    )
