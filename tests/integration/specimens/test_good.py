"""Good specimens: every judge is content, and page and XML say the same."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import drafthorse.models.document
import facturx
import pikepdf
import pytest
import stdnum.eu.vat
import stdnum.fr.siren
import stdnum.fr.siret
import stdnum.iban
from lxml import etree

from archive_service.invoices.specimens import BREAKABLE_RULES, PROFILES, SELLER_COUNTRIES, make_invoice
from archive_service.invoices.specimens.companies import BUYERS, SELLERS
from tests.integration.specimens.judges import PdfaReport, Saxon, embedded_xml, xsd_errors
from tests.integration.specimens.judges import verapdf as run_verapdf

ISSUED = date(2026, 11, 2)
# One for each profile, seller and country; with and without a discount, a picture, a second page.
VARIANTS = {
    **{f"profile-{profile}": {"profile": profile} for profile in PROFILES},
    **{f"seller-{seed}": {"seed": seed, "lines": 7} for seed in range(len(SELLERS["FR"]))},
    **{f"country-{country}": {"seller_country": country} for country in SELLER_COUNTRIES},
    **{f"country-{country}-basic": {"seller_country": country, "profile": "BASIC WL"} for country in ("DE",)},
    "picture": {"kilobytes": 150, "lines": 12},
    "pages": {"lines": 90, "seed": 1},
    "one-line": {"lines": 1, "seed": 4},
    **{f"drawn-{seed}": {"seed": seed, "lines": 5} for seed in range(10, 20)},
}


def _write(folder: Path, name: str, **arguments: object) -> Path:
    path = folder / f"{name.replace(' ', '-')}.pdf"
    path.write_bytes(
        make_invoice(number=f"F2026-{name[:20]}".replace(" ", "-"), issue_date=ISSUED, **arguments)
    )
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every variant, written."""
    folder = tmp_path_factory.mktemp("specimens")
    return {name: _write(folder, name, **arguments) for name, arguments in VARIANTS.items()}


@pytest.fixture(scope="module")
def reports(files: dict[str, Path], verapdf: tuple[Path, Path]) -> dict[str, PdfaReport]:
    """Run veraPDF's command line over all of them, once."""
    return run_verapdf(*verapdf, files.values())


def _profile(name: str) -> str:
    return str(VARIANTS[name].get("profile", "EN 16931"))


@pytest.mark.parametrize("name", VARIANTS)
def test_verapdf_finds_nothing(name: str, files: dict[str, Path], reports: dict[str, PdfaReport]) -> None:
    """Each is PDF/A-3B, says veraPDF's command line."""
    assert reports[files[name].name] == PdfaReport(conforms=True, flavour="3b", clauses=())


@pytest.mark.parametrize("name", VARIANTS)
def test_xsd_and_schematron_find_nothing(name: str, files: dict[str, Path], schematron: Saxon) -> None:
    """The XML is valid by the schema and the Schematron of its profile, each run directly."""
    xml = embedded_xml(files[name])
    assert xsd_errors(xml, _profile(name)) == ()
    assert schematron.failed(xml, _profile(name)) == ()


@pytest.mark.parametrize("name", [name for name in VARIANTS if not name.startswith("country-")])
def test_french_rules(name: str, files: dict[str, Path], schematron: Saxon) -> None:
    """BR-FR finds nothing in a French seller's invoice; MINIMUM has no room for what it asks."""
    failed = set(schematron.failed(embedded_xml(files[name]), "BR-FR"))
    notes = {"BR-FR-05_BT-22_PMT", "BR-FR-05_BT-22_PMD", "BR-FR-05_BT-22_AAB"}
    missing = notes | {"BR-FR-12_BT-49", "BR-FR-13_BT-34"}
    assert failed == (missing if _profile(name) == "MINIMUM" else set())


