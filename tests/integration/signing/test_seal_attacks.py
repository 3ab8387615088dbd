"""Sealed copies that were tampered with, and documents that must not be sealed."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pikepdf
import pytest
from asn1crypto import cms
from pyhanko.keys import load_private_key_from_pemder
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing import cms_build, pades
from signing.certificates import to_pem
from signing.checks import OfflineChecks
from signing.errors import CannotSeal, SealRefused, SigningError, TokenRefused
from signing.pades import seal, seal_material
from signing.seals import find_seal, open_reader
from signing.timestamps import NoTimestamp


@pytest.fixture
def sealing(pki_for_signing, now) -> Callable[..., bytes]:
    """Seal as the archive does."""

    def make(pdf: bytes, tsa: str = "good") -> bytes:
        stamper = pki_for_signing.timestamper(tsa)
        return seal(pdf, key=pki_for_signing.key("seal"), timestamper=stamper, at=now, reason="Deposit").pdf

    return make


@pytest.fixture
def checks(pki_for_signing) -> OfflineChecks:
    """The offline checks, with the one true root."""
    return OfflineChecks(roots=pki_for_signing.roots)


@pytest.fixture
def foreign_signer(pki_for_signing) -> signers.SimpleSigner:
    """Sign by pyHanko alone, with the same key: what another signing program would do."""
    return signers.SimpleSigner(
        signing_cert=pki_for_signing.certificates["seal"],
        signing_key=load_private_key_from_pemder(str(pki_for_signing.folder / "seal.pem"), passphrase=None),
        cert_registry=SimpleCertificateStore.from_certs([pki_for_signing.certificates["issuing"]]),
    )


def signed_elsewhere(pdf: bytes, signer: signers.SimpleSigner, **metadata: object) -> bytes:
    """Sign with another program's choices."""
    meta = signers.PdfSignatureMetadata(
        **{"field_name": "Seller", "subfilter": SigSeedSubFilter.PADES} | metadata
    )
    return signers.PdfSigner(meta, signer).sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf))).getvalue()


