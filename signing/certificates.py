"""X.509 certificates: reading and writing PEM, and the path to a trusted root."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from asn1crypto import pem, x509
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import CertificateValidator, ValidationContext

from signing.errors import CertificateRefused, refusing

# EN 319 412-2 §4.3.2: a certificate for seals asserts nonRepudiation, digitalSignature, or both.
SEALING = KeyUsageConstraints(key_usage={"non_repudiation", "digital_signature"})


def load_pem(source: Path | bytes) -> tuple[x509.Certificate, ...]:
    """Return every certificate of a PEM file, in its order; other blocks are passed over.

    Raises CertificateRefused when there is none, or when one cannot be read.
    """
    data = source.read_bytes() if isinstance(source, Path) else source
    with refusing(CertificateRefused, "not a PEM file of certificates"):
        certificates = tuple(
            _decode(der) for kind, _, der in pem.unarmor(data, multiple=True) if kind == "CERTIFICATE"
        )
    if not certificates:
        raise CertificateRefused("there is no certificate in that PEM file")
    return certificates


def _decode(der: bytes) -> x509.Certificate:
    """Parse a certificate to its last field: asn1crypto parses lazily, which is not safe between threads."""
    certificate = x509.Certificate.load(der, strict=True)
    certificate.native, certificate.critical_extensions  # noqa: B018 - read for their effect
    return certificate


def to_pem(certificates: Iterable[x509.Certificate]) -> bytes:
    """Return certificates as PEM, in the order given."""
    return b"".join(pem.armor("CERTIFICATE", certificate.dump()) for certificate in certificates)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's DER, in lower-case hex."""
    return hashlib.sha256(certificate.dump()).hexdigest()


def subject(certificate: x509.Certificate) -> str:
    """Return a certificate's subject for people to read."""
    return str(certificate.subject.human_friendly)


def offline_context(
    roots: Iterable[x509.Certificate], at: datetime, others: Iterable[x509.Certificate] = ()
) -> ValidationContext:
    """Return the rules of path validation (RFC 5280 §6) at a moment: given roots, no network, no revocation.

    Revocation is not looked at: nothing is fetched, and no CRL or OCSP answer is given. Who reports the
    result must say so.
    """
    return ValidationContext(
        trust_roots=list(roots),
        other_certs=list(others),
        moment=at,
        allow_fetching=False,
        revocation_mode="soft-fail",
    )


def check_chain(
    certificate: x509.Certificate,
    *,
    others: Iterable[x509.Certificate],
    roots: Iterable[x509.Certificate],
    at: datetime,
    usage: KeyUsageConstraints = SEALING,
) -> None:
    """Check that a certificate serves ``usage`` and chained to one of ``roots`` at ``at`` (time-zone aware).

    A certificate that is itself a root must be within its validity too, which RFC 5280 §6 leaves open.
    Raises CertificateRefused.
    """
    if not certificate.not_valid_before <= at <= certificate.not_valid_after:
        raise CertificateRefused(
            f"the certificate of {subject(certificate)} is not trusted: not valid at {at}"
        )
    validator = CertificateValidator(
        certificate,
        intermediate_certs=list(others),
        validation_context=offline_context(roots, at),
    )
    with refusing(CertificateRefused, f"the certificate of {subject(certificate)} is not trusted"):
        asyncio.run(validator.async_validate_path())
        usage.validate(certificate)
