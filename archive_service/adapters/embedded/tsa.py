"""Time-stamp tokens for development (RFC 3161, with ESSCertIDv2 as RFC 5816 asks).

certomancer's own name their certificate by SHA-1 and their policy by a real authority's identifier, and to
correct that in its ASN.1 objects took 11 ms a token. Here, the parts that never change are encoded once, and
a token takes 0.4 ms.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import cast

from asn1crypto import algos, cms, core, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

POLICY = (
    "2.25.254398230613541417390146118174023158843"  # a random UUID (ITU-T X.667): means nothing, by intent
)
IMPRINT_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}

_SEQUENCE, _SET, _OCTETS, _TIME = 0x30, 0x31, 0x04, 0x18
_CONTEXT_0 = 0xA0  # [0], constructed
_SHORT_LENGTH = 0x80


class DevelopmentTsa:
    """A time-stamping unit: one P-256 key, one certificate, its issuer's certificate beside it."""

    def __init__(self, *, key: bytes, certificate: bytes, issuer: bytes) -> None:
        """Take the key as PEM (PKCS#8, P-256), the certificates as DER."""
        self._key = cast(ec.EllipticCurvePrivateKey, load_pem_private_key(key, password=None))
        parsed = x509.Certificate.load(certificate)
        reference = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate).digest()})
        self._signer_reference = _attribute(
            "signing_certificate_v2", tsp.SigningCertificateV2({"certs": [reference]}).dump()
        )
        self._content_type = _attribute("content_type", cms.ContentType("tst_info").dump())
        self._sid = _der(_SEQUENCE, parsed.issuer.dump(), core.Integer(parsed.serial_number).dump())
        self._certificates = _der(_CONTEXT_0, *sorted((certificate, issuer)))
        self._name = _der(_CONTEXT_0, x509.GeneralName("directory_name", parsed.subject).dump())

    def answer(self, request: bytes, *, now: datetime) -> bytes:
        """Answer a TimeStampReq with a TimeStampResp (RFC 3161 §2.4), both DER; ``now`` in UTC."""
        try:
            parsed = tsp.TimeStampReq.load(request, strict=True)
            imprint = parsed["message_imprint"]
            known = IMPRINT_BYTES.get(imprint["hash_algorithm"]["algorithm"].native)
            digest, nonce = imprint["hashed_message"].native, parsed["nonce"].dump()
        except ValueError:
            return _refusal("bad_data_format")
        if known != len(digest):
            return _refusal("bad_alg")
        return _der(_SEQUENCE, _GRANTED, self._token(imprint.dump(), nonce, now))

    def _token(self, imprint: bytes, nonce: bytes, now: datetime) -> bytes:
        info = _der(
            _SEQUENCE,
            _VERSION_1,
            _POLICY,
            imprint,
            core.Integer(secrets.randbits(63)).dump(),  # unique for good: RFC 3161 §2.4.2
            _der(_TIME, _generalized_time(now)),
            nonce,  # nothing, where the request had none
            self._name,
        )
        content = _der(_SEQUENCE, _TST_INFO, _der(_CONTEXT_0, _der(_OCTETS, info)))
        signed = _der(
            _SEQUENCE,
            _VERSION_3,
            _der(_SET, _SHA256),
            content,
            self._certificates,
            _der(_SET, self._signer(info)),
        )
        return _der(_SEQUENCE, _SIGNED_DATA, _der(_CONTEXT_0, signed))

    def _signer(self, info: bytes) -> bytes:
        digest = _attribute("message_digest", _der(_OCTETS, hashlib.sha256(info).digest()))
        attributes = sorted(
            (self._content_type, digest, self._signer_reference)
        )  # SET OF in DER: X.690 §11.6
        # What is signed has the tag of a SET, what is sent has [0]: RFC 5652 §5.4.
        signature = self._key.sign(_der(_SET, *attributes), ec.ECDSA(hashes.SHA256()))
        return _der(
            _SEQUENCE,
            _VERSION_1,
            self._sid,
            _SHA256,
            _der(_CONTEXT_0, *attributes),
            _ECDSA_SHA256,
            _der(_OCTETS, signature),
        )


def _der(tag: int, *parts: bytes) -> bytes:
    """Encode one value of definite length (X.690 §8.1)."""
    size = sum(map(len, parts))
    if size < _SHORT_LENGTH:
        length = bytes([size])
    else:
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes([_SHORT_LENGTH | len(octets)]) + octets
    return b"".join((bytes([tag]), length, *parts))


def _attribute(name: str, value: bytes) -> bytes:
    return _der(_SEQUENCE, cms.CMSAttributeType(name).dump(), _der(_SET, value))


def _generalized_time(moment: datetime) -> bytes:
    """RFC 3161 §2.4.2: in UTC, a fraction without trailing zeros or none at all; to the millisecond here."""
    whole, fraction = moment.strftime("%Y%m%d%H%M%S"), f".{moment.microsecond // 1000:03}".rstrip("0")
    return f"{whole}{fraction if fraction != '.' else ''}Z".encode()


def _refusal(reason: str) -> bytes:
    status = tsp.PKIStatusInfo({"status": "rejection", "fail_info": {reason}})
    return _der(_SEQUENCE, status.dump())


_VERSION_1, _VERSION_3 = core.Integer(1).dump(), core.Integer(3).dump()
_POLICY = core.ObjectIdentifier(POLICY).dump()
_TST_INFO, _SIGNED_DATA = cms.ContentType("tst_info").dump(), cms.ContentType("signed_data").dump()
_SHA256 = algos.DigestAlgorithm({"algorithm": "sha256"}).dump()
_ECDSA_SHA256 = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}).dump()
_GRANTED = tsp.PKIStatusInfo({"status": "granted"}).dump()
