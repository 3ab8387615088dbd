"""What is read from an invoice's XML, from documents made by another implementation (drafthorse)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from drafthorse.models.document import Document
from drafthorse.models.party import TaxRegistration

from archive_service.invoices.read import read_facts
from archive_service.invoices.xml import MAX_XML_BYTES, XmlRefused, parse
from archive_service.model import InvoiceProfile, RelatedDocument


def _document() -> Document:
    made = Document()
    made.context.guideline_parameter.id = "urn:cen.eu:en16931:2017"
    made.header.id = "FA-2026-001"
    made.header.type_code = "381"
    made.header.issue_date_time = date(2026, 3, 31)
    seller = made.trade.agreement.seller
    seller.name = "Éditions Dupont"
    seller.address.country_id = "FR"
    seller.legal_organization.id = ("0002", "732829320")
    seller.tax_registrations.add(TaxRegistration(id=("VA", "FR 44 732 829 320")))
    buyer = made.trade.agreement.buyer
    buyer.name = "Käufer GmbH"
    buyer.address.country_id = "DE"
    made.trade.agreement.buyer_order.issuer_assigned_id = "BC-7"
    made.trade.agreement.contract.issuer_assigned_id = "CT-1"
    made.trade.settlement.currency_code = "EUR"
    made.trade.settlement.monetary_summation.grand_total = (Decimal("-120.50"), "EUR")
    previous = made.trade.settlement.invoice_referenced_document
    previous.issuer_assigned_id = "FA-2026-000"
    previous.issue_date_time = datetime(2026, 2, 28, tzinfo=UTC)
    return made


def test_every_field_is_read() -> None:
    """BT-1, 2, 3, 5, 12, 13, 25, 26, 27, 30, 31, 40, 44, 55 and 112, as drafthorse writes them."""
    facts = read_facts(parse(_document().serialize(schema=None)), InvoiceProfile.EN16931)
    assert (facts.number, facts.type_code, facts.issue_date) == ("FA-2026-001", "381", date(2026, 3, 31))
    assert (facts.currency, facts.total_with_vat) == ("EUR", "-120.50")
    assert (facts.seller.name, facts.seller.country) == ("Éditions Dupont", "FR")
    assert (facts.seller.siren, facts.seller.siret) == ("732829320", None)
    assert facts.seller.vat_id == "FR44732829320"  # spaces in an identifier carry no meaning
    assert (facts.buyer.name, facts.buyer.country) == ("Käufer GmbH", "DE")
    assert facts.related == (
        RelatedDocument(kind="order", number="BC-7"),
        RelatedDocument(kind="contract", number="CT-1"),
        RelatedDocument(kind="invoice", number="FA-2026-000", issue_date=date(2026, 2, 28)),
    )


@pytest.mark.parametrize(
    ("scheme", "number", "siren", "siret"),
    [
        ("0002", "732829320", "732829320", None),
        ("0009", "73282932000074", "732829320", "73282932000074"),
        ("0002", "732 829 320 00074", "732829320", "73282932000074"),  # a SIRET under the SIREN's scheme
        ("0002", "RCS Paris", None, None),
        ("0088", "732829320", None, None),
    ],
)
def test_siren_and_siret_are_told_apart(
    scheme: str, number: str, siren: str | None, siret: str | None
) -> None:
    """By scheme (ISO 6523) and by length: 9 digits, or 14 that begin with the 9."""
    made = _document()
    made.trade.agreement.seller.legal_organization.id = (scheme, number)
    seller = read_facts(parse(made.serialize(schema=None)), InvoiceProfile.EN16931).seller
    assert (seller.siren, seller.siret) == (siren, siret)


@pytest.mark.parametrize(
    ("written", "replaced"),
    [(b"20260331", b"20260231"), (b"20260331", b"2026-03-31"), (b"20260331", b"")],
)
def test_a_date_that_is_none_is_left_out(written: bytes, replaced: bytes) -> None:
    """The 31st of February, another format, nothing: the fact is missing, never guessed."""
    xml = _document().serialize(schema=None).replace(written, replaced)
    assert read_facts(parse(xml), InvoiceProfile.EN16931).issue_date is None


def test_facts_of_a_bare_root_are_empty() -> None:
    """Nothing said, nothing read, nothing raised."""
    facts = read_facts(parse(b"<a/>"), InvoiceProfile.MINIMUM)
    assert (facts.number, facts.issue_date, facts.seller.name, facts.related) == (None, None, None, ())


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "invoice.xml.malformed"),
        (b"<a>", "invoice.xml.malformed"),
        (b"<a>\x00</a>", "invoice.xml.malformed"),
        (b"<a>&undefined;</a>", "invoice.xml.malformed"),
        (b"<a>" * 300 + b"</a>" * 300, "invoice.xml.malformed"),  # deeper than 256
        (b"<!DOCTYPE a><a/>", "invoice.xml.doctype"),
        (b" " * (MAX_XML_BYTES + 1), "invoice.xml.too-large"),
    ],
    ids=["empty", "open", "nul", "entity", "deep", "doctype", "large"],
)
def test_xml_that_is_not_taken_is_refused_by_its_kind(data: bytes, rule: str) -> None:
    """Each refusal names its rule, and one slug covers them."""
    with pytest.raises(XmlRefused) as refused:
        parse(data)
    assert (refused.value.finding.rule, refused.value.slug) == (rule, "invoice-xml")


def test_entities_that_grow_are_refused() -> None:
    """A billion laughs, in text and in an attribute: refused as a DOCTYPE, in no time and space."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    for body in ("<a>&e9;</a>", '<a b="&e9;"/>'):
        with pytest.raises(XmlRefused) as refused:
            parse(f'<!DOCTYPE a [<!ENTITY e0 "ha">{levels}]>{body}'.encode())
        assert refused.value.finding.rule == "invoice.xml.doctype"