def test_openssl_verifies_the_cms_and_its_token(pki_for_signing, sealing, plain_pdf, tmp_path) -> None:
    """OpenSSL agrees on both: the CMS over the covered bytes, and the token over the signature value."""
    sealed = sealing(plain_pdf)
    embedded = open_reader(sealed).embedded_signatures[-1]
    _, before, resume, _ = (int(number) for number in embedded.byte_range)
    material = seal_material(sealed)
    files = {
        "cms": bytes(embedded.pkcs7_content).rstrip(b"\x00"),
        "data": sealed[:before] + sealed[resume:],
        "root.pem": to_pem(pki_for_signing.roots),
        "issuing.pem": to_pem((pki_for_signing.certificates["issuing"],)),
        "token": material.token,
        "signature": material.signature,
    }
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    verify = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "cms", "-content", "data"]
    trust = ["-CAfile", "root.pem", "-certfile", "issuing.pem", "-purpose", "any", "-cades", "-out", "out"]
    stamp = ["openssl", "ts", "-verify", "-token_in", "-in", "token", "-CAfile", "root.pem", "-data"]
    subprocess.run([*verify, *trust], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([*stamp, "signature"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "data").write_bytes(files["data"] + b"x")
    assert subprocess.run([*verify, *trust], cwd=tmp_path, capture_output=True).returncode != 0


def test_pyhankos_own_validation_agrees(pki_for_signing, sealing, plain_pdf, checks) -> None:
    """PyHanko's validator, which checks do not use as a whole, reaches the same verdict."""
    sealed = sealing(plain_pdf)
    time = checks.check_seal(sealed, plain_pdf).token_time
    context = ValidationContext(trust_roots=list(pki_for_signing.roots), moment=time)
    status = validate_pdf_signature(open_reader(sealed).embedded_signatures[0], context)
    assert status.bottom_line
    assert status.timestamp_validity.timestamp == time


def test_seal_material_is_what_the_bundle_needs(pki_for_signing, sealing, plain_pdf, checks) -> None:
    """The token covers the signature value, and both chains come with their own certificate first."""
    material = seal_material(sealing(plain_pdf))
    assert checks.check_token(material.token, material.signature).tsa
    certificates = pki_for_signing.certificates
    assert material.seal_certificates == (certificates["seal"].dump(), certificates["issuing"].dump())
    assert material.tsa_certificates == (certificates["tsa"].dump(), certificates["root"].dump())
    assert material.certificates == material.seal_certificates + material.tsa_certificates


def test_the_sealing_time_is_the_one_given(sealing, plain_pdf, now) -> None:
    """/M states the moment that was passed in (EN 319 142-1 §5.3), not a clock; the field is unseen."""
    with pikepdf.open(BytesIO(sealing(plain_pdf))) as document:
        field = document.Root.AcroForm.Fields[0]
        assert str(field.V.M) == f"D:{now:%Y%m%d%H%M%S}Z"
        assert str(field.V.SubFilter) == "/ETSI.CAdES.detached"
        assert str(field.V.Reason) == "Deposit"
        assert [int(side) for side in field.Rect] == [0, 0, 0, 0]
        assert "/AP" not in field
        assert int(field.F) == 4 + 128  # Print, as PDF/A asks, and Locked


def test_sealing_leaves_information_and_version_alone(sealing, plain_pdf) -> None:
    """Producer, dates, XMP and the file's version stay the original's."""
    with pikepdf.open(BytesIO(plain_pdf)) as before, pikepdf.open(BytesIO(sealing(plain_pdf))) as after:
        assert dict(after.docinfo) == dict(before.docinfo)
        assert after.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
        assert after.pdf_version == before.pdf_version == "1.7"


def test_every_change_to_a_sealed_copy_is_refused(sealing, plain_pdf, checks) -> None:
    """A changed byte anywhere is refused, and with no other exception; in the padding it changes nothing."""
    sealed = sealing(plain_pdf)
    facts = checks.check_seal(sealed, plain_pdf)
    _, before, resume, _ = (int(n) for n in open_reader(sealed).embedded_signatures[-1].byte_range)
    for place in range(0, len(sealed), 211):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        original = changed[: len(plain_pdf)]
        if not before <= place < resume:
            with pytest.raises((SealRefused, TokenRefused)):
                checks.check_seal(changed, original)
            continue
        try:
            assert checks.check_seal(changed, original) == facts
        except SigningError:
            continue


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7", b"%PDF-1.7\n%%EOF", bytes(1000), b"not a PDF"])
def test_garbage_is_neither_sealed_nor_believed(sealing, checks, pdf) -> None:
    """Unreadable bytes are refused as such."""
    with pytest.raises(CannotSeal):
        sealing(pdf)
    with pytest.raises(SealRefused):
        checks.check_seal(pdf, pdf)


def test_mutated_documents_never_break_out(pki_for_signing, sealing, plain_pdf, now) -> None:
    """Whatever byte of a document is damaged, it is sealed or refused: nothing else escapes."""
    key, stamper = pki_for_signing.key("seal"), pki_for_signing.timestamper()
    for place in range(0, len(plain_pdf), 29):
        damaged = plain_pdf[:place] + b"\xff" + plain_pdf[place + 1 :]
        with pytest.raises(
            (CannotSeal, NoTimestamp)
        ):  # without an authority, what could be sealed ends there
            seal(damaged, key=key, timestamper=stamper, at=now, reason="")


def test_bytes_after_the_seal_are_refused(sealing, plain_pdf, checks) -> None:
    """The seal covers the whole file or it is not ours: an appended byte is a change."""
    sealed = sealing(plain_pdf)
    for tail in (b"\n", b"%%EOF\n"):
        with pytest.raises(SealRefused, match=r"whole file|cannot be read"):
            checks.check_seal(sealed + tail, plain_pdf)


def test_a_later_update_is_refused(sealing, plain_pdf, checks) -> None:
    """A lawful incremental update after the seal is still a later change."""
    writer = IncrementalPdfFileWriter(BytesIO(sealing(plain_pdf)))
    writer.root[pdf_name("/PageMode")] = pdf_name("/FullScreen")
    writer.update_root()
    output = BytesIO()
    writer.write(output)
    with pytest.raises(SealRefused, match="whole file"):
        checks.check_seal(output.getvalue(), plain_pdf)


def test_another_original_is_refused(sealing, plain_pdf, checks) -> None:
    """The sealed copy proves its own original only."""
    with pytest.raises(SealRefused, match="start with the original"):
        checks.check_seal(sealing(plain_pdf), plain_pdf[:-1] + b"x")


def test_a_seal_inside_the_original_is_not_ours(sealing, plain_pdf, checks) -> None:
    """A file that was sealed before it came in is not a sealed copy of itself."""
    sealed = sealing(plain_pdf)
    with pytest.raises(SealRefused, match="inside the original"):
        checks.check_seal(sealed, sealed)


def show_something_else(writer: IncrementalPdfFileWriter) -> None:
    """Replace what the page draws."""
    stream = generic.StreamObject(stream_data=b"0 0 100 100 re f")
    page = writer.root["/Pages"]["/Kids"][0]
    page[pdf_name("/Contents")] = writer.add_object(stream)
    writer.update_container(page)


def redraw(writer: IncrementalPdfFileWriter) -> None:
    """Overwrite the content stream in place: the page's own dictionary stays as it was."""
    page = writer.root["/Pages"]["/Kids"][0]
    stream = page["/Contents"]
    stream._encoded_data, stream._data = None, b"0 0 100 100 re f"
    writer.mark_update(page.raw_get("/Contents"))


def open_a_page(writer: IncrementalPdfFileWriter) -> None:
    """Add an action to the catalog."""
    writer.root[pdf_name("/OpenAction")] = generic.DictionaryObject(
        {pdf_name("/S"): pdf_name("/Named"), pdf_name("/N"): pdf_name("/Print")}
    )
    writer.update_root()


def add_an_object(writer: IncrementalPdfFileWriter) -> None:
    """Write an object that nothing in the seal refers to."""
    writer.add_object(generic.StreamObject(stream_data=b"hidden"))


def add_an_annotation(writer: IncrementalPdfFileWriter) -> None:
    """Put a note on the page, beside the seal's field."""
    page = writer.root["/Pages"]["/Kids"][0]
    note = generic.DictionaryObject(
        {pdf_name("/Type"): pdf_name("/Annot"), pdf_name("/Subtype"): pdf_name("/Text")}
    )
    page[pdf_name("/Annots")] = generic.ArrayObject([writer.add_object(note)])
    writer.update_container(page)


CHANGES = [show_something_else, redraw, open_a_page, add_an_object, add_an_annotation]


@pytest.mark.parametrize("change", CHANGES)
def test_a_rightly_sealed_update_that_changes_more_is_refused(
    monkeypatch, pki_for_signing, sealing, plain_pdf, checks, change
) -> None:
    """The key's holder cannot show another invoice over the original's bytes: the update is only the seal."""
    prepare = pades._prepare

    def prepare_more(writer: pades._Update, **rest: object) -> object:
        change(writer)
        return prepare(writer, **rest)

    monkeypatch.setattr(pades, "_prepare", prepare_more)
    sealed = sealing(plain_pdf)
    assert sealed.startswith(plain_pdf)
    with pytest.raises(SealRefused, match="update"):
        checks.check_seal(sealed, plain_pdf)


def test_a_visible_seal_is_refused(monkeypatch, sealing, plain_pdf, checks) -> None:
    """A field with a size could cover an amount."""
    monkeypatch.setattr(
        pades, "SigFieldSpec", lambda **given: SigFieldSpec(**given, box=(10, 10, 200, 200), on_page=0)
    )
    with pytest.raises(SealRefused, match="shows or does"):
        checks.check_seal(sealing(plain_pdf), plain_pdf)


def test_a_byte_range_that_leaves_out_more_is_refused(sealing, plain_pdf, checks) -> None:
    """The gap must be the signature, to the byte: nothing else may stand uncovered."""
    sealed = sealing(plain_pdf)
    _, before, resume, after = (int(n) for n in open_reader(sealed).embedded_signatures[-1].byte_range)
    written = f"[0 {before} {resume} {after}".encode()
    assert sealed.count(written) == 1
    for ranges in (
        (0, before - 10, resume - 10, after + 10),
        (0, before, resume - 2, after + 2),
        (1, before, resume, after),
    ):
        changed = "[{} {} {} {}".format(*ranges).encode().ljust(len(written))
        with pytest.raises(SealRefused):
            checks.check_seal(sealed.replace(written, changed[: len(written)]), plain_pdf)


def test_a_rightly_signed_gap_around_more_than_the_signature_is_refused(
    sealing, plain_pdf, checks, pki_for_signing
) -> None:
    """Signature and token are true, over a byte range whose gap begins ten bytes before the signature."""
    sealed = sealing(plain_pdf)
    embedded = open_reader(sealed).embedded_signatures[-1]
    _, before, resume, after = (int(n) for n in embedded.byte_range)
    room = bytes(embedded.pkcs7_content)
    written = f"[0 {before} {resume} {after}".encode()
    wider = f"[0 {before - 10} {resume} {after}".encode().ljust(len(written))
    changed = sealed.replace(written, wider)
    key = pki_for_signing.key("seal")
    signed = cms_build.sign(key, hashlib.sha256(changed[: before - 10] + changed[resume:]).digest())
    token = pki_for_signing.timestamper("good").stamp(signed.imprint)
    own = cms_build.assemble(key, signed, token.der).ljust(len(room), b"\0")
    changed = changed.replace(room.hex().upper().encode(), own.hex().upper().encode())
    with pytest.raises(SealRefused, match="not the signature"):
        checks.check_seal(changed, plain_pdf)


def test_a_signature_without_a_time_stamp_is_not_at_the_level(foreign_signer, plain_pdf, checks) -> None:
    """B-B is refused by that name."""
    with pytest.raises(SealRefused, match="B-T"):
        checks.check_seal(signed_elsewhere(plain_pdf, foreign_signer), plain_pdf)


def test_another_kind_of_signature_is_refused(foreign_signer, plain_pdf, checks) -> None:
    """An Adobe PKCS#7 signature is not a PAdES one."""
    other = signed_elsewhere(plain_pdf, foreign_signer, subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED)
    with pytest.raises(SealRefused, match="PAdES"):
        checks.check_seal(other, plain_pdf)


def test_no_signature_is_refused(plain_pdf, checks) -> None:
    """A PDF without a signature is no sealed copy."""
    with pytest.raises(SealRefused, match="no signature"):
        checks.check_seal(plain_pdf, plain_pdf)


def test_the_token_of_another_seal_is_refused(sealing, plain_pdf, checks, pki_for_signing) -> None:
    """A genuine token is worth nothing over another signature."""
    sealed = sealing(plain_pdf)
    found = find_seal(sealed)
    key = pki_for_signing.key("seal")
    signed = cms_build.Signed(
        attributes=found.parts.signer_info["signed_attrs"].untag().dump(),
        signature=found.parts.signer_info["signature"].native,
    )
    same = cms_build.assemble(key, signed, found.token)
    room = bytes(found.embedded.pkcs7_content)
    assert room.startswith(same)
    other = cms_build.assemble(key, signed, seal_material(sealing(plain_pdf)).token)
    swapped = sealed.replace(
        room.hex().upper().encode(), other.ljust(len(room), b"\0").hex().upper().encode()
    )
    with pytest.raises(TokenRefused, match="other bytes"):
        checks.check_seal(swapped, plain_pdf)


def test_untrusted_roots_are_refused(sealing, plain_pdf, pki_for_signing) -> None:
    """Without the root of token or seal nothing is proved."""
    sealed = sealing(plain_pdf)
    for roots in ((), (pki_for_signing.certificates["other-root"],)):
        with pytest.raises(SigningError, match="not trusted"):
            OfflineChecks(roots=roots).check_seal(sealed, plain_pdf)


def test_a_seal_by_an_untrusted_certificate_is_refused(
    monkeypatch, pki_for_signing, sealing, plain_pdf, checks
) -> None:
    """A certificate without a path to the root does not seal, though its token is true."""
    monkeypatch.setitem(pki_for_signing.certificates, "seal", pki_for_signing.certificates["other-tsa"])
    (pki_for_signing.folder / "kept.pem").write_bytes((pki_for_signing.folder / "seal.pem").read_bytes())
    other = (pki_for_signing.folder / "other-tsa.pem").read_bytes()
    try:
        (pki_for_signing.folder / "seal.pem").write_bytes(other)
        sealed = sealing(plain_pdf)
    finally:
        kept = (pki_for_signing.folder / "kept.pem").read_bytes()
        (pki_for_signing.folder / "seal.pem").write_bytes(kept)
    with pytest.raises(SealRefused, match="not trusted"):
        checks.check_seal(sealed, plain_pdf)


def test_an_encrypted_document_is_not_sealed(sealing, encrypted_pdf) -> None:
    """An encrypted document is refused by that name."""
    with pytest.raises(CannotSeal, match="encrypted"):
        sealing(encrypted_pdf)


def test_a_certified_document_that_forbids_changes_is_not_sealed(foreign_signer, plain_pdf, sealing) -> None:
    """DocMDP level 1 forbids every change, a seal too (ISO 32000-2 §12.8.2.2)."""
    certified = signed_elsewhere(
        plain_pdf, foreign_signer, certify=True, docmdp_permissions=MDPPerm.NO_CHANGES
    )
    with pytest.raises(CannotSeal, match="forbids"):
        sealing(certified)


def test_earlier_signatures_stay_intact(foreign_signer, plain_pdf, sealing, checks, pki_for_signing) -> None:
    """The seller's signature, certified for form filling, still holds in the sealed copy."""
    certified = signed_elsewhere(
        plain_pdf, foreign_signer, certify=True, docmdp_permissions=MDPPerm.FILL_FORMS
    )
    sealed = sealing(certified)
    facts = checks.check_seal(sealed, certified)
    context = ValidationContext(trust_roots=list(pki_for_signing.roots), moment=facts.token_time)
    status = validate_pdf_signature(open_reader(sealed).embedded_signatures[0], context)
    assert status.intact
    assert status.valid
    assert status.docmdp_ok


def test_a_copy_can_be_sealed_again(sealing, plain_pdf, checks) -> None:
    """Field names do not collide, and the second seal covers the first."""
    once = sealing(plain_pdf)
    assert checks.check_seal(sealing(once), once).level == "PAdES B-T"


def test_an_authority_that_is_down_passes_through(sealing, plain_pdf) -> None:
    """No token: no seal, and the pipeline is told that it may try again."""
    with pytest.raises(NoTimestamp):
        sealing(plain_pdf, "http://127.0.0.1:9/")


def test_a_token_that_does_not_fit_is_said(monkeypatch, sealing, plain_pdf) -> None:
    """When the room is too small the error gives both sizes; nothing is cut off."""
    monkeypatch.setattr(pades, "ROOM_FOR_TOKEN", -1500)
    with pytest.raises(CannotSeal, match="reserved"):
        sealing(plain_pdf)


def test_xref_streams_and_object_streams_are_sealed_too(sealing, plain_pdf, checks) -> None:
    """A document with compressed cross-references gets an update of the same kind."""
    output = BytesIO()
    with pikepdf.open(BytesIO(plain_pdf)) as document:
        document.save(output, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert checks.check_seal(sealing(output.getvalue()), output.getvalue()).covers_whole_file


def test_threads_share_a_key_and_a_timestamper(pki_for_signing, plain_pdf, checks, now) -> None:
    """Workers seal at once with one key, one authority and one set of roots."""
    key, stamper = pki_for_signing.key("seal"), pki_for_signing.timestamper("good")

    def one(number: int) -> str:
        sealed = seal(plain_pdf, key=key, timestamper=stamper, at=now, reason=str(number)).pdf
        return checks.check_seal(sealed, plain_pdf).level

    with ThreadPoolExecutor(8) as workers:
        assert set(workers.map(one, range(32))) == {"PAdES B-T"}


def test_the_signature_is_der(sealing, plain_pdf) -> None:
    """The CMS that is put together by hand is the DER that asn1crypto writes for the same values."""
    content = bytes(find_seal(sealing(plain_pdf)).embedded.pkcs7_content).rstrip(b"\0")
    parsed = cms.ContentInfo.load(content, strict=True)
    assert parsed.dump(force=True) == content
