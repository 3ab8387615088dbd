"""Bad specimens: each is bad in the way its name says, and in no other, by judges that are not ours."""

from __future__ import annotations

import io
from pathlib import Path

import facturx
import pikepdf
import pytest
from lxml import etree

from archive_service.invoices.specimens import EXPECTED_PROBLEMS, make_bad
from tests.integration.specimens.judges import PdfaReport, Saxon, embedded_xml, xsd_errors
from tests.integration.specimens.judges import verapdf as run_verapdf

# What ISO 19005-3 says against these two: 6.5.1 no JavaScript, 6.2.11.4.1 fonts are embedded.
CLAIMS_ONLY = {"6.5.1", "6.2.11.4.1"}
SOUND_PDFA_3 = ("schematron", "xsd", "no-invoice", "xmp-disagrees", "not-xml", "unknown-profile")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind, written."""
    folder = tmp_path_factory.mktemp("bad")
    paths = {kind: folder / f"{kind}.pdf" for kind in EXPECTED_PROBLEMS}
    for kind, path in paths.items():
        path.write_bytes(make_bad(kind))
    return paths


@pytest.fixture(scope="module")
def reports(files: dict[str, Path], verapdf: tuple[Path, Path]) -> dict[str, PdfaReport]:
    """Run veraPDF's command line over all of them, once."""
    return run_verapdf(*verapdf, files.values())


@pytest.mark.parametrize("kind", SOUND_PDFA_3)
def test_nothing_else_is_wrong_with_it(kind: str, reports: dict[str, PdfaReport]) -> None:
    """Where the XML or its frame is at fault, the PDF/A-3 is sound: one reason for each refusal."""
    assert reports[f"{kind}.pdf"] == PdfaReport(conforms=True, flavour="3b", clauses=())


def test_schematron(files: dict[str, Path], schematron: Saxon) -> None:
    """Exactly the rule on the VAT total fails; the schema is content."""
    xml = embedded_xml(files["schematron"])
    assert xsd_errors(xml, "EN 16931") == ()
    assert len(schematron.failed(xml, "EN 16931")) == 1
    assert schematron.failed(xml, "EN 16931")[0].endswith("BR-CO-14")


def test_xsd(files: dict[str, Path]) -> None:
    """The schema misses the number, and nothing else."""
    (error,) = xsd_errors(embedded_xml(files["xsd"]), "EN 16931")
    assert "TypeCode" in error
    assert "ID" in error


def test_claims_pdfa(reports: dict[str, PdfaReport]) -> None:
    """It says PDF/A-3B in its XMP, and veraPDF finds the script and the missing fonts."""
    report = reports["claims-pdfa.pdf"]
    assert (report.conforms, report.flavour) == (False, "3b")
    assert set(report.clauses) == CLAIMS_ONLY


def test_not_pdfa(files: dict[str, Path], reports: dict[str, PdfaReport]) -> None:
    """It claims nothing and is nothing; any reader still opens it."""
    assert not reports["not-pdfa.pdf"].conforms
    with pikepdf.open(files["not-pdfa"]) as pdf:
        assert "/Metadata" not in pdf.Root
        assert len(pdf.pages) == 1


def test_pdfa_2(reports: dict[str, PdfaReport]) -> None:
    """A PDF/A-2B without a fault: only a profile that wants part 3 refuses it."""
    assert reports["pdfa-2.pdf"] == PdfaReport(conforms=True, flavour="2b", clauses=())


@pytest.mark.parametrize("kind", ["no-invoice", "pdfa-2"])
def test_no_invoice(kind: str, files: dict[str, Path]) -> None:
    """Nothing is attached, in no place where a reader looks."""
    with pikepdf.open(files[kind]) as pdf:
        assert not pdf.attachments
        assert "/AF" not in pdf.Root


def test_xmp_disagrees(files: dict[str, Path], schematron: Saxon) -> None:
    """The packet says BASIC, the XML is a valid EN 16931."""
    xml = embedded_xml(files["xmp-disagrees"])
    assert facturx.get_level(etree.fromstring(xml)) == "en16931"
    assert xsd_errors(xml, "EN 16931") == schematron.failed(xml, "EN 16931") == ()
    with pikepdf.open(files["xmp-disagrees"]) as pdf:
        packet = etree.fromstring(pdf.Root.Metadata.read_bytes())
    assert (
        packet.findtext(".//{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}ConformanceLevel")
        == "BASIC"
    )


def test_not_xml(files: dict[str, Path]) -> None:
    """No parser reads the attachment to its end."""
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(embedded_xml(files["not-xml"]))


def test_unknown_profile(files: dict[str, Path]) -> None:
    """The XML is well formed, and its guideline is nobody's."""
    root = etree.fromstring(embedded_xml(files["unknown-profile"]))
    assert (
        root.findtext(".//{*}GuidelineSpecifiedDocumentContextParameter/{*}ID") == "urn:example:invoice:2026"
    )


def test_encrypted(files: dict[str, Path]) -> None:
    """It is encrypted, and would open without a password."""
    with pikepdf.open(files["encrypted"]) as pdf:
        assert pdf.is_encrypted
        assert pdf.encryption.R == 6


def test_truncated(files: dict[str, Path], reports: dict[str, PdfaReport]) -> None:
    """Neither qpdf without guessing nor veraPDF reads it, though it begins as a good one does."""
    with pytest.raises(pikepdf.PdfError):
        pikepdf.open(files["truncated"], attempt_recovery=False)
    assert "truncated.pdf" not in reports
    assert files["truncated"].read_bytes().startswith(b"%PDF-1.7")


def test_number_and_date_can_be_chosen() -> None:
    """The demo deposits a bad invoice of its own number."""
    body = make_bad("schematron", number="F2026-77")
    with pikepdf.open(io.BytesIO(body)) as pdf:
        assert b">F2026-77<" in pdf.Root.AF[0].EF.F.read_bytes()


def test_unknown_kind() -> None:
    """A kind that there is not is refused."""
    with pytest.raises(ValueError, match="no specimen is bad in the way 'worse'"):
        make_bad("worse")
