"""Keys and certificates from files: what is taken, and what is refused with a reason."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate

from signing.certificates import check_chain, fingerprint, load_pem, subject, to_pem
from signing.errors import CertificateRefused, KeyRefused
from signing.keys import FileKey, SignatureAlgorithm


def self_signed(folder: Path, *options: str) -> tuple[Path, Path]:
    """Let OpenSSL make a key and a certificate for it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-days", "3650", "-subj", "/O=Test/CN=Seal"]
    usage = ["-addext", "keyUsage=critical,nonRepudiation"]
    subprocess.run(
        [*command, *usage, *options, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    return key, certificate


P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("-newkey", "rsa:3072")


def test_a_p256_key_signs_with_ecdsa(tmp_path) -> None:
    """The signature is the DER that the certificate's key verifies over SHA-256."""
    key = FileKey.load(*self_signed(tmp_path, *P256))
    public = load_der_x509_certificate(key.certificate.dump()).public_key()
    public.verify(key.sign(b"data"), b"data", ec.ECDSA(SHA256()))
    assert key.algorithm is SignatureAlgorithm.ES256
    assert key.qualified is False
    assert key.chain == ()


def test_an_rsa_key_signs_with_pss_and_a_salt_of_32_bytes(tmp_path) -> None:
    """PS256 (RFC 7518 §3.5) asks for a salt as long as the digest."""
    key = FileKey.load(*self_signed(tmp_path, *RSA))
    public = load_der_x509_certificate(key.certificate.dump()).public_key()
    public.verify(key.sign(b"data"), b"data", padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
    assert key.algorithm is SignatureAlgorithm.PS256


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("-newkey", "rsa:2048"), "3072"),
        (("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"), "P-256"),
        (("-newkey", "ed25519"), "ECDSA on P-256, or RSA"),
    ],
)
def test_a_weak_or_unfit_key_is_refused(tmp_path, options, told) -> None:
    """A key that would not last, or that SHA-256 does not go with, is refused when it is loaded."""
    with pytest.raises(KeyRefused, match=told):
        FileKey.load(*self_signed(tmp_path, *options))


def test_another_keys_certificate_is_refused(tmp_path) -> None:
    """Key and certificate that do not belong together are found out at the start, not at the first seal."""
    (tmp_path / "other").mkdir()
    key, _ = self_signed(tmp_path, *P256)
    _, certificate = self_signed(tmp_path / "other", *P256)
    with pytest.raises(KeyRefused, match="not that of the private key"):
        FileKey.load(key, certificate)


@pytest.mark.parametrize(
    "content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_what_is_no_key_is_refused(tmp_path, content) -> None:
    """An unreadable key file is refused as such."""
    key, certificate = self_signed(tmp_path, *P256)
    key.write_bytes(content)
    with pytest.raises(KeyRefused):
        FileKey.load(key, certificate)


def test_a_key_with_a_password_is_refused(tmp_path) -> None:
    """A protected key cannot be loaded without asking; it is refused and not guessed at."""
    key, certificate = self_signed(tmp_path, *P256)
    subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", key, "-out", tmp_path / "protected", "-passout", "pass:x"],
        check=True,
        capture_output=True,
    )
    with pytest.raises(KeyRefused):
        FileKey.load(tmp_path / "protected", certificate)


def test_certificates_are_read_in_order_and_written_back(tmp_path) -> None:
    """PEM in, the same PEM out; other blocks are passed over; the fingerprint is OpenSSL's."""
    key, certificate = self_signed(tmp_path, *P256)
    (tmp_path / "other").mkdir()
    _, second = self_signed(tmp_path / "other", *RSA)
    both = certificate.read_bytes() + second.read_bytes()
    loaded = load_pem(key.read_bytes() + both)
    assert to_pem(loaded).replace(b"\n", b"") == both.replace(b"\n", b"")
    told = subprocess.run(
        ["openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert told.strip().partition("=")[2].replace(":", "").lower() == fingerprint(loaded[0])
    assert "Seal" in subject(loaded[0])


@pytest.mark.parametrize(
    "content", [b"", b"none", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"]
)
def test_what_holds_no_certificate_is_refused(tmp_path, content) -> None:
    """A file without a readable certificate is refused, not taken for an empty list of roots."""
    (tmp_path / "file").write_bytes(content)
    for source in (content, tmp_path / "file"):
        with pytest.raises(CertificateRefused):
            load_pem(source)


def test_a_chain_holds_only_in_its_time_and_to_its_root(tmp_path) -> None:
    """A certificate that is its own root is trusted within its validity, and to no other root."""
    (tmp_path / "other").mkdir()
    (mine,) = load_pem(self_signed(tmp_path, *P256)[1])
    (other,) = load_pem(self_signed(tmp_path / "other", *P256)[1])
    now = datetime.now(UTC)
    check_chain(mine, others=(), roots=(mine,), at=now)
    for roots, at in (((other,), now), ((), now), ((mine,), datetime(2000, 1, 1, tzinfo=UTC))):
        with pytest.raises(CertificateRefused):
            check_chain(mine, others=(), roots=roots, at=at)
