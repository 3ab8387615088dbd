"""The development PKI: tokens, CRLs and OCSP that others accept, and certificates that stay."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from asn1crypto import core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from archive_service.adapters.embedded.pki import ARCHITECTURE, KEYS, Pki
from archive_service.adapters.embedded.pki_server import MAX_REQUEST_BYTES

DATA = b"what a token covers"


def certificate(pki: Pki, label: str) -> x509.Certificate:
    """Read one of its certificates."""
    return x509.load_pem_x509_certificate(pki.certificate(label).read_bytes())


def stamp(pki: Pki, *, algorithm: str = "sha256", nonce: int | None = 7) -> tsp.TimeStampResp:
    """Ask for a token over DATA, in a request made here and not by the product."""
    imprint = {
        "hash_algorithm": {"algorithm": algorithm},
        "hashed_message": hashlib.new(algorithm, DATA).digest(),
    }
    request = {"version": "v1", "message_imprint": imprint, "cert_req": True}
    if nonce is not None:
        request["nonce"] = nonce
    answer = httpx.post(pki.tsa_url, content=tsp.TimeStampReq(request).dump())
    assert answer.headers["content-type"] == "application/timestamp-reply"
    return tsp.TimeStampResp.load(answer.content)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_another_implementation_accepts_its_tokens(pki: Pki, algorithm: str) -> None:
    """PyHanko checks signature, imprint, chain and purpose (EKU) of a token that our own encoder wrote."""
    token = stamp(pki, algorithm=algorithm)["time_stamp_token"]
    root = asn1_x509.Certificate.load(certificate(pki, "root").public_bytes(Encoding.DER))
    context = ValidationContext(trust_roots=[root], allow_fetching=False)
    checked = validate_tst_signed_data(
        token["content"], context, lambda name: hashlib.new(name, DATA).digest()
    )
    status = TimestampSignatureStatus(**asyncio.run(checked))
    assert (status.intact, status.valid, status.trusted) == (True, True, True)
    assert abs(status.timestamp - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_token_names_its_certificate_by_sha_256(pki: Pki) -> None:
    """RFC 5816 §2.2.1: ESSCertIDv2; a SHA-1 reference would be refused by today's validators."""
    (signer,) = stamp(pki)["time_stamp_token"]["content"]["signer_infos"]
    attributes = {each["type"].native: each["values"][0] for each in signer["signed_attrs"]}
    assert "signing_certificate" not in attributes
    (reference,) = attributes["signing_certificate_v2"]["certs"]
    expected = certificate(pki, "tsa").fingerprint(hashes.SHA256())
    assert reference["cert_hash"].native == expected


@pytest.mark.parametrize("nonce", [None, 0, 7, 2**64 - 1])
def test_the_nonce_comes_back_if_and_only_if_there_was_one(pki: Pki, nonce: int | None) -> None:
    """RFC 3161 §2.4.2: the same value, so that an old answer cannot be played again."""
    info = stamp(pki, nonce=nonce)["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
    assert info["nonce"].native == nonce


def test_what_is_no_request_gets_a_rejection_and_no_token(pki: Pki) -> None:
    """RFC 3161 §2.4.2: PKIStatus rejection with the reason."""
    assert refusal(httpx.post(pki.tsa_url, content=b"no request").content) == {"bad_data_format"}


def test_an_imprint_of_another_length_gets_a_rejection(pki: Pki) -> None:
    """A SHA-256 imprint of 20 bytes is no SHA-256 imprint."""
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(20)}
    request = tsp.TimeStampReq({"version": "v1", "message_imprint": imprint})
    assert refusal(httpx.post(pki.tsa_url, content=request.dump()).content) == {"bad_alg"}


def test_many_workers_may_ask_at_once(pki: Pki) -> None:
    """Each gets a token of its own: serial numbers never repeat (RFC 3161 §2.4.2)."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: stamp(pki), range(40)))
    contents = [each["time_stamp_token"]["content"]["encap_content_info"]["content"] for each in answers]
    assert len({each.parsed["serial_number"].native for each in contents}) == len(answers)


def test_a_request_that_is_too_long_is_not_read(pki: Pki) -> None:
    """A time-stamp request is about a hundred bytes."""
    answer = httpx.post(pki.tsa_url, content=bytes(MAX_REQUEST_BYTES + 1))
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize(("label", "issuer"), [("seal", "seal-ca"), ("tsa", "tsa-ca")])
def test_ocsp_says_good_and_is_signed_by_the_responder(pki: Pki, label: str, issuer: str) -> None:
    """Read and verified by the cryptography package, at the address that the certificate itself names."""
    subject, authority = certificate(pki, label), certificate(pki, issuer)
    access = subject.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (url,) = [each.access_location.value for each in access]
    request = ocsp.OCSPRequestBuilder().add_certificate(subject, authority, hashes.SHA256()).build()
    answer = ocsp.load_der_ocsp_response(httpx.post(url, content=request.public_bytes(Encoding.DER)).content)
    assert answer.certificate_status is ocsp.OCSPCertStatus.GOOD
    public_key(pki, f"{label}-ocsp").verify(
        answer.signature, answer.tbs_response_bytes, ec.ECDSA(hashes.SHA256())
    )


@pytest.mark.parametrize("issuer", ["root", "seal-ca", "tsa-ca"])
def test_each_authority_publishes_a_signed_crl(pki: Pki, issuer: str) -> None:
    """Verified by the cryptography package."""
    body = httpx.get(f"{pki.url}/{ARCHITECTURE}/crls/{issuer}/latest.crl").content
    assert x509.load_der_x509_crl(body).is_signature_valid(public_key(pki, issuer))


@pytest.mark.parametrize("label", KEYS)
def test_every_subject_says_not_qualified(pki: Pki, label: str) -> None:
    """A test key is named so wherever its result is shown."""
    assert certificate(pki, label).subject.rfc4514_string().count("not qualified") == 2


def test_keys_are_for_us_alone(pki: Pki) -> None:
    """Private keys lie in files of mode 0600, in a folder of mode 0700."""
    assert pki.key("seal").stat().st_mode & 0o777 == 0o600
    assert pki.folder.stat().st_mode & 0o777 == 0o700


def test_certificates_stay_over_restarts(tmp_path: Path) -> None:
    """What was sealed yesterday must chain to the root that is served today."""
    with Pki(tmp_path) as first:
        before = {label: first.certificate(label).read_bytes() for label in KEYS}
    with Pki(tmp_path) as second:
        served = httpx.get(f"{second.url}/{ARCHITECTURE}/crls/root/latest.crl").content
        assert x509.load_der_x509_crl(served).issuer == certificate(second, "root").subject
        assert {label: second.certificate(label).read_bytes() for label in KEYS} == before


def refusal(answer: bytes) -> set[str]:
    """Return the reasons of an answer that is a rejection and nothing else."""
    (status,) = core.SequenceOf.load(answer, spec=tsp.PKIStatusInfo)  # asn1crypto's own type wants a token
    assert status["status"].native == "rejection"
    reasons = status["fail_info"].native
    assert isinstance(reasons, set)
    return reasons


def public_key(pki: Pki, label: str) -> ec.EllipticCurvePublicKey:
    """Return the P-256 key of one of its certificates."""
    key = certificate(pki, label).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key
