"""A certificate authority for one data folder, so that SeaweedFS' own parts know one another (mutual TLS)."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from archive_service.adapters.embedded.ports import LOOPBACK
from archive_service.adapters.embedded.state import private_folder, write_private

_YEARS = timedelta(days=365 * 20)


def make_mutual_tls(folder: Path) -> None:
    """Write ``ca.pem``, ``part.pem`` and ``part-key.pem`` unless they are there. The CA's key is not kept."""
    private_folder(folder)
    if (folder / "ca.pem").exists():  # written last
        return
    now = datetime.now(UTC)
    authority_key, part_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _builder("archive object store CA", "archive object store CA", authority_key, now)
    authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    part = _builder("archive object store", "archive object store CA", part_key, now)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(LOOPBACK))]
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    part = part.add_extension(x509.SubjectAlternativeName(names), critical=False)
    part = part.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    private = part_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(folder / "part-key.pem", private)
    write_private(folder / "part.pem", part.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    write_private(
        folder / "ca.pem", authority.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM)
    )


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEARS)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
