"""Invoices whose XML is hostile or wrong, inside a sound PDF/A-3."""

from __future__ import annotations

from collections.abc import Callable

from archive_service.invoices.specimens import make_bad

from .cases import HostileCase, invoice_xml, with_xml

_ROOT = b"<rsm:CrossIndustryInvoice"
_NOTE = b"<ram:Content>"
SECRET_FILE = "/etc/passwd"  # a file that is on every machine; its content must appear nowhere
OUTSIDE = "http://127.0.0.1:9/hostile"  # the discard port: nobody answers, and a test sees who asks
NESTING = 100_000


def _with_doctype(doctype: str, reference: str = "") -> Callable[[], bytes]:
    """Return a builder of an invoice with a DOCTYPE, and a reference in its first note."""

    def build() -> bytes:
        xml = invoice_xml().replace(_ROOT, doctype.encode() + b"\n" + _ROOT, 1)
        return with_xml(xml.replace(_NOTE, _NOTE + reference.encode(), 1))

    return build


def _laughs() -> str:
    """Ten entities, each ten times the one before: 10⁹ (the first publication was in 2003)."""
    entities = ['<!ENTITY e0 "ha">']
    entities += [f'<!ENTITY e{place} "{f"&e{place - 1};" * 10}">' for place in range(1, 10)]
    return f"<!DOCTYPE rsm:CrossIndustryInvoice [{''.join(entities)}]>"


def _quadratic() -> str:
    return f'<!DOCTYPE rsm:CrossIndustryInvoice [<!ENTITY long "{"ha" * 50_000}">]>'


def _deep() -> bytes:
    return with_xml(invoice_xml().replace(_NOTE, _NOTE + b"<a>" * NESTING + b"</a>" * NESTING, 1))


def _latin_1() -> bytes:
    """It says UTF-8, and its first accent is Latin-1."""
    return with_xml(invoice_xml().replace("é".encode(), b"\xe9", 1))


def _with_nul() -> bytes:
    return with_xml(invoice_xml().replace(_NOTE, _NOTE + b"\x00", 1))


def _two_roots() -> bytes:
    return with_xml(invoice_xml() + b"<rsm:CrossIndustryInvoice/>")


def _other_root() -> bytes:
    return with_xml(b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>')


def _xml(name: str, document: Callable[[], bytes], why: str) -> HostileCase:
    return HostileCase(name=name, document=document, problem="invoice-xml", why=why)


CASES = (
    _xml("xml-laughs", _with_doctype(_laughs(), "&e9;"), "it expands to two gigabytes"),
    _xml(
        "xml-quadratic", _with_doctype(_quadratic(), "&long;" * 5_000), "it expands to 500 MB, one level deep"
    ),
    _xml(
        "xml-external-entity",
        _with_doctype(f'<!DOCTYPE x [<!ENTITY file SYSTEM "file://{SECRET_FILE}">]>', "&file;"),
        "a file of this machine would be quoted in findings",
    ),
    _xml(
        "xml-external-dtd",
        _with_doctype(f'<!DOCTYPE rsm:CrossIndustryInvoice SYSTEM "{OUTSIDE}.dtd">'),
        "a stranger would learn that and when it was read, and could change what it means",
    ),
    _xml(
        "xml-parameter-entity",
        _with_doctype(f'<!DOCTYPE x [<!ENTITY % more SYSTEM "{OUTSIDE}.ent"> %more;]>'),
        "as before, before the first element is read",
    ),
    _xml("xml-internal-dtd", _with_doctype("<!DOCTYPE rsm:CrossIndustryInvoice []>"), "CII has no DOCTYPE"),
    _xml("xml-deep", _deep, "parsers and stylesheets recurse"),
    _xml("xml-wrong-encoding", _latin_1, "readers would guess other letters"),
    _xml("xml-nul", _with_nul, "C readers would see the XML end there"),
    _xml("xml-two-roots", _two_roots, "readers would take one or the other"),
    _xml("xml-empty", lambda: with_xml(b""), "there is nothing to check, which is not the same as no fault"),
    _xml("xml-other-root", _other_root, "no rule set applies, which is not the same as no fault"),
    _xml("xml-cut", lambda: make_bad("not-xml"), "half an invoice"),
    _xml(
        "xml-unknown-profile", lambda: make_bad("unknown-profile"), "which rules apply is the sender's whim"
    ),
    HostileCase(
        name="xsd-invalid",
        document=lambda: make_bad("xsd"),
        problem="invoice-xsd",
        why="there is no number to find it by",
    ),
    HostileCase(
        name="schematron-invalid",
        document=lambda: make_bad("schematron"),
        problem="invoice-schematron",
        why="its VAT does not add up",
    ),
)
