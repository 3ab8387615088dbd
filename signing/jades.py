"""Signed attestations: JAdES baseline B as a compact JWS (TS 119 182-1 v1.2.1, RFC 7515)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from signing.certificates import check_chain
from signing.errors import JwsRefused, refusing
from signing.keys import KeyHandle, SignatureAlgorithm

MAX_JWS_BYTES = 1024 * 1024  # a receipt takes some 10 kB; more is not one of ours
MAX_HEADER_BYTES = 32 * 1024  # eight certificates in base64, twice
MAX_CHAIN = 8  # each certificate is parsed

_HEADER = frozenset({"alg", "typ", "iat", "x5t#S256", "x5c"})


class _Registry(jws.JWSRegistry):
    """joserfc's bounds, widened to what x5c takes."""

    max_header_length = MAX_HEADER_BYTES
    max_payload_length = MAX_JWS_BYTES
    max_signature_length = 2048  # RSA-8192 in base64url takes 1366


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedJws:
    """An attestation whose signature, certificate and chain hold. ``signed_at`` is the signer's claim."""

    payload: bytes
    signed_at: datetime
    signer: x509.Certificate
    typ: str


def sign_compact(payload: bytes, *, key: KeyHandle, at: datetime, typ: str) -> bytes:
    """Return a compact JWS over ``payload``.

    The protected header holds ``alg``, ``typ``, ``iat`` (whole seconds, TS 119 182-1 §5.1.11), ``x5t#S256``
    and ``x5c`` (leaf first). None of them needs ``crit``: the clause asks for it for the parameters that
    TS 119 182-1 itself defines, and none of those is used.
    """
    certificates = [certificate.dump() for certificate in (key.certificate, *key.chain)]
    header = {
        "alg": key.algorithm.value,
        "iat": int(at.timestamp()),
        "typ": typ,
        "x5c": [base64.b64encode(der).decode() for der in certificates],
        "x5t#S256": _encode(hashlib.sha256(certificates[0]).digest()),
    }
    protected = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    signing_input = f"{_encode(protected)}.{_encode(payload)}".encode()
    signature = _jose_signature(key, signing_input)
    return signing_input + b"." + _encode(signature).encode()


def _jose_signature(key: KeyHandle, data: bytes) -> bytes:
    signature = key.sign(data)
    if key.algorithm is not SignatureAlgorithm.ES256:
        return signature
    r, s = decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")  # RFC 7518 §3.4


def verify_compact(
    compact: bytes, *, roots: tuple[x509.Certificate, ...], typ: str | None = None
) -> VerifiedJws:
    """Check a compact JWS that ``sign_compact`` could have made; ``typ``, when given, must be its type.

    1. the form: three parts, canonical base64url, exactly the header parameters that we write;
    2. ``alg`` is one of ours and fits the certificate's key; never ``none``;
    3. ``x5t#S256`` is the digest of ``x5c[0]``;
    4. the signature;
    5. the certificate seals, and chained to a root at ``iat``. Revocation is not checked.

    Raises JwsRefused, CertificateRefused.
    """
    if len(compact) > MAX_JWS_BYTES:
        raise JwsRefused("the attestation is too long to be one")
    with refusing(JwsRefused, "the attestation cannot be read"):
        header, payload = _parts(compact)
        algorithm = _algorithm(header)
        certificates = _certificates(header)
        signed_at = _moment(header)
        if typ is not None and header["typ"] != typ:
            raise JwsRefused(f"the attestation is of type {header['typ']}, not {typ}")
        _check_signature(compact, algorithm, certificates[0])
        check_chain(certificates[0], others=certificates[1:], roots=roots, at=signed_at)
    return VerifiedJws(payload=payload, signed_at=signed_at, signer=certificates[0], typ=str(header["typ"]))


def certificates_of(compact: bytes) -> tuple[bytes, ...]:
    """Return the DER of the header's certificates, the signer's first. Nothing is verified."""
    with refusing(JwsRefused, "the attestation"):
        header, _ = _parts(compact)
        return tuple(certificate.dump() for certificate in _certificates(header))


def _parts(compact: bytes) -> tuple[dict[str, object], bytes]:
    protected, payload, _ = (_decode(part) for part in compact.split(b".", 2))
    header = json.loads(protected, object_pairs_hook=_no_duplicates)
    if not isinstance(header, dict) or set(header) != _HEADER:
        raise JwsRefused(f"the header must hold exactly {', '.join(sorted(_HEADER))}")
    if not isinstance(header["typ"], str):
        raise JwsRefused("the header's typ must be text")
    return header, payload


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JwsRefused("the header names a parameter twice (RFC 7515 §4)")
    return members


def _algorithm(header: dict[str, object]) -> SignatureAlgorithm:
    try:
        return SignatureAlgorithm(str(header["alg"]))
    except ValueError:
        raise JwsRefused(f"the algorithm {header['alg']!r} is not accepted") from None


def _certificates(header: dict[str, object]) -> tuple[x509.Certificate, ...]:
    encoded = header["x5c"]
    if not isinstance(encoded, list) or not 0 < len(encoded) <= MAX_CHAIN:
        raise JwsRefused(f"x5c must hold 1 to {MAX_CHAIN} certificates")
    ders = [base64.b64decode(item, validate=True) for item in encoded]
    thumbprint = _encode(hashlib.sha256(ders[0]).digest())
    if not hmac.compare_digest(thumbprint.encode(), str(header["x5t#S256"]).encode()):
        raise JwsRefused("x5t#S256 is not the digest of the first certificate")
    return tuple(x509.Certificate.load(der, strict=True) for der in ders)


def _moment(header: dict[str, object]) -> datetime:
    seconds = header["iat"]
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise JwsRefused("iat must be a whole number of seconds")
    return datetime.fromtimestamp(seconds, UTC)


def _check_signature(compact: bytes, algorithm: SignatureAlgorithm, certificate: x509.Certificate) -> None:
    public = load_der_x509_certificate(certificate.dump()).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    family = ECKey if algorithm is SignatureAlgorithm.ES256 else RSAKey
    # joserfc knows no iat in a header: which parameters there may be was checked before.
    registry = _Registry(algorithms=[algorithm.value], strict_check_header=False)
    try:
        jws.deserialize_compact(compact, family.import_key(pem), registry=registry)
    except JoseError as error:
        raise JwsRefused(f"the signature does not verify: {error}") from error


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(part: bytes) -> bytes:
    data = base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    if _encode(data).encode() != part:
        raise JwsRefused("a part is not canonical base64url")
    return data
