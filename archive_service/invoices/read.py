"""What an invoice says: the fields that make a record findable (EN 16931 business terms)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal

from lxml import etree

from archive_service.invoices.paths import element_at, elements_at, text_at, text_of
from archive_service.model import InvoiceFacts, InvoiceProfile, Party, RelatedDocument

MAX_RELATED = 50  # kept; the document itself holds the rest
SCHEME_SIREN, SCHEME_SIRET = "0002", "0009"  # ISO/IEC 6523 ICD codes

_Kind = Literal["order", "contract", "delivery_note", "invoice", "other"]
_TRANSACTION = "SupplyChainTradeTransaction|SpecifiedSupplyChainTradeTransaction"
_AGREEMENT = "ApplicableHeaderTradeAgreement|ApplicableSupplyChainTradeAgreement"
_DELIVERY = "ApplicableHeaderTradeDelivery|ApplicableSupplyChainTradeDelivery"
_SETTLEMENT = "ApplicableHeaderTradeSettlement|ApplicableSupplyChainTradeSettlement"
_TOTALS = "SpecifiedTradeSettlementHeaderMonetarySummation|SpecifiedTradeSettlementMonetarySummation"
_DOCUMENT = "ExchangedDocument|HeaderExchangedDocument"
_RELATED: tuple[tuple[_Kind, str, str], ...] = (
    ("order", _AGREEMENT, "BuyerOrderReferencedDocument"),  # BT-13
    ("order", _AGREEMENT, "SellerOrderReferencedDocument"),  # BT-14
    ("contract", _AGREEMENT, "ContractReferencedDocument"),  # BT-12
    ("delivery_note", _DELIVERY, "DespatchAdviceReferencedDocument"),  # BT-16
    ("delivery_note", _DELIVERY, "DeliveryNoteReferencedDocument"),
    ("invoice", _SETTLEMENT, "InvoiceReferencedDocument"),  # BT-25, BT-26
    ("other", _AGREEMENT, "AdditionalReferencedDocument"),  # BT-17, BT-18, BT-122
)


def read_facts(root: etree._Element, profile: InvoiceProfile) -> InvoiceFacts:
    """Read what is there; a field that does not have its form (a date, an amount, a code) is None."""
    issued = element_at(root, _DOCUMENT, "IssueDateTime")
    return InvoiceFacts(
        profile=profile,
        type_code=text_at(root, _DOCUMENT, "TypeCode"),  # BT-3
        number=text_at(root, _DOCUMENT, "ID"),  # BT-1
        issue_date=_date(issued),  # BT-2
        seller=_party(element_at(root, _TRANSACTION, _AGREEMENT, "SellerTradeParty")),  # BG-4
        buyer=_party(element_at(root, _TRANSACTION, _AGREEMENT, "BuyerTradeParty")),  # BG-7
        currency=_match(r"[A-Z]{3}", text_at(root, _TRANSACTION, _SETTLEMENT, "InvoiceCurrencyCode")),  # BT-5
        total_with_vat=_match(
            r"-?\d{1,20}(\.\d{1,10})?", text_at(root, _TRANSACTION, _SETTLEMENT, _TOTALS, "GrandTotalAmount")
        ),  # BT-112
        related=tuple(_first(_related(root), MAX_RELATED)),
    )


def _party(element: etree._Element | None) -> Party:
    if element is None:
        return Party()
    organisation = text_at(element, "SpecifiedLegalOrganization", "Name")
    siren, siret = _french_numbers(element)
    return Party(
        name=text_at(element, "Name") or organisation,
        country=_match(r"[A-Z]{2}", text_at(element, "PostalTradeAddress", "CountryID")),
        siren=siren,
        siret=siret,
        vat_id="".join((_identifier(element, "VA", "SpecifiedTaxRegistration") or "").split()) or None,
    )


def _french_numbers(party: etree._Element) -> tuple[str | None, str | None]:
    """SIREN and SIRET, from the legal registration (BT-30) or a global identifier (BT-29).

    A SIRET is the establishment's SIREN and five digits more; some producers write it under the other's
    scheme, which its length tells apart.
    """
    places = ("SpecifiedLegalOrganization", "")
    texts = [_identifier(party, scheme, place) for place in places for scheme in (SCHEME_SIREN, SCHEME_SIRET)]
    numbers = ["".join(text.split()) for text in texts if text]
    siret = next((number for number in numbers if re.fullmatch(r"\d{14}", number)), None)
    siren = next((number for number in numbers if re.fullmatch(r"\d{9}", number)), None)
    return siren or (siret[:9] if siret else None), siret


def _identifier(party: etree._Element, scheme: str, place: str) -> str | None:
    steps = (place, "ID") if place else ("GlobalID",)
    for element in elements_at(party, *steps):
        if element.get("schemeID") == scheme:
            return text_of(element)
    return None


def _related(root: etree._Element) -> Iterator[RelatedDocument]:
    for kind, part, name in _RELATED:
        for element in elements_at(root, _TRANSACTION, part, name):
            number = text_at(element, "IssuerAssignedID|ID")
            if number:
                dated = element_at(element, "FormattedIssueDateTime|IssueDateTime")
                yield RelatedDocument(kind=kind, number=number, issue_date=_date(dated))


def _first(items: Iterator[RelatedDocument], limit: int) -> Iterator[RelatedDocument]:
    for _, item in zip(range(limit), items, strict=False):
        yield item


def _date(element: etree._Element | None) -> date | None:
    """A date in format 102 (CCYYMMDD, UNTDID 2379), the only one EN 16931 has; None for another."""
    if element is None:
        return None
    text = text_at(element, "DateTimeString") or ""
    if not re.fullmatch(r"\d{8}", text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a calendar day, without a time
    except ValueError:
        return None


def _match(pattern: str, text: str | None) -> str | None:
    return text if text and re.fullmatch(pattern, text) else None