@pytest.mark.parametrize("name", VARIANTS)
def test_another_reader_finds_the_invoice(name: str, files: dict[str, Path]) -> None:
    """The factur-x package finds attachment and level as a producer of such files expects."""
    file_name, xml = facturx.get_xml_from_pdf(files[name].read_bytes(), check_xsd=False)
    assert file_name == "factur-x.xml"
    assert xml == embedded_xml(files[name])
    levels = {"MINIMUM": "minimum", "BASIC WL": "basicwl", "BASIC": "basic", "EN 16931": "en16931"}
    assert facturx.get_level(etree.fromstring(xml)) == levels.get(_profile(name), "extended")


def test_another_model_reads_the_sums(files: dict[str, Path]) -> None:
    """The amounts that drafthorse reads are whole, and they add up, line by line."""
    xml = embedded_xml(files["pages"])
    document = drafthorse.models.document.Document.parse(xml)
    settlement = document.trade.settlement
    lines = sum(
        item.settlement.monetary_summation.total_amount._value for item in document.trade.items.children
    )
    summation = settlement.monetary_summation
    assert len(document.trade.items.children) == 90
    assert lines == summation.line_total._value
    taxes = sum(tax.calculated_amount._value for tax in settlement.trade_tax.children)
    assert summation.grand_total._amount == summation.tax_basis_total._amount + taxes


# --- What is on the page ------------------------------------------------------------------------


def _unicode_of(page: pikepdf.Page) -> dict[str, dict[str, str]]:
    """Read each font's ToUnicode map (ISO 32000-1, 9.10.3)."""
    maps = {}
    for name, font in page.obj.Resources.Font.items():
        text = font.ToUnicode.read_bytes().decode("ascii")
        pairs = re.findall(r"<([0-9A-F]{4})> <([0-9A-F]+)>", text)
        maps[name] = {code: bytes.fromhex(sign).decode("utf-16-be") for code, sign in pairs}
    return maps


def _page_text(pdf: Path) -> str:
    """Return what a reader would copy from the pages, a line for each text that is shown."""
    lines = []
    with pikepdf.open(pdf) as opened:
        for page in opened.pages:
            maps = _unicode_of(page)
            font = ""
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) == "Tf":
                    font = str(operands[0])
                elif str(operator) == "Tj":
                    codes = bytes(operands[0]).hex().upper()
                    lines.append("".join(maps[font][codes[at : at + 4]] for at in range(0, len(codes), 4)))
    return "\n".join(lines)


@pytest.mark.parametrize("name", VARIANTS)
def test_page_and_xml_say_the_same(name: str, files: dict[str, Path]) -> None:
    """Number, parties and the total to pay stand on the page as in the XML: people and machines agree."""
    text = _page_text(files[name])
    root = etree.fromstring(embedded_xml(files[name]))
    total = Decimal(root.findtext(".//{*}GrandTotalAmount") or "0")
    french = f"{total:,.2f}".translate(str.maketrans(",.", "\u00a0,")) + "\u00a0€"
    for wanted in (
        root.findtext("{*}ExchangedDocument/{*}ID"),
        root.findtext(".//{*}SellerTradeParty/{*}Name"),
        root.findtext(".//{*}BuyerTradeParty/{*}Name"),
        root.findtext(".//{*}SellerTradeParty/{*}SpecifiedTaxRegistration/{*}ID"),
        french,
    ):
        assert wanted
        assert wanted in text


def test_every_line_is_on_a_page(files: dict[str, Path]) -> None:
    """An invoice of 90 lines shows 90, and its summary does not stand alone."""
    text = _page_text(files["pages"]).splitlines()
    root = etree.fromstring(embedded_xml(files["pages"]))
    references = [
        element.text for element in root.iterfind(".//{*}SpecifiedTradeProduct/{*}SellerAssignedID")
    ]
    assert [line for line in text if line in set(references)] == references
    with pikepdf.open(files["pages"]) as opened:
        pages = len(opened.pages)
    assert text[-1] == f"Page {pages}/{pages}"
    last_page = text[text.index(f"Page {pages - 1}/{pages}") :]
    assert any(line in set(references) for line in last_page)


# --- What make_invoice promises -----------------------------------------------------------------


