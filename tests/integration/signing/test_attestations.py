"""Signed attestations (JAdES baseline B): made with a real key, and every lie refused."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from datetime import UTC, datetime

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from signing.errors import CertificateRefused, JwsRefused
from signing.jades import sign_compact, verify_compact

TYP = "archive-receipt+jws"


def encode(data: bytes) -> bytes:
    """Base64url without padding (RFC 7515 §2), apart from the code under test."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode(part: bytes) -> bytes:
    """Undo ``encode``."""
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


@pytest.fixture
def receipt(pki_for_signing, now) -> bytes:
    """An attestation as the archive makes it, by the P-256 key."""
    return sign_compact(b'{"a":1}', key=pki_for_signing.key("seal"), at=now, typ=TYP)


@pytest.mark.parametrize("label", ["seal", "seal-rsa"])
def test_an_attestation_verifies_and_names_its_time_and_signer(pki_for_signing, now, label) -> None:
    """Payload, claimed time and signer come back, and the chain leads to the root alone."""
    key = pki_for_signing.key(label)
    compact = sign_compact(b"payload", key=key, at=now, typ=TYP)
    verified = verify_compact(compact, roots=pki_for_signing.roots, typ=TYP)
    assert verified.payload == b"payload"
    assert verified.signed_at == now
    assert verified.signer.dump() == key.certificate.dump()


@pytest.mark.parametrize(
    ("label", "family", "alg"), [("seal", ECKey, "ES256"), ("seal-rsa", RSAKey, "PS256")]
)
def test_joserfc_alone_verifies_it(pki_for_signing, now, label, family, alg) -> None:
    """Any JOSE implementation agrees: joserfc verifies with the key's public half, knowing nothing of us."""
    compact = sign_compact(b"payload", key=pki_for_signing.key(label), at=now, typ=TYP)
    public = family.import_key((pki_for_signing.folder / f"{label}.pem").read_bytes())
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.max_header_length = 8192  # joserfc's own bound, 512 bytes, has no room for an x5c
    assert jws.deserialize_compact(compact, public, registry=registry).payload == b"payload"


def test_openssl_verifies_the_rsa_signature(pki_for_signing, now, tmp_path) -> None:
    """OpenSSL agrees that the PS256 part signs header.payload with a salt as long as the digest."""
    compact = sign_compact(b"payload", key=pki_for_signing.key("seal-rsa"), at=now, typ=TYP)
    signed, _, signature = compact.rpartition(b".")
    (tmp_path / "data").write_bytes(signed)
    (tmp_path / "signature").write_bytes(decode(signature))
    (tmp_path / "key.pem").write_bytes((pki_for_signing.folder / "seal-rsa.pem").read_bytes())
    command = "openssl dgst -sha256 -prverify key.pem -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32"
    answer = subprocess.run(
        [*command.split(), "-signature", "signature", "data"], cwd=tmp_path, capture_output=True, check=True
    )
    assert b"Verified OK" in answer.stdout


def test_the_header_is_that_of_jades_baseline_b(receipt, pki_for_signing, now) -> None:
    """The protected header holds what TS 119 182-1 asks at level B, and nothing unprotected exists."""
    header = json.loads(decode(receipt.split(b".")[0]))
    certificate = pki_for_signing.certificates["seal"].dump()
    assert set(header) == {"alg", "iat", "typ", "x5c", "x5t#S256"}
    assert header["iat"] == now.timestamp()
    assert base64.b64decode(header["x5c"][0]) == certificate
    assert decode(header["x5t#S256"].encode()) == hashlib.sha256(certificate).digest()


def resigned(pki, change, label="seal") -> bytes:
    """Sign a changed header with the true key, by joserfc: only the check of the header can refuse it."""
    key = pki.key(label)
    original = sign_compact(b"x", key=key, at=datetime(2026, 6, 1, tzinfo=UTC), typ=TYP)
    header = json.loads(decode(original.split(b".")[0]))
    change(header)
    private = (ECKey if label == "seal" else RSAKey).import_key((pki.folder / f"{label}.pem").read_bytes())
    registry = jws.JWSRegistry(algorithms=["ES256", "RS256", "PS256"], strict_check_header=False)
    return jws.serialize_compact(header, b"x", private, registry=registry).encode()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda header: header.pop("iat"), "exactly"),
        (lambda header: header.pop("x5t#S256"), "exactly"),
        (lambda header: header.pop("x5c"), "exactly"),
        (lambda header: header.update(kid="1"), "exactly"),
        (lambda header: header.update(crit=["b64"], b64=True), "exactly"),
        (lambda header: header.update(iat="1780315200"), "whole number"),
        (lambda header: header.update(iat=True), "whole number"),
        (lambda header: header.update(iat=10**30), "cannot be read"),
        (lambda header: header.update(x5c=[]), "x5c"),
        (lambda header: header.update(x5c=header["x5c"] * 5), "x5c"),
        (lambda header: header.update(x5c=header["x5c"][::-1]), "x5t#S256"),
        (lambda header: header.update({"x5t#S256": "AAAA"}), "x5t#S256"),
        (lambda header: header.update(typ="other"), "of type other"),
    ],
)
def test_a_header_that_lies_is_refused_though_rightly_signed(pki_for_signing, change, told) -> None:
    """A header beyond, below or against the form that we write is refused even under a true signature."""
    compact = resigned(pki_for_signing, change)
    with pytest.raises(JwsRefused, match=told):
        verify_compact(compact, roots=pki_for_signing.roots, typ=TYP)


