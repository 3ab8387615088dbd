"""How an invoice must sit in its PDF: each rule of Factur-X 1.0x §6 broken on its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archive_service.invoices.container import check_container, find_invoice
from archive_service.invoices.findings import sentences
from archive_service.invoices.profiles import Declared, declared_profile
from archive_service.invoices.xml import XmlRefused, parse
from archive_service.model import Conformant, InvoiceProfile, NonConformant, Profile, Severity
from archive_service.pdf.embedded import Attachment
from archive_service.pdf.facts import PdfFacts
from archive_service.pdf.xmp import FacturxXmp

CLAIM = FacturxXmp(
    namespace="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
    document_type="INVOICE",
    file_name="factur-x.xml",
    version="1.0",
    conformance_level="EN 16931",
)
INVOICE = Attachment(
    name="factur-x.xml", relationship="Data", subtype="text/xml", data=b"<x/>", associated=True
)
PDF = PdfFacts(version="1.7", pages=1, attachments=(INVOICE,), facturx_xmp=CLAIM)


def _cii(identifier: str, *, root: str = "CrossIndustryInvoice") -> bytes:
    rsm = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
    ram = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
    guideline = f"<a:GuidelineSpecifiedDocumentContextParameter><a:ID>{identifier}</a:ID>"
    guideline += "</a:GuidelineSpecifiedDocumentContextParameter>"
    context = f"<r:ExchangedDocumentContext>{guideline}</r:ExchangedDocumentContext>"
    return f'<r:{root} xmlns:r="{rsm}" xmlns:a="{ram}">{context}</r:{root}>'.encode()


def _declared(identifier: str = "urn:cen.eu:en16931:2017") -> Declared:
    return declared_profile(parse(_cii(identifier)))


def test_a_container_that_keeps_every_rule_is_conformant() -> None:
    """No finding at all."""
    outcome = check_container(PDF, INVOICE, _declared(), Profile())
    assert isinstance(outcome, Conformant)
    assert outcome.findings == ()


@pytest.mark.parametrize(
    ("invoice", "claim", "rule"),
    [
        ({"name": "invoice.xml"}, {"file_name": "invoice.xml"}, "facturx.attachment.name"),
        ({"name": "Factur-X.xml"}, {"file_name": "Factur-X.xml"}, "facturx.attachment.name"),
        ({"associated": False}, {}, "facturx.attachment.not-associated"),
        ({"relationship": None}, {}, "facturx.attachment.relationship"),
        ({"relationship": "Supplement"}, {}, "facturx.attachment.relationship"),
        ({}, {"document_type": "ORDER"}, "facturx.xmp.document-type"),
        ({}, {"file_name": "zugferd-invoice.xml"}, "facturx.xmp.file-name"),
        ({}, {"version": None}, "facturx.xmp.version"),
        ({}, {"conformance_level": "BASIC"}, "facturx.xmp.conformance-level"),
        ({}, {"conformance_level": None}, "facturx.xmp.conformance-level"),
    ],
)
def test_each_broken_rule_is_an_error_of_its_own(
    invoice: dict[str, object], claim: dict[str, object], rule: str
) -> None:
    """One thing wrong, one error, with the rule's name."""
    file = replace(INVOICE, **invoice)
    pdf = replace(PDF, attachments=(file,), facturx_xmp=replace(CLAIM, **claim))
    outcome = check_container(pdf, file, _declared(), Profile())
    assert isinstance(outcome, NonConformant)
    assert [each.rule for each in outcome.findings] == [rule]


def test_without_fx_metadata_the_container_fails() -> None:
    """Factur-X 1.0x §6.3: the XMP extension is mandatory."""
    outcome = check_container(replace(PDF, facturx_xmp=None), INVOICE, _declared(), Profile())
    assert isinstance(outcome, NonConformant)
    assert [each.rule for each in outcome.findings] == ["facturx.xmp.missing"]


