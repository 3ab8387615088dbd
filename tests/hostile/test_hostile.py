"""Each hostile case is what it says it is, by tools that are not the archive's.

That the archive answers each with its problem is another test's business; this one keeps the cases honest.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pikepdf
import pytest
from lxml import etree

from . import CASES, HostileCase, bombs
from .bombs import INFLATED
from .cases import good_invoice, invoice_xml
from .documents import EMBEDDED_FILES, OVER_LIMIT_BYTES
from .stalls import many_operators, nested_arrays, nested_forms, structure_cycle, structure_lattice
from .xmls import OUTSIDE, SECRET_FILE

BY_NAME = {case.name: case for case in CASES}
SENDABLE = 32 * 1024 * 1024  # what the service takes by default
PROBLEMS = {
    "date-implausible",
    "decompression-bomb",
    "document-too-large",
    "empty-document",
    "encrypted-pdf",
    "invoice-container",
    "invoice-schematron",
    "invoice-xml",
    "invoice-xsd",
    "metadata-invalid",
    "not-a-pdf",
    "not-pdfa",
    "retention-over",
    "too-many-embedded-files",
    "unreadable-pdf",
    "validation-impossible",
}


def _named(prefix: str) -> list[HostileCase]:
    found = [case for case in CASES if case.name.startswith(prefix)]
    assert found
    return found


def _open(case: str) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(BY_NAME[case].document()))


def _xml(case: HostileCase) -> bytes:
    with pikepdf.open(io.BytesIO(case.document())) as pdf:
        return bytes(pdf.Root.AF[0].EF.F.read_bytes())


# --- The collection -----------------------------------------------------------------------------


def test_names_are_unique_and_every_problem_is_provoked() -> None:
    """A case is named once, and each problem that a document or its metadata can get has a case."""
    assert len(BY_NAME) == len(CASES)
    assert {case.problem for case in CASES} == PROBLEMS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_small_enough_to_be_sent(case: HostileCase) -> None:
    """Each passes the size limit, but for the one that is about it: the limit alone protects nobody."""
    assert (len(case.document()) > SENDABLE) == (case.problem == "document-too-large")


def test_the_invoice_that_the_cases_start_from_is_good() -> None:
    """What is wrong with a case is what the case added."""
    etree.fromstring(invoice_xml())
    with pikepdf.open(io.BytesIO(good_invoice()), attempt_recovery=False) as pdf:
        assert not pdf.check_pdf_syntax()


# --- Documents ----------------------------------------------------------------------------------


def test_too_large() -> None:
    """A whole PDF stands at its start, so a reader that stops early would take it."""
    body = BY_NAME["too-large"].document()
    assert len(body) == OVER_LIMIT_BYTES
    assert body.startswith(good_invoice())


@pytest.mark.parametrize("name", ["text-file", "zip-file", "late-header"])
def test_not_a_pdf(name: str) -> None:
    """No header where ISO 32000-1, annex H.3.4.1 lets readers look."""
    assert b"%PDF-" not in BY_NAME[name].document()[:1024]


@pytest.mark.parametrize("name", ["header-only", "truncated", "broken-xref"])
def test_unreadable(name: str) -> None:
    """It begins as a PDF, and qpdf refuses it unless it may guess."""
    body = BY_NAME[name].document()
    assert body.startswith(b"%PDF-")
    with pytest.raises(pikepdf.PdfError):
        pikepdf.open(io.BytesIO(body), attempt_recovery=False)


def test_no_pages() -> None:
    """It is whole, and has no page."""
    with _open("no-pages") as pdf:
        assert len(pdf.pages) == 0


def test_encrypted() -> None:
    """One opens without a password, one with it only; both are encrypted."""
    with _open("encrypted") as pdf:
        assert pdf.is_encrypted
    with pytest.raises(pikepdf.PasswordError):
        _open("encrypted-with-password")


def test_ten_thousand_files() -> None:
    """The name tree lists them, and the invoice; in the other the tree lists the invoice alone."""
    with _open("ten-thousand-files") as pdf:
        assert len(pdf.attachments) == EMBEDDED_FILES + 1
    with _open("ten-thousand-hidden-files") as pdf:
        assert list(pdf.attachments) == ["factur-x.xml"]
        assert len(pdf.pages[0].obj.Annots) == EMBEDDED_FILES
        assert all("/EF" in annotation.FS for annotation in pdf.pages[0].obj.Annots)


@pytest.mark.parametrize(
    ("name", "issued"),
    [
        ("dated-2999", date(2999, 3, 1)),
        ("dated-1950", date(1950, 3, 1)),
        ("retention-over", date(2012, 3, 1)),
    ],
)
def test_dates(name: str, issued: date) -> None:
    """The invoice's date (BT-2) is that one."""
    root = etree.fromstring(_xml(BY_NAME[name]))
    assert root.findtext("{*}ExchangedDocument/{*}IssueDateTime/{*}DateTimeString") == f"{issued:%Y%m%d}"


