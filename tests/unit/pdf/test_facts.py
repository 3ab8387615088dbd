"""What is read from a PDF, and what is refused; each file is made here with pikepdf or by hand."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from archive_service.pdf import bombs, embedded
from archive_service.pdf.facts import PdfRefused, read_facts
from archive_service.pdf.guard import CheckInterrupted, PdfReader

XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
{descriptions}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def test_attachments_are_found_through_the_name_tree_and_through_af(tmp_path: Path) -> None:
    """A file named and associated is one attachment; one only named is not associated."""
    pdf = _blank()
    first = _embed(pdf, "factur-x.xml", b"<a/>", relationship="Data")
    second = _embed(pdf, "other.bin", b"\x00\x01", relationship="Supplement")
    pdf.Root.Names = Dictionary(EmbeddedFiles=_tree(first, second))
    pdf.Root.AF = Array([first])
    facts = read_facts(_save(pdf, tmp_path))
    assert [(each.name, each.relationship, each.data, each.associated) for each in facts.attachments] == [
        ("factur-x.xml", "Data", b"<a/>", True),
        ("other.bin", "Supplement", b"", False),  # only XML is read
    ]


def test_a_file_that_only_af_names_is_found(tmp_path: Path) -> None:
    """AF alone is enough to be seen, and a tree of kids is walked in its order."""
    pdf = _blank()
    alone = _embed(pdf, "factur-x.xml", b"<a/>")
    left, right = _embed(pdf, "1.xml", b"<l/>"), _embed(pdf, "2.xml", b"<r/>")
    kids = Array([pdf.make_indirect(_tree(left)), pdf.make_indirect(_tree(right))])
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Kids=kids))
    pdf.Root.AF = Array([alone])
    facts = read_facts(_save(pdf, tmp_path))
    assert [each.name for each in facts.attachments] == ["1.xml", "2.xml", "factur-x.xml"]


def test_two_specifications_of_one_stream_are_one_attachment(tmp_path: Path) -> None:
    """Producers write the specification once in the tree and once in AF; the relationship is AF's."""
    pdf = _blank()
    named = _embed(pdf, "factur-x.xml", b"<a/>")
    twin = pdf.make_indirect(
        Dictionary(Type=Name.Filespec, UF=String("factur-x.xml"), EF=named.EF, AFRelationship=Name.Source)
    )
    pdf.Root.Names = Dictionary(EmbeddedFiles=_tree(named))
    pdf.Root.AF = Array([twin])
    (attachment,) = read_facts(_save(pdf, tmp_path)).attachments
    assert (attachment.relationship, attachment.associated) == ("Source", True)


@pytest.mark.parametrize(
    ("description", "flavour"),
    [
        ('<rdf:Description xmlns:p="http://www.aiim.org/pdfa/ns/id/" p:part="3" p:conformance="B"/>', "3b"),
        (
            """<rdf:Description xmlns:p="http://www.aiim.org/pdfa/ns/id/">
               <p:part>2</p:part><p:conformance>U</p:conformance></rdf:Description>""",
            "2u",
        ),
        ('<rdf:Description xmlns:p="http://www.aiim.org/pdfa/ns/id/" p:part="4"/>', "4"),
        ('<rdf:Description xmlns:p="http://example.org/" p:part="3" p:conformance="B"/>', None),
        ("<unclosed>", None),
    ],
)
def test_the_claimed_flavour_is_the_xmp_s(tmp_path: Path, description: str, flavour: str | None) -> None:
    """Attributes and elements both count (XMP part 1, 7.4); another namespace or broken XML does not."""
    pdf = _blank()
    pdf.Root.Metadata = pdf.make_stream(XMP.format(descriptions=description).encode())
    assert read_facts(_save(pdf, tmp_path)).claimed_flavour == flavour


def test_the_invoice_schema_is_read_in_each_of_its_generations(tmp_path: Path) -> None:
    """Factur-X, ZUGFeRD 2.0 and ZUGFeRD 1 each have a namespace of their own."""
    for namespace in (
        "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
        "urn:zugferd:pdfa:CrossIndustryDocument:invoice:2p0#",
        "urn:ferd:pdfa:CrossIndustryDocument:invoice:1p0#",
    ):
        pdf = _blank()
        description = (
            f'<rdf:Description xmlns:f="{namespace}" f:DocumentType="INVOICE" f:Version="1.0">'
            "<f:DocumentFileName>a.xml</f:DocumentFileName></rdf:Description>"
        )
        pdf.Root.Metadata = pdf.make_stream(XMP.format(descriptions=description).encode())
        claim = read_facts(_save(pdf, tmp_path)).facturx_xmp
        assert claim is not None
        assert (claim.namespace, claim.document_type, claim.file_name) == (namespace, "INVOICE", "a.xml")
        assert (claim.version, claim.conformance_level) == ("1.0", None)