def test_same_arguments_same_bytes_in_another_process() -> None:
    """Nothing of the clock or the process gets in: another process, with another hash seed, agrees."""
    program = (
        "import hashlib, datetime; from archive_service.invoices.specimens import make_invoice;"
        "print(hashlib.sha256(make_invoice(number='F1', issue_date=datetime.date(2026, 11, 2),"
        " kilobytes=100)).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7"},
    )
    here = make_invoice(number="F1", issue_date=ISSUED, kilobytes=100)
    assert done.stdout.strip() == sha256(here).hexdigest()


def test_file_identifier() -> None:
    """Both halves are the content's (ISO 32000-1, 14.4): the base's would say when it was made."""
    with pikepdf.open(io.BytesIO(make_invoice(number="F1", issue_date=ISSUED))) as pdf:
        first, second = pdf.trailer.ID
        assert bytes(first) == bytes(second)


def test_other_arguments_other_bytes() -> None:
    """Number, seed and date each make another document, of which the archive may keep thousands."""
    bodies = [
        make_invoice(number=number, issue_date=day, seed=seed)
        for number, day, seed in (
            ("F1", ISSUED, 0),
            ("F2", ISSUED, 0),
            ("F1", ISSUED, 1),
            ("F1", date(2026, 11, 3), 0),
        )
    ]
    assert len(set(bodies)) == 4


@pytest.mark.parametrize("kilobytes", [60, 150, 1000])
def test_size(kilobytes: int) -> None:
    """The benchmark's 150 kB are 150 kB, give or take 5 %."""
    size = len(make_invoice(number="F1", issue_date=ISSUED, kilobytes=kilobytes, lines=10))
    assert size == pytest.approx(kilobytes * 1000, rel=0.05)


@pytest.mark.parametrize("year", [1950, 2012, 2999])
def test_other_years(year: int) -> None:
    """Any date can be asked for: those that the archive must refuse too."""
    body = make_invoice(number="F1", issue_date=date(year, 3, 1))
    with pikepdf.open(io.BytesIO(body)) as opened:
        xml = opened.Root.AF[0].EF.F.read_bytes()
    assert f">{year}0301<".encode() in xml


def test_identifiers_have_right_check_digits() -> None:
    """SIREN, SIRET, French VAT numbers and IBANs are well formed, and known at sight (000…)."""
    french = (*SELLERS["FR"], *BUYERS)
    for company in french:
        stdnum.fr.siren.validate(company.siren)
        stdnum.fr.siret.validate(company.siret)
        stdnum.eu.vat.validate(company.vat_id)
        assert company.siren.startswith("000")
    for company in (company for sellers in SELLERS.values() for company in sellers):
        # with the country's own check, which for Belgium and for the French RIB key is part of it
        stdnum.iban.validate(company.iban)


@pytest.mark.parametrize("rule", BREAKABLE_RULES)
def test_broken_rule(rule: str, tmp_path: Path, schematron: Saxon) -> None:
    """``break_rule`` breaks that rule, and the file still passes the schema."""
    xml = embedded_xml(_write(tmp_path, "broken", break_rule=rule, seed=0))
    assert xsd_errors(xml, "EN 16931") == ()
    rules = "BR-FR" if rule.startswith("BR-FR") else "EN 16931"
    assert any(rule in failed.replace("FX-SCH-A-", "") for failed in schematron.failed(xml, rules))


@pytest.mark.parametrize(
    "arguments",
    [
        {"profile": "EN16931"},
        {"seller_country": "IT"},
        {"lines": 0},
        {"lines": 10_001},
        {"kilobytes": 59},
        {"kilobytes": 5001},
        {"break_rule": "BR-99"},
        {"profile": "MINIMUM", "break_rule": "BR-CO-10"},
    ],
)
def test_what_there_is_not(arguments: dict[str, object]) -> None:
    """What cannot be made is refused, not made as something else."""
    with pytest.raises(ValueError, match=r"there are|not \d|less|does not have"):
        make_invoice(number="F1", issue_date=ISSUED, **arguments)
