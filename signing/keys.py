"""Keys that seal: behind a small port, so that a file, an HSM or a remote service can stand there."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import ClassVar, Protocol

from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_der_x509_certificate

from signing.certificates import load_pem
from signing.errors import KeyRefused, refusing

MIN_RSA_BITS = 3072  # TS 119 312: shorter moduli are not for signatures that must last ten years


class SignatureAlgorithm(enum.StrEnum):
    """How a key signs, by its JOSE name (RFC 7518 §3.1). Always over SHA-256."""

    ES256 = "ES256"  # ECDSA on P-256
    RS256 = "RS256"  # RSASSA-PKCS1-v1_5
    PS256 = "PS256"  # RSASSA-PSS, MGF1 with SHA-256, a salt of 32 bytes


class KeyHandle(Protocol):
    """A key that was loaded once and signs many times, from any thread."""

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of the key."""

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What leads from the certificate to a root, nearest first; the root may be left out."""

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """How ``sign`` signs."""

    @property
    def qualified(self) -> bool:
        """Whether a trusted list says that this key makes qualified seals. Never configured."""

    def sign(self, data: bytes) -> bytes:
        """Hash ``data`` with SHA-256 and sign it. ECDSA gives a DER SEQUENCE of r and s (RFC 3279)."""


class FileKey:
    """A private key in a file: for a first try and for tests. Never qualified."""

    qualified: ClassVar[bool] = False

    def __init__(
        self,
        *,
        private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
        certificate: x509.Certificate,
        chain: tuple[x509.Certificate, ...],
    ) -> None:
        self.certificate = certificate
        self.chain = chain
        self.algorithm = _algorithm(private)
        self._private = private
        if load_der_x509_certificate(certificate.dump()).public_key() != private.public_key():
            raise KeyRefused("the first certificate is not that of the private key")

    @classmethod
    def load(cls, key_path: Path, certificates_path: Path) -> FileKey:
        """Read a PEM PKCS#8 key without a password, and a PEM file: its certificate, then the chain.

        Raises KeyRefused, CertificateRefused, OSError.
        """
        with refusing(KeyRefused, "not a PEM private key without a password"):
            private = load_pem_private_key(key_path.read_bytes(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise KeyRefused("a key must be ECDSA on P-256, or RSA")
        certificate, *chain = load_pem(certificates_path)
        return cls(private=private, certificate=certificate, chain=tuple(chain))

    def sign(self, data: bytes) -> bytes:
        """Hash ``data`` with SHA-256 and sign it."""
        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            return self._private.sign(data, ec.ECDSA(SHA256()))
        return self._private.sign(data, padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size), SHA256())


def _algorithm(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> SignatureAlgorithm:
    """Return how a key signs; for RSA, PSS rather than the older padding (TS 119 312)."""
    if isinstance(private, rsa.RSAPrivateKey):
        if private.key_size < MIN_RSA_BITS:
            raise KeyRefused(f"an RSA key must have at least {MIN_RSA_BITS} bits")
        return SignatureAlgorithm.PS256
    if not isinstance(private.curve, ec.SECP256R1):
        raise KeyRefused("an ECDSA key must be on P-256, the curve that goes with SHA-256")
    return SignatureAlgorithm.ES256
