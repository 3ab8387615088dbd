"""One CMS signature, checked offline: what seals and time-stamp tokens have in common."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import cms, x509
from pyhanko.sign.general import extract_certificate_info, extract_signer_info
from pyhanko.sign.validation.generic_cms import get_signing_cert_attr, validate_sig_integrity
from pyhanko.sign.validation.settings import KeyUsageConstraints

from signing.certificates import check_chain
from signing.errors import CertificateRefused, SigningError, refusing

# TS 119 312: what seals and tokens may be made with. pyHanko's integrity check leaves this to its caller.
DIGESTS = frozenset({"sha256", "sha384", "sha512"})
SIGNATURES = frozenset({"ecdsa", "rsassa_pkcs1v15", "rsassa_pss"})
NO_DIGEST_OF_ITS_OWN = frozenset({"rsassa_pkcs1v15"})  # RFC 3370 §3.2: the digest stands beside it


@dataclass(frozen=True, slots=True, kw_only=True)
class CmsParts:
    """The one SignerInfo of a CMS SignedData, its certificate, and the other certificates beside it."""

    signed_data: cms.SignedData
    signer_info: cms.SignerInfo
    signer: x509.Certificate
    others: tuple[x509.Certificate, ...]


def open_cms(der: bytes, *, refusal: type[SigningError], strict: bool = True) -> CmsParts:
    """Parse a ContentInfo that holds SignedData with exactly one signer and that signer's certificate.

    ``strict`` refuses bytes after the structure; a PDF pads the reserved room with zeros, so not there.
    Raises ``refusal``.
    """
    with refusing(refusal, "not a CMS signature with one signer"):
        content_info = cms.ContentInfo.load(der, strict=strict)
        if content_info["content_type"].native != "signed_data":
            raise refusal("the CMS content is not SignedData")
        signed_data = content_info["content"]
        signer_info = extract_signer_info(signed_data)
        found = extract_certificate_info(signed_data)
        return CmsParts(
            signed_data=signed_data,
            signer_info=signer_info,
            signer=found.signer_cert,
            others=tuple(found.other_certs),
        )


def check_cms(
    parts: CmsParts,
    *,
    digest: bytes | None,
    roots: tuple[x509.Certificate, ...],
    at: datetime,
    usage: KeyUsageConstraints,
    refusal: type[SigningError],
) -> None:
    """Check the algorithms, the signature, the certificate it names, and its path to a root at ``at``.

    ``digest`` gives detached content, hashed with the signature's digest algorithm; None: the content is
    inside. Revocation is not checked. Raises ``refusal``.
    """
    with refusing(refusal, "the CMS signature does not verify"):
        _check_algorithms(parts.signer_info, refusal)
        if digest is not None and parts.signed_data["encap_content_info"]["content"].native is not None:
            raise refusal("a detached signature must not hold content of its own")
        if get_signing_cert_attr(parts.signer_info["signed_attrs"]) is None:
            raise refusal("the signature does not name its certificate (RFC 5035, RFC 5816)")
        intact, valid = validate_sig_integrity(
            parts.signer_info,
            parts.signer,
            expected_content_type=parts.signed_data["encap_content_info"]["content_type"].native,
            actual_digest=_inner_digest(parts) if digest is None else digest,
        )
        if not intact:
            raise refusal("the signature covers other bytes")
        if not valid:
            raise refusal("the signature is not that of the certificate it names")
        try:
            check_chain(parts.signer, others=parts.others, roots=roots, at=at, usage=usage)
        except CertificateRefused as error:
            raise refusal(str(error)) from error


def _check_algorithms(signer_info: cms.SignerInfo, refusal: type[SigningError]) -> None:
    digest = signer_info["digest_algorithm"]["algorithm"].native
    mechanism = signer_info["signature_algorithm"]
    if digest not in DIGESTS:
        raise refusal(f"the digest algorithm {digest} is not accepted")
    if mechanism.signature_algo not in SIGNATURES:
        raise refusal(f"the signature algorithm {mechanism['algorithm'].native} is not accepted")
    implied = None if mechanism["algorithm"].native in NO_DIGEST_OF_ITS_OWN else mechanism.hash_algo
    if implied not in (None, digest):
        raise refusal("digest and signature algorithm do not go together")


def _inner_digest(parts: CmsParts) -> bytes:
    content = parts.signed_data["encap_content_info"]["content"]
    algorithm = parts.signer_info["digest_algorithm"]["algorithm"].native
    return hashlib.new(algorithm, bytes(content)).digest()
