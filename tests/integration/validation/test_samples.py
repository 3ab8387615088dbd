"""Each published sample gets the verdict of its table, made with the tools directly (see its README)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from archive_service.adapters.schematron import Schematron
from archive_service.adapters.verapdf import VeraPdf
from archive_service.invoices.check import check_invoice
from archive_service.model import Conformant, NonConformant, Outcome, Profile, Severity
from archive_service.pdf.facts import PdfRefused
from archive_service.pdf.guard import PdfReader

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"
pytestmark = [
    pytest.mark.samples,
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder of published samples is not here"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the table. ``errors`` and ``warnings`` are the Schematron's; None: not run."""

    file: str
    flavour: str | None = "3b"
    pdfa: bool = True
    profile: str | None = "EN 16931"
    container: bool | None = True
    xsd: bool | None = True
    errors: int | None = 0
    flagged: bool = False


TABLE = (
    Row(file="EN16931_Einfach.pdf"),
    Row(file="EN16931_Rabatte.pdf"),
    Row(file="EN16931_Elektron.pdf"),
    Row(file="Facture_FR_EN16931.pdf"),
    Row(file="Facture_FR_BASICWL.pdf", profile="BASIC WL", flagged=True),
    Row(file="Facture_DOM_MINIMUM.pdf", profile="MINIMUM", flagged=True),
    Row(file="validAvoir_FR_type380_BASICWL.pdf", profile="BASIC WL", flagged=True),
    Row(file="Facture_F20180027.pdf"),
    Row(file="Facture_UE_EN16931.pdf", errors=1),
    Row(file="XMLinvalidV2PDF.pdf", flavour="3u", profile="EXTENDED", xsd=False, errors=1),
    Row(file="invalidXMP.pdf", flavour="3u", profile="ZUGFeRD 1", container=False, errors=None),
    Row(file="python-factur-x.pdf", pdfa=False, profile="BASIC", xsd=False, errors=1),
    Row(file="plain_PDFA1.pdf", flavour="1a", profile=None, container=None, xsd=None, errors=None),
    Row(
        file="plain_not_PDFA.pdf",
        flavour=None,
        pdfa=False,
        profile=None,
        container=None,
        xsd=None,
        errors=None,
    ),
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.file)
def test_sample_gets_its_verdict(
    row: Row, verapdf: VeraPdf, schematron: Schematron, pdf_reader: PdfReader
) -> None:
    """PDF/A flavour and conformance, profile, container, XSD and Schematron errors are the table's."""
    path = SAMPLES / row.file
    pdfa = verapdf.validate(path)
    facts = pdf_reader.read(path)
    invoice = check_invoice(facts, schematron=schematron, profile=Profile())

    assert (pdfa.flavour, _passed(pdfa.outcome)) == (row.flavour, row.pdfa)
    assert (invoice.profile.value if invoice.profile else None) == row.profile
    assert _passed(invoice.container) == row.container
    assert _passed(invoice.xsd) == row.xsd
    assert _count(invoice.schematron, Severity.ERROR) == row.errors
    flags = [each.rule for each in _findings(invoice.container)]
    assert ("facturx.profile.not-a-vat-invoice" in flags) == row.flagged


def test_unreadable_sample_is_refused_by_both_readers(verapdf: VeraPdf, pdf_reader: PdfReader) -> None:
    """A cross-reference table at the wrong place: unreadable for us, a parse failure for veraPDF."""
    path = SAMPLES / "corruptedV2PDF.pdf"
    with pytest.raises(PdfRefused) as refused:
        pdf_reader.read(path)
    assert refused.value.slug == "unreadable-pdf"
    assert [each.rule for each in _findings(verapdf.validate(path).outcome)] == ["verapdf:parse"]


def test_warnings_are_kept_and_do_not_reject(schematron: Schematron, pdf_reader: PdfReader) -> None:
    """EN16931_Rabatte has four warnings and no error, by its table."""
    facts = pdf_reader.read(SAMPLES / "EN16931_Rabatte.pdf")
    outcome = check_invoice(facts, schematron=schematron, profile=Profile()).schematron
    assert isinstance(outcome, Conformant)
    assert _count(outcome, Severity.WARNING) == 4


def test_the_one_error_of_the_table_is_named(schematron: Schematron, pdf_reader: PdfReader) -> None:
    """Facture_UE_EN16931 breaks BR-IC-11, and the finding says so and where."""
    facts = pdf_reader.read(SAMPLES / "Facture_UE_EN16931.pdf")
    outcome = check_invoice(facts, schematron=schematron, profile=Profile()).schematron
    errors = [each for each in _findings(outcome) if each.severity is Severity.ERROR]
    assert [each.rule for each in errors] == ["en16931:BR-IC-11"]
    assert "ram:ApplicableTradeTax" in (errors[0].location or "")


def test_french_rules_run_for_a_french_seller_only(schematron: Schematron, pdf_reader: PdfReader) -> None:
    """A seller in France gets the BR-FR findings; a German one gets no national outcome at all."""
    french = pdf_reader.read(SAMPLES / "Facture_FR_EN16931.pdf")
    german = pdf_reader.read(SAMPLES / "EN16931_Einfach.pdf")
    national = check_invoice(french, schematron=schematron, profile=Profile()).national
    assert any(each.rule.startswith("fr-ctc:BR-FR-") for each in _findings(national))
    assert check_invoice(german, schematron=schematron, profile=Profile()).national is None


def test_zugferd_1_is_a_finding_that_a_profile_can_accept(
    schematron: Schematron, pdf_reader: PdfReader
) -> None:
    """ZUGFeRD 1 is an error by default and a warning where the tenant's profile takes it."""
    facts = pdf_reader.read(SAMPLES / "invalidXMP.pdf")
    for accepted, expected in ((False, Severity.ERROR), (True, Severity.WARNING)):
        profile = Profile(accept_zugferd_1=accepted)
        container = check_invoice(facts, schematron=schematron, profile=profile).container
        severities = {
            each.severity for each in _findings(container) if each.rule == "facturx.profile.zugferd-1"
        }
        assert severities == {expected}


def _passed(outcome: Outcome | None) -> bool | None:
    if outcome is None:
        return None
    assert isinstance(outcome, Conformant | NonConformant), outcome
    return isinstance(outcome, Conformant)


def _findings(outcome: Outcome | None) -> tuple:
    return outcome.findings if isinstance(outcome, Conformant | NonConformant) else ()


def _count(outcome: Outcome | None, severity: Severity) -> int | None:
    return None if outcome is None else sum(each.severity is severity for each in _findings(outcome))