def test_signatures_are_counted_through_inherited_field_types(tmp_path: Path) -> None:
    """A kid inherits FT /Sig from its parent; a field without a value is not signed."""
    pdf = _blank()
    kid = pdf.make_indirect(Dictionary(V=Dictionary(Type=Name.Sig)))
    parent = pdf.make_indirect(Dictionary(FT=Name.Sig, Kids=Array([kid])))
    empty = pdf.make_indirect(Dictionary(FT=Name.Sig))
    text = pdf.make_indirect(Dictionary(FT=Name.Tx, V=Dictionary()))
    pdf.Root.AcroForm = Dictionary(Fields=Array([parent, empty, text]))
    assert read_facts(_save(pdf, tmp_path)).signatures == 1


def _no_pages() -> bytes:
    body = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    )
    places = [body.index(b"1 0 obj"), body.index(b"2 0 obj")]
    table = b"xref\n0 3\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + table + b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(body)


def _whole() -> bytes:
    from io import BytesIO

    target = BytesIO()
    _blank().save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("make", "slug"),
    [
        (lambda: b"", "empty-document"),
        (lambda: b"hello", "not-a-pdf"),
        (lambda: b"\x00" * 5000 + b"%PDF-1.7", "not-a-pdf"),
        (lambda: b"%PDF-1.7\n", "unreadable-pdf"),
        (lambda: _whole()[: len(_whole()) // 2], "unreadable-pdf"),
        (lambda: _whole()[:-12], "unreadable-pdf"),
        (_no_pages, "unreadable-pdf"),
    ],
)
def test_what_is_no_readable_pdf_is_refused_by_its_kind(
    tmp_path: Path, make: Callable[[], bytes], slug: str
) -> None:
    """Empty, something else, cut off at several places, or without a page."""
    path = tmp_path / "bad.pdf"
    path.write_bytes(make())
    assert _slug(path) == slug


@pytest.mark.parametrize("password", ["", "user"])
def test_an_encrypted_document_is_refused_even_if_it_opens_without_a_password(
    tmp_path: Path, password: str
) -> None:
    """ISO 19005-3, 6.1.3 forbids encryption; an empty user password encrypts too."""
    path = tmp_path / "encrypted.pdf"
    _blank().save(path, encryption=pikepdf.Encryption(user=password, owner="owner"))
    assert _slug(path) == "encrypted-pdf"


@pytest.mark.parametrize("place", ["tree", "annotations"])
def test_too_many_embedded_files_are_refused_wherever_they_hang(tmp_path: Path, place: str) -> None:
    """10,000 in the name tree, or one too many in annotations; 32 are accepted."""
    pdf = _blank()
    count = 10_000 if place == "tree" else embedded.MAX_EMBEDDED_FILES + 1
    stream = pdf.make_stream(b"x")
    files = [
        pdf.make_indirect(Dictionary(Type=Name.Filespec, F=String(f"{n}"), EF=Dictionary(F=stream)))
        for n in range(count)
    ]
    if place == "tree":
        pdf.Root.Names = Dictionary(EmbeddedFiles=_tree(*files))
    else:
        pdf.pages[0].Annots = Array(
            [Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, FS=each) for each in files]
        )
    assert _slug(_save(pdf, tmp_path)) == "too-many-embedded-files"


def test_exactly_the_limit_of_embedded_files_is_accepted(tmp_path: Path) -> None:
    """The bound is inclusive."""
    pdf = _blank()
    files = [_embed(pdf, f"{n:02}.bin", b"x") for n in range(embedded.MAX_EMBEDDED_FILES)]
    pdf.Root.Names = Dictionary(EmbeddedFiles=_tree(*files))
    assert len(read_facts(_save(pdf, tmp_path)).attachments) == embedded.MAX_EMBEDDED_FILES


def test_a_name_tree_that_contains_itself_ends(tmp_path: Path) -> None:
    """A cycle is walked for a bounded number of nodes, then refused."""
    pdf = _blank()
    node = pdf.make_indirect(Dictionary(Kids=Array()))
    node.Kids.append(node)
    pdf.Root.Names = Dictionary(EmbeddedFiles=node)
    assert _slug(_save(pdf, tmp_path)) == "too-many-embedded-files"


