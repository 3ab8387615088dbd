"""A trade as a Cross Industry Invoice, in each Factur-X profile (Factur-X 1.0x, EN 16931-3-3).

Elements stand in the order of the XSD; what a profile does not have is left out.
"""

from __future__ import annotations

from datetime import date

from lxml import etree

from archive_service.invoices.specimens.elements import (
    NAMESPACES,
    Level,
    amount_leaf,
    dated,
    from_level,
    leaf,
    node,
    qualified,
)
from archive_service.invoices.specimens.trade import INTRA_EU, NOTES, Allowance, Company, Line, Tax, Trade

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
        node(
            "rsm:ExchangedDocumentContext",
            node("ram:BusinessProcessSpecifiedDocumentContextParameter", leaf("ram:ID", "B1")),
            node("ram:GuidelineSpecifiedDocumentContextParameter", leaf("ram:ID", _GUIDELINES[level])),
        ),
        _document(trade, level),
        node(
            "rsm:SupplyChainTradeTransaction",
            *(_line(place, line, trade, level) for place, line in _lines(trade, level)),
            _agreement(trade, level),
            _delivery(trade, level),
            _settlement(trade, level),
        ),
    )
    root = etree.Element(qualified("rsm:CrossIndustryInvoice"), nsmap=NAMESPACES)
    root.extend([part for part in parts if part is not None])
    return root


def to_bytes(root: etree._Element) -> bytes:
    """Serialise, UTF-8 with a declaration and indented, as most producers do."""
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _document(trade: Trade, level: Level) -> etree._Element | None:
    notes = NOTES if level >= Level.BASIC_WL else ()
    return node(
        "rsm:ExchangedDocument",
        leaf("ram:ID", trade.number),
        from_level(Level.EXTENDED, level, lambda: leaf("ram:Name", "FACTURE")),
        leaf("ram:TypeCode", "380"),
        dated("ram:IssueDateTime", trade.issued),
        *(
            node("ram:IncludedNote", leaf("ram:Content", text), leaf("ram:SubjectCode", subject))
            for subject, text in notes
        ),
    )


def _lines(trade: Trade, level: Level) -> list[tuple[int, Line]]:
    return list(enumerate(trade.lines, start=1)) if level >= Level.BASIC else []


def _line(place: int, line: Line, trade: Trade, level: Level) -> etree._Element | None:
    product = line.product
    order_line = node("ram:BuyerOrderReferencedDocument", leaf("ram:LineID", str(place)))
    return node(
        "ram:IncludedSupplyChainTradeLineItem",
        node("ram:AssociatedDocumentLineDocument", leaf("ram:LineID", str(place))),
        node(
            "ram:SpecifiedTradeProduct",
            from_level(Level.EN16931, level, lambda: leaf("ram:SellerAssignedID", product.reference)),
            leaf("ram:Name", product.name),
        ),
        node(
            "ram:SpecifiedLineTradeAgreement",
            order_line if level >= Level.EN16931 else None,
            node("ram:NetPriceProductTradePrice", amount_leaf("ram:ChargeAmount", product.price)),
        ),
        node(
            "ram:SpecifiedLineTradeDelivery",
            leaf("ram:BilledQuantity", f"{line.quantity:.2f}", unitCode=product.unit),
        ),
        node(
            "ram:SpecifiedLineTradeSettlement",
            node(
                "ram:ApplicableTradeTax",
                leaf("ram:TypeCode", "VAT"),
                leaf("ram:CategoryCode", trade.taxes[0].category),
                amount_leaf("ram:RateApplicablePercent", line.rate),
            ),
            node(
                "ram:SpecifiedTradeSettlementLineMonetarySummation",
                amount_leaf("ram:LineTotalAmount", line.net),
            ),
        ),
    )


def _agreement(trade: Trade, level: Level) -> etree._Element | None:
    return node(
        "ram:ApplicableHeaderTradeAgreement",
        leaf("ram:BuyerReference", "SERVICE-ACHATS"),
        _party("ram:SellerTradeParty", trade.seller, level, is_seller=True),
        _party("ram:BuyerTradeParty", trade.buyer, level, is_seller=False),
        _reference("ram:BuyerOrderReferencedDocument", trade.order, trade.order_date, level),
        from_level(
            Level.BASIC_WL,
            level,
            lambda: node("ram:ContractReferencedDocument", leaf("ram:IssuerAssignedID", trade.contract)),
        ),
    )


def _reference(name: str, number: str, day: date, level: Level) -> etree._Element | None:
    return node(
        name,
        leaf("ram:IssuerAssignedID", number),
        from_level(Level.EXTENDED, level, lambda: dated("ram:FormattedIssueDateTime", day, "qdt")),
    )


def _party(name: str, company: Company, level: Level, *, is_seller: bool) -> etree._Element | None:
    full = level >= Level.BASIC_WL
    vat = node("ram:SpecifiedTaxRegistration", leaf("ram:ID", company.vat_id, schemeID="VA"))
    legal = node("ram:SpecifiedLegalOrganization", leaf("ram:ID", company.siren, schemeID="0002"))
    return node(
        name,
        leaf("ram:GlobalID", company.siret, schemeID="0009") if full else None,
        leaf("ram:Name", company.name),
        leaf("ram:Description", company.legal) if is_seller and level >= Level.EN16931 else None,
        legal,
        from_level(Level.EN16931, level, lambda: _contact(company)),
        _address(company) if full else _country(company) if is_seller else None,
        _electronic_address(company) if full else None,
        vat if full or is_seller else None,
    )