@pytest.mark.parametrize("relationship", ["Data", "Source", "Alternative"])
@pytest.mark.parametrize(
    ("identifier", "level"),
    [("urn:factur-x.eu:1p0:minimum", "MINIMUM"), ("urn:factur-x.eu:1p0:basicwl", "BASIC WL")],
)
def test_what_is_no_vat_invoice_must_be_data_and_is_flagged(
    identifier: str, level: str, relationship: str
) -> None:
    """MINIMUM and BASIC WL cannot stand for the invoice, so the PDF may not call them an alternative."""
    file = replace(INVOICE, relationship=relationship)
    pdf = replace(PDF, attachments=(file,), facturx_xmp=replace(CLAIM, conformance_level=level))
    outcome = check_container(pdf, file, _declared(identifier), Profile())
    assert isinstance(outcome, Conformant if relationship == "Data" else NonConformant)
    (flag,) = (each for each in outcome.findings if each.rule == "facturx.profile.not-a-vat-invoice")
    assert flag.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("identifier", "profile", "published"),
    [
        ("urn:factur-x.eu:1p0:minimum", InvoiceProfile.MINIMUM, True),
        ("urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic", InvoiceProfile.BASIC, True),
        ("urn:cen.eu:en16931:2017#conformant#urn:zugferd.de:2p0:extended", InvoiceProfile.EXTENDED, True),
        (
            "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr",
            InvoiceProfile.EXTENDED_CTC_FR,
            True,
        ),
        (
            "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
            InvoiceProfile.XRECHNUNG,
            True,
        ),
        ("urn:cen.eu:en16931:2017:compliant:factur-x.eu:1p0:extended", InvoiceProfile.EXTENDED, False),
        ("urn:cen.eu:en16931:2017#compliant#urn:example.org:other", InvoiceProfile.EN16931, False),
    ],
)
def test_the_profile_is_read_from_bt_24(identifier: str, profile: InvoiceProfile, published: bool) -> None:
    """Published identifiers are taken as they are; others in use are read and marked as unpublished."""
    declared = _declared(identifier)
    assert (declared.profile, declared.published) == (profile, published)


@pytest.mark.parametrize("identifier", ["", "urn:example.org:own", "urn:order-x.eu:1p0:comfort"])
def test_an_unknown_profile_is_refused(identifier: str) -> None:
    """Nothing could be checked against it."""
    with pytest.raises(XmlRefused) as refused:
        _declared(identifier)
    assert refused.value.finding.rule == "invoice.xml.unknown-profile"


def test_another_root_is_refused() -> None:
    """A UBL invoice, or anything else, is not Factur-X."""
    with pytest.raises(XmlRefused) as refused:
        declared_profile(parse(b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>'))
    assert refused.value.finding.rule == "invoice.xml.unknown-root"


def test_with_two_invoices_the_one_that_the_xmp_names_counts_if_its_level_exists() -> None:
    """Otherwise the first in the name tree's order; a container with two carries a warning."""
    old = replace(INVOICE, name="ZUGFeRD-invoice.xml")
    pdf = replace(PDF, attachments=(old, INVOICE))
    assert find_invoice(pdf) == INVOICE
    assert find_invoice(replace(pdf, facturx_xmp=replace(CLAIM, conformance_level="no thing"))) == old
    outcome = check_container(pdf, INVOICE, _declared(), Profile())
    assert [each.rule for each in outcome.findings] == ["facturx.attachment.several"]


def test_an_invoice_under_another_name_is_found_by_its_root() -> None:
    """So that the finding says what is wrong, instead of 'no invoice'."""
    file = replace(INVOICE, name="rechnung.xml", data=_cii("urn:cen.eu:en16931:2017"))
    other = replace(INVOICE, name="notes.xml", data=b"<notes/>")
    assert find_invoice(replace(PDF, attachments=(other, file))) == file
    assert find_invoice(replace(PDF, attachments=(other,))) is None


def test_every_sentence_exists_in_both_languages_with_the_same_places() -> None:
    """A French reader gets each argument that an English one gets."""
    for rule, texts in sentences().items():
        assert set(texts) == {"en", "fr"}, rule
        places = [sorted(part.split("}")[0] for part in text.split("{")[1:]) for text in texts.values()]
        assert places[0] == places[1], rule