def test_a_decompression_bomb_is_refused_without_being_decompressed(tmp_path: Path) -> None:
    """A page's stream of 400 MiB of zeros in 400 kB, and an invoice of 11 MiB in 11 kB."""
    page = _blank()
    page.pages[0].Contents = _bomb(page, 400)
    assert _slug(_save(page, tmp_path)) == "decompression-bomb"

    invoice = _blank()
    specification = _embed(invoice, "factur-x.xml", b"")
    specification.EF = Dictionary(F=_bomb(invoice, embedded.MAX_XML_BYTES // (1 << 20) + 1))
    invoice.Root.AF = Array([specification])
    assert _slug(_save(invoice, tmp_path)) == "decompression-bomb"


def test_a_bomb_that_the_parser_itself_would_inflate_is_refused_before_it_does(tmp_path: Path) -> None:
    """An object stream with 400 MiB behind the catalog; with 1 MiB the same file is readable."""
    path = tmp_path / "objects.pdf"
    path.write_bytes(_object_stream(padding_mebibytes=1))
    assert read_facts(path).pages == 1
    path.write_bytes(_object_stream(padding_mebibytes=400))
    assert _slug(path) == "decompression-bomb"


def test_the_reader_s_process_refuses_like_the_function_and_serves_on(tmp_path: Path) -> None:
    """Facts and refusals come whole through the process's pipe, finding and arguments included."""
    pdf = _blank()
    pdf.Root.AF = Array([_embed(pdf, "factur-x.xml", b"\xff\x00<a/>", relationship="Data")])
    good, bad = _save(pdf, tmp_path), tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.7\n")
    reader = PdfReader(workers=1, deadline=30)
    try:
        with pytest.raises(PdfRefused) as refused:
            reader.read(bad)
        with pytest.raises(PdfRefused) as directly:
            read_facts(bad)
        assert refused.value.finding == directly.value.finding
        assert reader.read(good) == read_facts(good)
        with pytest.raises(CheckInterrupted):
            reader.read(tmp_path / "nowhere.pdf")
    finally:
        reader.close()


def test_bombs_hidden_behind_a_second_filter_count_by_what_they_hold(tmp_path: Path) -> None:
    """An invoice behind two Flate filters is decoded by the library; its size is still bounded."""
    pdf = _blank()
    specification = _embed(pdf, "factur-x.xml", b"")
    twice = zlib.compress(zlib.compress(b"\0" * (embedded.MAX_XML_BYTES + 1)))
    stream = pikepdf.Stream(pdf, twice, Filter=Array([Name.FlateDecode, Name.FlateDecode]))
    specification.EF = Dictionary(F=stream)
    pdf.Root.AF = Array([specification])
    assert _slug(_save(pdf, tmp_path)) == "decompression-bomb"


def test_ordinary_large_pages_are_no_bombs() -> None:
    """A scanned A4 page at 300 dpi in RGB inflates to 26 MB and is far from the limit."""
    assert bombs.MAX_INFLATED_BYTES > 10 * 2480 * 3508 * 3


def _blank() -> pikepdf.Pdf:
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(100, 100))
    return pdf


def _embed(pdf: pikepdf.Pdf, name: str, data: bytes, relationship: str | None = None) -> pikepdf.Dictionary:
    stream = pdf.make_stream(data, Type=Name.EmbeddedFile)
    specification = Dictionary(
        Type=Name.Filespec, F=String(name), UF=String(name), EF=Dictionary(F=stream, UF=stream)
    )
    if relationship:
        specification.AFRelationship = Name("/" + relationship)
    return pdf.make_indirect(specification)


def _tree(*specifications: pikepdf.Dictionary) -> pikepdf.Dictionary:
    names = Array()
    for number, specification in enumerate(specifications):
        names.append(String(f"{number:05}"))
        names.append(specification)
    return Dictionary(Names=names)


def _bomb(pdf: pikepdf.Pdf, mebibytes: int) -> pikepdf.Stream:
    return pikepdf.Stream(pdf, _deflated_zeros(mebibytes), Filter=Name.FlateDecode)


def _deflated_zeros(mebibytes: int, start: bytes = b"") -> bytes:
    deflater = zlib.compressobj()
    block = b"\0" * (1 << 20)
    parts = [deflater.compress(start), *(deflater.compress(block) for _ in range(mebibytes))]
    return b"".join(parts) + deflater.flush()


def _object_stream(*, padding_mebibytes: int) -> bytes:
    """A PDF whose objects are in one stream, with zeros behind them (ISO 32000-1, 7.5.7 and 7.5.8)."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
    )
    index = b" ".join(b"%d %d" % (n + 1, sum(len(each) for each in objects[:n])) for n in range(len(objects)))
    index += b" "
    inflated = _deflated_zeros(padding_mebibytes, index + b"".join(objects))
    head = b"<</Type/ObjStm/N 3/First %d/Filter/FlateDecode/Length %d>>" % (len(index), len(inflated))
    body = b"%PDF-1.5\n4 0 obj" + head + b"stream\n" + inflated + b"\nendstream endobj\n"
    table = b"\x00" * 6 + b"".join(b"\x02" + (4).to_bytes(4, "big") + bytes([n]) for n in range(3))
    table += b"\x01" + body.index(b"4 0 obj").to_bytes(4, "big") + b"\x00"
    place = len(body)
    body += b"5 0 obj<</Type/XRef/Size 5/W[1 4 1]/Root 1 0 R/Length %d>>stream\n" % len(table)
    return body + table + b"\nendstream endobj\nstartxref\n%d\n%%%%EOF\n" % place


def _save(pdf: pikepdf.Pdf, folder: Path) -> Path:
    path = folder / "made.pdf"
    pdf.save(path, compress_streams=False, recompress_flate=False)
    return path


def _slug(path: Path) -> str:
    with pytest.raises(PdfRefused) as refused:
        read_facts(path)
    assert refused.value.finding.rule == f"pdf.{refused.value.slug}"
    return refused.value.slug
