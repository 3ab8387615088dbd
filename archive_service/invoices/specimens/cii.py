"""A trade as a Cross Industry Invoice, in each Factur-X profile (Factur-X 1.0x, EN 16931-3-3).

Elements stand in the order of the XSD; what a profile does not have is left out.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from lxml import etree

from archive_service.invoices.specimens.trade import INTRA_EU, NOTES, Allowance, Company, Line, Tax, Trade

_NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}


class Level(enum.IntEnum):
    """How much a profile says, from the least to the most."""

    MINIMUM = 0
    BASIC_WL = 1
    BASIC = 2
    EN16931 = 3
    EXTENDED = 4


LEVELS = {
    "MINIMUM": Level.MINIMUM,
    "BASIC WL": Level.BASIC_WL,
    "BASIC": Level.BASIC,
    "EN 16931": Level.EN16931,
    "EXTENDED": Level.EXTENDED,
}
_GUIDELINES = {  # BT-24
    Level.MINIMUM: "urn:factur-x.eu:1p0:minimum",
    Level.BASIC_WL: "urn:factur-x.eu:1p0:basicwl",
    Level.BASIC: "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic",
    Level.EN16931: "urn:cen.eu:en16931:2017",
    Level.EXTENDED: "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended",
}


def invoice_tree(trade: Trade, level: Level) -> etree._Element:
    """Return the invoice's root element."""
    parts = (
        _node(
            "rsm:ExchangedDocumentContext",
            _node("ram:BusinessProcessSpecifiedDocumentContextParameter", _text("ram:ID", "B1")),
            _node("ram:GuidelineSpecifiedDocumentContextParameter", _text("ram:ID", _GUIDELINES[level])),
        ),
        _document(trade, level),
        _node(
            "rsm:SupplyChainTradeTransaction",
            *(_line(place, line, trade, level) for place, line in _lines(trade, level)),
            _agreement(trade, level),
            _delivery(trade, level),
            _settlement(trade, level),
        ),
    )
    root = etree.Element(_qualified("rsm:CrossIndustryInvoice"), nsmap=_NAMESPACES)
    root.extend([part for part in parts if part is not None])
    return root


def to_bytes(root: etree._Element) -> bytes:
    """Serialise, UTF-8 with a declaration and indented, as most producers do."""
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


# --- Building -----------------------------------------------------------------------------------