# --- Bombs --------------------------------------------------------------------------------------


def _inflated_size(data: bytes) -> int:
    """Count in steps what a zlib stream makes, to its very end; the check sum must be right."""
    inflater, size = zlib.decompressobj(), 0
    while not inflater.eof:
        size += len(inflater.decompress(data, 1 << 24))
        data = inflater.unconsumed_tail
    return size


def _unpacked_size(stream: pikepdf.Stream) -> int:
    """Take off the filters one by one, the last one by counting."""
    filters = stream.get("/Filter", pikepdf.Array())
    names = [str(name) for name in filters] if isinstance(filters, pikepdf.Array) else [str(filters)]
    data = stream.read_raw_bytes()
    for name in names[:-1]:
        unpack = {"/ASCIIHexDecode": lambda text: bytes.fromhex(text[:-1].decode())}.get(
            name, zlib.decompress
        )
        data = unpack(data)
    match names[-1:]:
        case ["/FlateDecode"]:
            return _inflated_size(data)
        case [
            "/RunLengthDecode"
        ]:  # made of runs alone: two bytes for 257 less the first (ISO 32000-1, 7.4.5)
            return sum(257 - length for length in data[:-1:2])
        case _:
            return len(data)


@pytest.mark.parametrize("case", _named("bomb-"), ids=lambda case: case.name)
def test_bomb(case: HostileCase) -> None:
    """Three megabytes at most are sent, and more than a gibibyte comes out of one of the streams."""
    body = case.document()
    assert len(body) < 3_000_000
    if case.name == "bomb-in-object-stream":  # no reader opens it without unpacking it
        start = body.index(b"stream\n", body.index(b"/ObjStm")) + len(b"stream\n")
        assert b"/Type/Catalog" in zlib.decompressobj().decompress(body[start:], 200)
        assert _inflated_size(body[start:]) >= INFLATED
        return
    with pikepdf.open(io.BytesIO(body)) as pdf:
        sizes = [_unpacked_size(item) for item in pdf.objects if isinstance(item, pikepdf.Stream)]
    assert max(sizes) >= INFLATED


def test_bomb_in_object_stream_is_a_pdf() -> None:
    """With a mebibyte instead of a gibibyte any reader opens it: its size is all that is wrong."""
    with pikepdf.open(io.BytesIO(bombs.in_object_stream(1 << 20)), attempt_recovery=False) as pdf:
        assert len(pdf.pages) == 1


# --- XML ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["xml-deep", "xml-wrong-encoding", "xml-nul", "xml-two-roots", "xml-empty", "xml-cut"]
)
def test_not_well_formed(name: str) -> None:
    """With its ordinary limits libxml2 does not parse it."""
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(_xml(BY_NAME[name]))


@pytest.mark.parametrize(
    "name", ["xml-laughs", "xml-quadratic", "xml-external-entity", "xml-external-dtd", "xml-parameter-entity"]
)
def test_doctype(name: str) -> None:
    """The DOCTYPE stands before the root element, and the rest is the good invoice."""
    xml = _xml(BY_NAME[name])
    assert xml.index(b"<!DOCTYPE") < xml.index(b"<rsm:CrossIndustryInvoice")
    assert invoice_xml()[-200:] == xml[-200:]


def test_what_the_entities_would_expand_to() -> None:
    """By arithmetic on the declarations: more than any machine here wants to hold twice."""
    laughs = _xml(BY_NAME["xml-laughs"]).decode()
    sizes = {"e0": 2}
    for name, body in re.findall(r'<!ENTITY (e[1-9]) "([^"]*)">', laughs):
        sizes[name] = sum(sizes[inner] for inner in re.findall(r"&(\w+);", body))
    assert "&e9;" in laughs
    assert sizes["e9"] == 2 * 10**9
    quadratic = _xml(BY_NAME["xml-quadratic"]).decode()
    (long,) = re.findall(r'<!ENTITY long "([^"]*)">', quadratic)
    assert len(long) * quadratic.count("&long;") == 500_000_000
    assert len(quadratic) < 1_000_000