def test_an_algorithm_of_another_key_type_is_refused(pki_for_signing, receipt) -> None:
    """The alg must fit the certificate's key: PS256 beside an EC certificate, ES256 beside an RSA one."""
    header, payload, signature = receipt.split(b".")
    for alg in ("PS256", "RS256"):
        changed = json.loads(decode(header)) | {"alg": alg}
        compact = b".".join((encode(json.dumps(changed).encode()), payload, signature))
        with pytest.raises(JwsRefused):
            verify_compact(compact, roots=pki_for_signing.roots)


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "", None, 5])
def test_other_algorithms_are_refused(pki_for_signing, receipt, alg) -> None:
    """No signature, a shared secret or another curve are never accepted, whatever else the header says."""
    header, payload, _ = receipt.split(b".")
    changed = json.loads(decode(header)) | {"alg": alg}
    for signature in (b"", encode(bytes(64))):
        compact = b".".join((encode(json.dumps(changed).encode()), payload, signature))
        with pytest.raises(JwsRefused, match="algorithm"):
            verify_compact(compact, roots=pki_for_signing.roots)


def test_every_changed_part_is_refused(pki_for_signing, receipt) -> None:
    """A byte changed in header, payload or signature breaks the attestation."""
    for place in range(5, len(receipt), 97):
        if receipt[place : place + 1] == b".":
            continue
        other = b"A" if receipt[place : place + 1] != b"A" else b"B"
        changed = receipt[:place] + other + receipt[place + 1 :]
        with pytest.raises((JwsRefused, CertificateRefused)):
            verify_compact(changed, roots=pki_for_signing.roots)


@pytest.mark.parametrize(
    "compact",
    [b"", b".", b"..", b"a.b.c", b"e30.e30.e30", b"\xff.\xff.\xff", b"a.b.c.d", b"[]..", b"A" * 2**21],
)
def test_garbage_is_refused(pki_for_signing, compact) -> None:
    """What is not a compact JWS is refused as such, never with another exception."""
    with pytest.raises(JwsRefused):
        verify_compact(compact, roots=pki_for_signing.roots)


def test_one_text_stands_for_one_attestation(pki_for_signing, receipt) -> None:
    """Padding, other alphabets and loose trailing bits are refused: the digest of a receipt is journaled."""
    last = receipt[-1:]
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    loose = alphabet[alphabet.index(last) ^ 1 : (alphabet.index(last) ^ 1) + 1]
    for variant in (receipt + b"==", receipt + b"\n", receipt[:-1] + loose):
        with pytest.raises(JwsRefused):
            verify_compact(variant, roots=pki_for_signing.roots)


def test_a_parameter_given_twice_is_refused(pki_for_signing, receipt) -> None:
    """RFC 7515 §4: names in the header are unique; otherwise two readers could see two algorithms."""
    header, payload, signature = receipt.split(b".")
    doubled = decode(header)[:-1] + b',"alg":"ES256"}'
    with pytest.raises(JwsRefused, match="twice"):
        verify_compact(b".".join((encode(doubled), payload, signature)), roots=pki_for_signing.roots)


def test_an_untrusted_or_not_yet_valid_signer_is_refused(pki_for_signing) -> None:
    """The chain must lead to a given root at the claimed time: 2022 is before the certificate, 2041 after."""
    key = pki_for_signing.key("seal")
    for year in (2022, 2041):
        compact = sign_compact(b"x", key=key, at=datetime(year, 1, 1, tzinfo=UTC), typ=TYP)
        with pytest.raises(CertificateRefused):
            verify_compact(compact, roots=pki_for_signing.roots)
    compact = sign_compact(b"x", key=key, at=datetime(2026, 1, 1, tzinfo=UTC), typ=TYP)
    for roots in ((), (pki_for_signing.certificates["other-root"],)):
        with pytest.raises(CertificateRefused):
            verify_compact(compact, roots=roots)


def test_a_certificate_for_something_else_is_refused(pki_for_signing) -> None:
    """A certificate authority's own certificate does not seal (EN 319 412-2 §4.3.2), though trusted."""
    key = pki_for_signing.key("issuing")
    compact = sign_compact(b"x", key=key, at=datetime(2026, 1, 1, tzinfo=UTC), typ=TYP)
    with pytest.raises(CertificateRefused, match="key usage"):
        verify_compact(compact, roots=pki_for_signing.roots)
