"""Reading the seal of a sealed PDF: where it is, what it covers, what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from asn1crypto import cms, x509
from pyhanko.pdf_utils.misc import PdfStrictReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import SuspiciousModification
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.general import find_unique_cms_attribute
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.cms_checks import CmsParts, open_cms
from signing.errors import CannotSeal, SealRefused, refusing
from signing.tokens import MAX_TOKEN_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class SealMaterial:
    """What the seal's token proves, out of the PDF: ``token``'s imprint is the SHA-256 of ``signature``.

    ``signature`` is the value octets of SignerInfo.signature (RFC 5652 §5.3). Certificates are DER, the
    signer's first in each; ``certificates`` holds both lists.
    """

    signature: bytes
    token: bytes
    seal_certificates: tuple[bytes, ...]
    tsa_certificates: tuple[bytes, ...]

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """Every certificate that the seal carries: the seal's own, then the authority's."""
        return (*self.seal_certificates, *self.tsa_certificates)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSeal:
    """The last signature of a PDF, shown to cover the whole file; nothing is verified yet."""

    embedded: EmbeddedPdfSignature
    parts: CmsParts
    token: bytes


def seal_material(sealed: bytes) -> SealMaterial:
    """Return signature, token and certificates of a sealed PDF's seal. Raises SealRefused."""
    found = find_seal(sealed)
    stamped = open_cms(found.token, refusal=SealRefused)
    with refusing(SealRefused, "the seal cannot be read"):
        return SealMaterial(
            signature=found.parts.signer_info["signature"].native,
            token=found.token,
            seal_certificates=_ders((found.parts.signer, *found.parts.others)),
            tsa_certificates=_ders((stamped.signer, *stamped.others)),
        )


def _ders(certificates: tuple[x509.Certificate, ...]) -> tuple[bytes, ...]:
    return tuple(certificate.dump() for certificate in certificates)


def open_reader(pdf: bytes) -> PdfFileReader:
    """Read a PDF, leniently where a strict reading fails: a seal may stand on an untidy original."""
    try:
        return PdfFileReader(BytesIO(pdf))
    except PdfStrictReadError:
        return PdfFileReader(BytesIO(pdf), strict=False)


def find_seal(sealed: bytes) -> FoundSeal:
    """Find the last signature, and check that it is a PAdES one that covers every byte but itself.

    Raises SealRefused.
    """
    with refusing(SealRefused, "the sealed copy cannot be read"):
        signatures = open_reader(sealed).embedded_signatures
        if not signatures:
            raise SealRefused("there is no signature in that PDF")
        embedded = signatures[-1]
        if embedded.sig_object.get("/SubFilter") != SigSeedSubFilter.PADES.value:
            raise SealRefused("the last signature is not a PAdES signature (EN 319 142-1 §6.2)")
        contents = _check_coverage(sealed, embedded)
        parts = open_cms(contents, refusal=SealRefused, strict=False)
        return FoundSeal(embedded=embedded, parts=parts, token=_token(parts.signer_info))


def _check_coverage(sealed: bytes, embedded: EmbeddedPdfSignature) -> bytes:
    """Check that /ByteRange leaves out /Contents and nothing else; return the contents.

    A range of the right length that leaves out another place would hide unsigned bytes; so the place itself
    is compared (ISO 32000-2 §12.8.1).
    """
    numbers = [int(number) for number in embedded.byte_range]
    contents = bytes(embedded.pkcs7_content)
    if len(numbers) != 4:
        raise SealRefused("the seal's byte range has more than one gap")
    start, before, resume, after = numbers
    gap = sealed[before:resume]
    if start != 0 or resume + after != len(sealed) or resume <= before:
        raise SealRefused("the seal does not cover the whole file")
    if gap[:1] != b"<" or gap[-1:] != b">" or gap[1:-1].lower() != contents.hex().encode():
        raise SealRefused("the seal leaves out bytes that are not the signature")
    return contents


def _token(signer_info: cms.SignerInfo) -> bytes:
    try:
        token: bytes = find_unique_cms_attribute(
            signer_info["unsigned_attrs"], "signature_time_stamp_token"
        ).dump()
    except LookupError:
        raise SealRefused("the seal has no time-stamp: it is not at level B-T") from None
    if len(token) > MAX_TOKEN_BYTES:
        raise SealRefused("the seal's time-stamp is too long to be one")
    return token


def check_earlier_signatures(sealed: bytes) -> None:
    """Check that signatures made before the seal still hold with it there (DocMDP, FieldMDP; ISO 32000-2).

    Raises CannotSeal naming the first that would break.
    """
    for embedded in open_reader(sealed).embedded_signatures[:-1]:
        embedded.compute_integrity_info()
        broken = isinstance(embedded.diff_result, SuspiciousModification)
        if broken or embedded.summarise_integrity_info()["docmdp_ok"] is False:
            raise CannotSeal(f"an earlier signature ({embedded.field_name}) forbids what sealing adds")