def test_external_entity_is_live(tmp_path: Path) -> None:
    """A parser that resolves entities does quote the file: the case would bite a careless service."""
    xml = _xml(BY_NAME["xml-external-entity"])
    assert f'"file://{SECRET_FILE}"'.encode() in xml
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    careless = etree.XMLParser(resolve_entities=True, load_dtd=True, no_network=False)
    root = etree.fromstring(xml.replace(SECRET_FILE.encode(), str(secret).encode()), careless)
    assert "s3cret" in "".join(root.itertext())


@pytest.mark.parametrize("name", ["xml-external-dtd", "xml-parameter-entity"])
def test_external_references(name: str) -> None:
    """They point to a place on this machine where nobody answers."""
    assert OUTSIDE.encode() in _xml(BY_NAME[name])


# --- Metadata -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", _named("metadata-"), ids=lambda case: case.name)
def test_only_the_metadata_are_wrong(case: HostileCase) -> None:
    """The document beside them is the good invoice."""
    assert case.document() == good_invoice()


@pytest.mark.parametrize(
    "name", ["metadata-array", "metadata-string", "metadata-null", "metadata-nul", "metadata-surrogate"]
)
def test_json_that_parsers_take(name: str) -> None:
    """Python's parser takes it: only a look at the value finds the fault."""
    value = json.loads(BY_NAME[name].metadata())
    assert not isinstance(value, dict) or any(sign in value["number"] for sign in "\0\ud800")


@pytest.mark.parametrize(
    "name",
    ["metadata-not-json", "metadata-cut", "metadata-trailing", "metadata-raw-nul", "metadata-not-utf-8"],
)
def test_no_json(name: str) -> None:
    """No JSON by RFC 8259."""
    with pytest.raises(ValueError, match=r"."):
        json.loads(BY_NAME[name].metadata())


@pytest.mark.parametrize("name", ["metadata-twice", "metadata-twice-inside"])
def test_duplicates(name: str) -> None:
    """A member is named twice in one object, which a parser passes over in silence."""
    twice: list[bool] = []
    json.loads(
        BY_NAME[name].metadata(), object_pairs_hook=lambda pairs: twice.append(len(pairs) != len(dict(pairs)))
    )
    assert any(twice)


# --- veraPDF ------------------------------------------------------------------------------------


def _verapdf(verapdf: tuple[Path, Path], path: Path, *, deadline: float) -> tuple[int | None, str]:
    """Run veraPDF's command line with the archive's heap; None: it was stopped at the deadline (seconds)."""
    java, jar = verapdf
    command = [str(java), "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"]
    command += ["-Djava.awt.headless=true", "-cp", str(jar), "org.verapdf.apps.GreenfieldCliWrapper"]
    command += ["--format", "text", "--loglevel", "0", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=deadline)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout + done.stderr


def _written(folder: Path, body: bytes) -> Path:
    path = folder / "case.pdf"
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("build", [nested_arrays, structure_cycle])
def test_verapdf_runs_out_of_stack(
    build: Callable[[], bytes], verapdf: tuple[Path, Path], tmp_path: Path
) -> None:
    """The process ends with a StackOverflowError and without a verdict."""
    code, output = _verapdf(verapdf, _written(tmp_path, build()), deadline=60)
    assert code == 1
    assert "StackOverflowError" in output
    assert "PASS" not in output


def test_the_same_kind_of_document_is_valid_when_small(verapdf: tuple[Path, Path], tmp_path: Path) -> None:
    """Two levels of forms or elements are sound PDF/A-3: what stalls veraPDF is their number alone."""
    for build in (lambda: nested_forms(2, 2), lambda: structure_lattice(2)):
        code, output = _verapdf(verapdf, _written(tmp_path, build()), deadline=60)
        assert (code, output.split()[0]) == (0, "PASS")


@pytest.mark.long
@pytest.mark.parametrize("build", [nested_forms, structure_lattice])
def test_verapdf_hangs(build: Callable[[], bytes], verapdf: tuple[Path, Path], tmp_path: Path) -> None:
    """No verdict after the archive's 20 seconds, from a file of 50 kB; it is busy, not waiting."""
    path = _written(tmp_path, build())
    assert path.stat().st_size < 50_000
    assert _verapdf(verapdf, path, deadline=20) == (None, "")


@pytest.mark.long
def test_verapdf_runs_out_of_memory(verapdf: tuple[Path, Path], tmp_path: Path) -> None:
    """Half a gigabyte of heap does not do for a file of 110 kB."""
    code, output = _verapdf(verapdf, _written(tmp_path, many_operators()), deadline=120)
    assert code == 3  # -XX:+ExitOnOutOfMemoryError
    assert "OutOfMemoryError" in output
