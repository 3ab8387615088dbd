"""Writing the CMS of a seal (RFC 5652, CAdES baseline attributes of EN 319 122-1 as PAdES asks for them).

The DER is put together from parts that are each written once, which takes less than a millisecond. Built as a
tree of asn1crypto values and written as a whole it took 25 ms a seal (one core, P-256): the tree is walked
again at every level.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from asn1crypto import algos, cms, core, parser
from pyhanko.sign.general import as_signing_certificate_v2

from signing.keys import KeyHandle, SignatureAlgorithm

_SEQUENCE = (0, 1, 16)  # class, method, tag (X.690 §8.1.2)
_SET = (0, 1, 17)
_CONTEXT_0 = (2, 1, 0)
_CONTEXT_1 = (2, 1, 1)

_PSS = algos.RSASSAPSSParams(
    {
        "hash_algorithm": {"algorithm": "sha256"},
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}},
        "salt_length": 32,
    }
)
MECHANISMS = {
    SignatureAlgorithm.ES256: algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    SignatureAlgorithm.RS256: algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}),
    SignatureAlgorithm.PS256: algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": _PSS}),
}
_MECHANISM_DER = {algorithm: mechanism.dump() for algorithm, mechanism in MECHANISMS.items()}
_SHA256 = algos.DigestAlgorithm({"algorithm": "sha256"}).dump()
_VERSION_1 = core.Integer(1).dump()
_DATA = cms.ContentType("data").dump()
_SIGNED_DATA = cms.ContentType("signed_data").dump()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature with what was signed: the attributes as SET OF, which is how they are hashed."""

    attributes: bytes
    signature: bytes

    @property
    def imprint(self) -> bytes:
        """The SHA-256 that a signature time-stamp covers (EN 319 122-1 §5.3)."""
        return hashlib.sha256(self.signature).digest()


def sign(key: KeyHandle, digest: bytes) -> Signed:
    """Sign the SHA-256 of detached content: content type, digest and signing certificate (RFC 5652 §5.4)."""
    attributes = _set_of(
        _attribute("content_type", _DATA),
        _attribute("message_digest", core.OctetString(digest).dump()),
        _attribute("signing_certificate_v2", as_signing_certificate_v2(key.certificate).dump()),
    )
    return Signed(attributes=attributes, signature=key.sign(attributes))


def assemble(key: KeyHandle, signed: Signed, token: bytes) -> bytes:
    """Return the DER of the ContentInfo: one signer, the certificates, and the token as attribute."""
    certificates = sorted(certificate.dump() for certificate in (key.certificate, *key.chain))
    signed_data = _emit(
        _SEQUENCE,
        _VERSION_1,
        _emit(_SET, _SHA256),
        _emit(_SEQUENCE, _DATA),
        _emit(_CONTEXT_0, *certificates),
        _emit(_SET, _signer_info(key, signed, token)),
    )
    return _emit(_SEQUENCE, _SIGNED_DATA, _emit(_CONTEXT_0, signed_data))


def _signer_info(key: KeyHandle, signed: Signed, token: bytes) -> bytes:
    certificate = key.certificate
    return _emit(
        _SEQUENCE,
        _VERSION_1,
        _emit(_SEQUENCE, certificate.issuer.dump(), core.Integer(certificate.serial_number).dump()),
        _SHA256,
        _emit(_CONTEXT_0, _content(signed.attributes)),
        _MECHANISM_DER[key.algorithm],
        core.OctetString(signed.signature).dump(),
        _emit(_CONTEXT_1, _attribute("signature_time_stamp_token", token)),
    )


def _attribute(name: str, value: bytes) -> bytes:
    return _emit(_SEQUENCE, cms.CMSAttributeType(name).dump(), _emit(_SET, value))


def _set_of(*elements: bytes) -> bytes:
    return _emit(_SET, *sorted(elements))  # X.690 §11.6


def _emit(kind: tuple[int, int, int], *parts: bytes) -> bytes:
    encoded: bytes = parser.emit(*kind, b"".join(parts))
    return encoded


def _content(encoded: bytes) -> bytes:
    content: bytes = parser.parse(encoded)[4]
    return content