def _contact(company: Company) -> etree._Element | None:
    return node(
        "ram:DefinedTradeContact",
        leaf("ram:PersonName", company.contact),
        node("ram:TelephoneUniversalCommunication", leaf("ram:CompleteNumber", company.phone)),
        node("ram:EmailURIUniversalCommunication", leaf("ram:URIID", company.email)),
    )


def _address(company: Company) -> etree._Element | None:
    return node(
        "ram:PostalTradeAddress",
        leaf("ram:PostcodeCode", company.postcode),
        leaf("ram:LineOne", company.street),
        leaf("ram:CityName", company.city),
        leaf("ram:CountryID", company.country),
    )


def _country(company: Company) -> etree._Element | None:
    return node("ram:PostalTradeAddress", leaf("ram:CountryID", company.country))


def _electronic_address(company: Company) -> etree._Element | None:
    """BT-34 and BT-49: in France the SIREN under scheme 0225, elsewhere an e-mail address (EM)."""
    french = bool(company.siren)
    address = leaf(
        "ram:URIID", company.siren if french else company.email, schemeID="0225" if french else "EM"
    )
    return node("ram:URIUniversalCommunication", address)


def _delivery(trade: Trade, level: Level) -> etree._Element | None:
    delivery = etree.Element(qualified("ram:ApplicableHeaderTradeDelivery"), nsmap=NAMESPACES)
    if level >= Level.BASIC_WL:
        parts = (
            node("ram:ShipToTradeParty", leaf("ram:Name", trade.buyer.name), _address(trade.buyer)),
            node(
                "ram:ActualDeliverySupplyChainEvent",
                dated("ram:OccurrenceDateTime", trade.delivered),
            ),
            node(
                "ram:DespatchAdviceReferencedDocument",
                leaf("ram:IssuerAssignedID", trade.despatch),
            ),
        )
        delivery.extend([part for part in parts if part is not None])
    return delivery


def _settlement(trade: Trade, level: Level) -> etree._Element | None:
    full = level >= Level.BASIC_WL
    return node(
        "ram:ApplicableHeaderTradeSettlement",
        leaf("ram:PaymentReference", trade.number) if full else None,
        leaf("ram:InvoiceCurrencyCode", "EUR"),
        _payment_means(trade, level) if full else None,
        *(_tax(tax) for tax in trade.taxes if full),
        _allowance(trade.allowance) if full and trade.allowance else None,
        _terms(trade, level) if full else None,
        _summation(trade, full=full),
    )


def _payment_means(trade: Trade, level: Level) -> etree._Element | None:
    seller = trade.seller
    named = level >= Level.EN16931
    return node(
        "ram:SpecifiedTradeSettlementPaymentMeans",
        leaf("ram:TypeCode", "58"),  # UNTDID 4461: SEPA credit transfer
        leaf("ram:Information", "Virement SEPA") if named else None,
        node(
            "ram:PayeePartyCreditorFinancialAccount",
            leaf("ram:IBANID", seller.iban),
            leaf("ram:AccountName", seller.name) if named else None,
        ),
        node("ram:PayeeSpecifiedCreditorFinancialInstitution", leaf("ram:BICID", seller.bic))
        if named
        else None,
    )


def _tax(tax: Tax) -> etree._Element | None:
    exempt = tax.category == "K"
    return node(
        "ram:ApplicableTradeTax",
        amount_leaf("ram:CalculatedAmount", tax.amount),
        leaf("ram:TypeCode", "VAT"),
        leaf("ram:ExemptionReason", INTRA_EU) if exempt else None,
        amount_leaf("ram:BasisAmount", tax.basis),
        leaf("ram:CategoryCode", tax.category),
        leaf("ram:ExemptionReasonCode", "VATEX-EU-IC") if exempt else None,
        amount_leaf("ram:RateApplicablePercent", tax.rate),
    )


def _allowance(allowance: Allowance) -> etree._Element | None:
    return node(
        "ram:SpecifiedTradeAllowanceCharge",
        node("ram:ChargeIndicator", leaf("udt:Indicator", "false")),
        amount_leaf("ram:CalculationPercent", allowance.percent),
        amount_leaf("ram:BasisAmount", allowance.basis),
        amount_leaf("ram:ActualAmount", allowance.amount),
        leaf("ram:ReasonCode", "95"),  # UNTDID 5189: discount
        leaf("ram:Reason", "Remise commerciale"),
        node(
            "ram:CategoryTradeTax",
            leaf("ram:TypeCode", "VAT"),
            leaf("ram:CategoryCode", allowance.category),
            amount_leaf("ram:RateApplicablePercent", allowance.rate),
        ),
    )


def _terms(trade: Trade, level: Level) -> etree._Element | None:
    sentence = "Paiement à 30 jours date de facture."
    return node(
        "ram:SpecifiedTradePaymentTerms",
        leaf("ram:Description", sentence) if level >= Level.EN16931 else None,
        dated("ram:DueDateDateTime", trade.due),
    )


def _summation(trade: Trade, *, full: bool) -> etree._Element | None:
    return node(
        "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
        amount_leaf("ram:LineTotalAmount", trade.line_total) if full else None,
        amount_leaf("ram:AllowanceTotalAmount", trade.allowance_total) if full and trade.allowance else None,
        amount_leaf("ram:TaxBasisTotalAmount", trade.tax_basis),
        amount_leaf("ram:TaxTotalAmount", trade.tax_total, currencyID="EUR"),
        amount_leaf("ram:GrandTotalAmount", trade.grand_total),
        amount_leaf("ram:DuePayableAmount", trade.grand_total),
    )