def _qualified(name: str) -> str:
    prefix, local = name.split(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


def _node(name: str, *children: etree._Element | None) -> etree._Element | None:
    """Return an element with those of the children that exist; None when there is none."""
    present = [child for child in children if child is not None]
    if not present:
        return None
    element = etree.Element(_qualified(name), nsmap=_NAMESPACES)
    element.extend(present)
    return element


def _text(name: str, text: str, **attributes: str) -> etree._Element | None:
    if not text:
        return None
    element = etree.Element(_qualified(name), attributes, nsmap=_NAMESPACES)
    element.text = text
    return element


def _day(name: str, day: date, prefix: str = "udt") -> etree._Element | None:
    return _node(name, _text(f"{prefix}:DateTimeString", f"{day:%Y%m%d}", format="102"))


def _amount(name: str, amount: Decimal, **attributes: str) -> etree._Element | None:
    return _text(name, f"{amount:.2f}", **attributes)


def _from(least: Level, level: Level, make: Callable[[], etree._Element | None]) -> etree._Element | None:
    return make() if level >= least else None


# --- Parts --------------------------------------------------------------------------------------


def _document(trade: Trade, level: Level) -> etree._Element | None:
    notes = NOTES if level >= Level.BASIC_WL else ()
    return _node(
        "rsm:ExchangedDocument",
        _text("ram:ID", trade.number),
        _from(Level.EXTENDED, level, lambda: _text("ram:Name", "FACTURE")),
        _text("ram:TypeCode", "380"),
        _day("ram:IssueDateTime", trade.issued),
        *(
            _node("ram:IncludedNote", _text("ram:Content", text), _text("ram:SubjectCode", subject))
            for subject, text in notes
        ),
    )


def _lines(trade: Trade, level: Level) -> list[tuple[int, Line]]:
    return list(enumerate(trade.lines, start=1)) if level >= Level.BASIC else []


def _line(place: int, line: Line, trade: Trade, level: Level) -> etree._Element | None:
    product = line.product
    order_line = _node("ram:BuyerOrderReferencedDocument", _text("ram:LineID", str(place)))
    return _node(
        "ram:IncludedSupplyChainTradeLineItem",
        _node("ram:AssociatedDocumentLineDocument", _text("ram:LineID", str(place))),
        _node(
            "ram:SpecifiedTradeProduct",
            _from(Level.EN16931, level, lambda: _text("ram:SellerAssignedID", product.reference)),
            _text("ram:Name", product.name),
        ),
        _node(
            "ram:SpecifiedLineTradeAgreement",
            order_line if level >= Level.EN16931 else None,
            _node("ram:NetPriceProductTradePrice", _amount("ram:ChargeAmount", product.price)),
        ),
        _node(
            "ram:SpecifiedLineTradeDelivery",
            _text("ram:BilledQuantity", f"{line.quantity:.2f}", unitCode=product.unit),
        ),
        _node(
            "ram:SpecifiedLineTradeSettlement",
            _node(
                "ram:ApplicableTradeTax",
                _text("ram:TypeCode", "VAT"),
                _text("ram:CategoryCode", trade.taxes[0].category),
                _amount("ram:RateApplicablePercent", line.rate),
            ),
            _node(
                "ram:SpecifiedTradeSettlementLineMonetarySummation",
                _amount("ram:LineTotalAmount", line.net),
            ),
        ),
    )


def _agreement(trade: Trade, level: Level) -> etree._Element | None:
    return _node(
        "ram:ApplicableHeaderTradeAgreement",
        _text("ram:BuyerReference", "SERVICE-ACHATS"),
        _party("ram:SellerTradeParty", trade.seller, level, is_seller=True),
        _party("ram:BuyerTradeParty", trade.buyer, level, is_seller=False),
        _reference("ram:BuyerOrderReferencedDocument", trade.order, trade.order_date, level),
        _from(
            Level.BASIC_WL,
            level,
            lambda: _node("ram:ContractReferencedDocument", _text("ram:IssuerAssignedID", trade.contract)),
        ),
    )


def _reference(name: str, number: str, day: date, level: Level) -> etree._Element | None:
    return _node(
        name,
        _text("ram:IssuerAssignedID", number),
        _from(Level.EXTENDED, level, lambda: _day("ram:FormattedIssueDateTime", day, "qdt")),
    )


def _party(name: str, company: Company, level: Level, *, is_seller: bool) -> etree._Element | None:
    full = level >= Level.BASIC_WL
    vat = _node("ram:SpecifiedTaxRegistration", _text("ram:ID", company.vat_id, schemeID="VA"))
    legal = _node("ram:SpecifiedLegalOrganization", _text("ram:ID", company.siren, schemeID="0002"))
    return _node(
        name,
        _text("ram:GlobalID", company.siret, schemeID="0009") if full else None,
        _text("ram:Name", company.name),
        _text("ram:Description", company.legal) if is_seller and level >= Level.EN16931 else None,
        legal,
        _from(Level.EN16931, level, lambda: _contact(company)),
        _address(company) if full else _country(company) if is_seller else None,
        _electronic_address(company) if full else None,
        vat if full or is_seller else None,
    )


def _contact(company: Company) -> etree._Element | None:
    return _node(
        "ram:DefinedTradeContact",
        _text("ram:PersonName", company.contact),
        _node("ram:TelephoneUniversalCommunication", _text("ram:CompleteNumber", company.phone)),
        _node("ram:EmailURIUniversalCommunication", _text("ram:URIID", company.email)),
    )


def _address(company: Company) -> etree._Element | None:
    return _node(
        "ram:PostalTradeAddress",
        _text("ram:PostcodeCode", company.postcode),
        _text("ram:LineOne", company.street),
        _text("ram:CityName", company.city),
        _text("ram:CountryID", company.country),
    )


def _country(company: Company) -> etree._Element | None:
    return _node("ram:PostalTradeAddress", _text("ram:CountryID", company.country))


def _electronic_address(company: Company) -> etree._Element | None:
    """BT-34 and BT-49: in France the SIREN under scheme 0225, elsewhere an e-mail address (EM)."""
    french = bool(company.siren)
    address = _text(
        "ram:URIID", company.siren if french else company.email, schemeID="0225" if french else "EM"
    )
    return _node("ram:URIUniversalCommunication", address)


def _delivery(trade: Trade, level: Level) -> etree._Element | None:
    delivery = etree.Element(_qualified("ram:ApplicableHeaderTradeDelivery"), nsmap=_NAMESPACES)
    if level >= Level.BASIC_WL:
        parts = (
            _node("ram:ShipToTradeParty", _text("ram:Name", trade.buyer.name), _address(trade.buyer)),
            _node(
                "ram:ActualDeliverySupplyChainEvent",
                _day("ram:OccurrenceDateTime", trade.delivered),
            ),
            _node(
                "ram:DespatchAdviceReferencedDocument",
                _text("ram:IssuerAssignedID", trade.despatch),
            ),
        )
        delivery.extend([part for part in parts if part is not None])
    return delivery


def _settlement(trade: Trade, level: Level) -> etree._Element | None:
    full = level >= Level.BASIC_WL
    return _node(
        "ram:ApplicableHeaderTradeSettlement",
        _text("ram:PaymentReference", trade.number) if full else None,
        _text("ram:InvoiceCurrencyCode", "EUR"),
        _payment_means(trade, level) if full else None,
        *(_tax(tax) for tax in trade.taxes if full),
        _allowance(trade.allowance) if full and trade.allowance else None,
        _terms(trade, level) if full else None,
        _summation(trade, full=full),
    )


def _payment_means(trade: Trade, level: Level) -> etree._Element | None:
    seller = trade.seller
    named = level >= Level.EN16931
    return _node(
        "ram:SpecifiedTradeSettlementPaymentMeans",
        _text("ram:TypeCode", "58"),  # UNTDID 4461: SEPA credit transfer
        _text("ram:Information", "Virement SEPA") if named else None,
        _node(
            "ram:PayeePartyCreditorFinancialAccount",
            _text("ram:IBANID", seller.iban),
            _text("ram:AccountName", seller.name) if named else None,
        ),
        _node("ram:PayeeSpecifiedCreditorFinancialInstitution", _text("ram:BICID", seller.bic))
        if named
        else None,
    )


def _tax(tax: Tax) -> etree._Element | None:
    exempt = tax.category == "K"
    return _node(
        "ram:ApplicableTradeTax",
        _amount("ram:CalculatedAmount", tax.amount),
        _text("ram:TypeCode", "VAT"),
        _text("ram:ExemptionReason", INTRA_EU) if exempt else None,
        _amount("ram:BasisAmount", tax.basis),
        _text("ram:CategoryCode", tax.category),
        _text("ram:ExemptionReasonCode", "VATEX-EU-IC") if exempt else None,
        _amount("ram:RateApplicablePercent", tax.rate),
    )


def _allowance(allowance: Allowance) -> etree._Element | None:
    return _node(
        "ram:SpecifiedTradeAllowanceCharge",
        _node("ram:ChargeIndicator", _text("udt:Indicator", "false")),
        _amount("ram:CalculationPercent", allowance.percent),
        _amount("ram:BasisAmount", allowance.basis),
        _amount("ram:ActualAmount", allowance.amount),
        _text("ram:ReasonCode", "95"),  # UNTDID 5189: discount
        _text("ram:Reason", "Remise commerciale"),
        _node(
            "ram:CategoryTradeTax",
            _text("ram:TypeCode", "VAT"),
            _text("ram:CategoryCode", allowance.category),
            _amount("ram:RateApplicablePercent", allowance.rate),
        ),
    )


def _terms(trade: Trade, level: Level) -> etree._Element | None:
    sentence = "Paiement à 30 jours date de facture."
    return _node(
        "ram:SpecifiedTradePaymentTerms",
        _text("ram:Description", sentence) if level >= Level.EN16931 else None,
        _day("ram:DueDateDateTime", trade.due),
    )


def _summation(trade: Trade, *, full: bool) -> etree._Element | None:
    return _node(
        "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
        _amount("ram:LineTotalAmount", trade.line_total) if full else None,
        _amount("ram:AllowanceTotalAmount", trade.allowance_total) if full and trade.allowance else None,
        _amount("ram:TaxBasisTotalAmount", trade.tax_basis),
        _amount("ram:TaxTotalAmount", trade.tax_total, currencyID="EUR"),
        _amount("ram:GrandTotalAmount", trade.grand_total),
        _amount("ram:DuePayableAmount", trade.grand_total),
    )
