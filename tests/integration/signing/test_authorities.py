"""Time-stamping authorities that fail or lie, on loopback: none of them gets a token past us."""

from __future__ import annotations

import hashlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import rfc3161ng
from asn1crypto import cms, tsp
from pyasn1.codec.der import encoder

from archive_service.adapters.tsa import MAX_ANSWER_BYTES, HttpTsa
from signing.certificates import to_pem
from signing.checks import OfflineChecks
from signing.errors import TokenRefused
from signing.timestamps import NoTimestamp, Timestamper, TransportFailed
from signing.tokens import MAX_TOKEN_BYTES, UnverifiedToken

DIGEST = hashlib.sha256(b"what is stamped").digest()
REPLY = "application/timestamp-reply"


@contextmanager
def authority(
    answer: Callable[[bytes], bytes], *, status: int = 200, kind: str = REPLY, delay: float = 0.0
) -> Iterator[str]:
    """Serve one answer, as hostile as a test wants it, and give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()
            try:
                for place in range(0, len(body), 1024):
                    self.wfile.write(body[place : place + 1024])
                    time.sleep(delay)
            except (BrokenPipeError, ConnectionResetError):
                return  # the client gave up, which is what the test wants

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def honest(pki, body: bytes) -> bytes:
    """Ask certomancer in a liar's place."""
    headers = {"Content-Type": "application/timestamp-query"}
    return httpx.post(pki.tsa("good"), content=body, headers=headers, trust_env=False).content


def asking(pki, change: Callable[[tsp.TimeStampReq], None]) -> Callable[[bytes], bytes]:
    """Answer with a genuine token for a request that is not the one that was sent."""

    def answer(body: bytes) -> bytes:
        request = tsp.TimeStampReq.load(body)
        change(request)
        return honest(pki, request.dump(force=True))

    return answer


def refused(pki, url: str, *, timeout: float = 5.0) -> str:
    """Ask that one authority and return the reason that the error gives for it."""
    with pytest.raises(NoTimestamp) as caught:
        pki.timestamper(url, timeout=timeout).stamp(DIGEST)
    ((named, reason),) = caught.value.attempts
    assert named == (url if "://" in url else pki.tsa(url))
    assert named in str(caught.value)
    return reason


def test_openssl_verifies_the_token(pki_for_signing, tmp_path) -> None:
    """An independent implementation accepts the token over the data, and refuses it over other data."""
    token = pki_for_signing.timestamper("good").stamp(DIGEST)
    (tmp_path / "token").write_bytes(token.der)
    (tmp_path / "root.pem").write_bytes(to_pem(pki_for_signing.roots))
    command = ["openssl", "ts", "-verify", "-token_in", "-in", "token", "-CAfile", "root.pem", "-data"]
    for data, code in ((b"what is stamped", 0), (b"something else", 1)):
        (tmp_path / "data").write_bytes(data)
        assert subprocess.run([*command, "data"], cwd=tmp_path, capture_output=True).returncode == code


def test_the_request_is_what_openssl_reads(pki_for_signing, tmp_path) -> None:
    """The request asks for SHA-256, carries the digest and the drawn nonce, and wants the certificates."""
    asked: list[bytes] = []

    class Recording:
        def post(self, url: str, body: bytes, *, timeout: float) -> bytes:
            asked.append(body)
            raise TransportFailed(f"recorded for {url} within {timeout}")

    stamper = Timestamper(
        urls=("a", "b"), transport=Recording(), roots=(), random=lambda size: bytes([0xFF] * size)
    )
    with pytest.raises(NoTimestamp):
        stamper.stamp(DIGEST)
    (tmp_path / "request").write_bytes(asked[0])
    text = subprocess.run(
        ["openssl", "ts", "-query", "-in", tmp_path / "request", "-text"], capture_output=True, check=True
    ).stdout.decode()
    assert "Hash Algorithm: sha256" in text
    assert "Certificate required: yes" in text
    assert "Nonce: 0x7FFFFFFFFFFFFFFF" in text
    assert tsp.TimeStampReq.load(asked[0])["message_imprint"]["hashed_message"].native == DIGEST


def test_a_nonce_is_drawn_for_each_request(pki_for_signing) -> None:
    """No two requests share a nonce, and none is shorter than eight bytes."""
    nonces = []

    def answer(body: bytes) -> bytes:
        nonces.append(tsp.TimeStampReq.load(body)["nonce"].native)
        return honest(pki_for_signing, body)

    with authority(answer) as url:
        for _ in range(3):
            pki_for_signing.timestamper(url).stamp(DIGEST)
    assert len(set(nonces)) == 3
    assert all(2**62 <= nonce < 2**63 for nonce in nonces)


def test_a_token_for_another_nonce_is_refused(pki_for_signing) -> None:
    """A genuine token that was made for an earlier request is a replay."""
    with authority(asking(pki_for_signing, lambda request: request.__setitem__("nonce", 7))) as url:
        assert "nonce" in refused(pki_for_signing, url)


def test_a_token_without_a_nonce_is_refused(pki_for_signing) -> None:
    """An authority that leaves the nonce out could send any old token."""
    with authority(asking(pki_for_signing, lambda request: request.__delitem__("nonce"))) as url:
        assert "nonce" in refused(pki_for_signing, url)


def test_a_token_for_another_imprint_is_refused(pki_for_signing) -> None:
    """A genuine token over other bytes proves nothing about ours."""

    def change(request: tsp.TimeStampReq) -> None:
        request["message_imprint"]["hashed_message"] = bytes(32)

    with authority(asking(pki_for_signing, change)) as url:
        assert "other bytes" in refused(pki_for_signing, url)


def test_a_token_with_another_hash_is_refused(pki_for_signing) -> None:
    """The same octets called SHA3-256 are not the SHA-256 that was asked for."""

    def change(request: tsp.TimeStampReq) -> None:
        request["message_imprint"]["hash_algorithm"] = {"algorithm": "sha3_256"}

    with authority(asking(pki_for_signing, change)) as url:
        assert "not a SHA-256" in refused(pki_for_signing, url)


def response(status: int, *words: str) -> bytes:
    """A TimeStampResp without a token, written by pyasn1 from rfc3161ng's grammar, not by the code's own."""
    answer = rfc3161ng.TimeStampResp()
    answer["status"]["status"] = status
    for index, word in enumerate(words):
        answer["status"]["statusString"][index] = word
    return encoder.encode(answer)


@pytest.mark.parametrize(("number", "status"), [(2, "rejection"), (3, "waiting"), (4, "revocation_warning")])
def test_a_refusal_is_told_with_the_authoritys_words(pki_for_signing, number, status) -> None:
    """A status other than granted is a failure that names the authority's reason (RFC 3161 §2.4.2)."""
    with authority(lambda _: response(number, "quota used up")) as url:
        reason = refused(pki_for_signing, url)
    assert status in reason
    assert "quota used up" in reason


def test_granted_without_a_token_is_refused(pki_for_signing) -> None:
    """A response that says yes and gives nothing is a failure."""
    with authority(lambda _: response(0)) as url:
        assert "without a token" in refused(pki_for_signing, url)


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("untrusted", "not trusted"),
        ("no-purpose", "time-stamping alone"),
        ("two-purposes", "time-stamping alone"),
        ("uncritical", "not critical"),
        ("expired", "not trusted"),
    ],
)
def test_a_wrong_certificate_is_refused(pki_for_signing, label, told) -> None:
    """A true token of a certificate that is untrusted, expired, or not for time-stamping alone is refused."""
    assert told in refused(pki_for_signing, label)


@pytest.mark.parametrize("place", ["signature", "attributes", "info"])
def test_a_changed_token_is_refused(pki_for_signing, place) -> None:
    """One changed bit in signature, signed attributes or content breaks the token."""

    def answer(body: bytes) -> bytes:
        genuine = honest(pki_for_signing, body)
        signed = tsp.TimeStampResp.load(genuine)["time_stamp_token"]["content"]
        info = signed["signer_infos"][0]
        target = {
            "signature": info["signature"].native[-8:],
            "attributes": info["signed_attrs"].dump()[-8:],
            "info": signed["encap_content_info"]["content"].parsed["serial_number"].dump()[2:],
        }[place]
        assert genuine.count(target) == 1
        return genuine.replace(target, target[:-1] + bytes([target[-1] ^ 1]))

    with authority(answer) as url:
        assert refused(pki_for_signing, url)


def test_a_token_that_does_not_name_its_certificate_is_refused(pki_for_signing) -> None:
    """RFC 5816 §2.2.1: the certificate is named in a signed attribute; here it has another type."""

    def answer(body: bytes) -> bytes:
        name = cms.CMSAttributeType("signing_certificate").dump()
        return honest(pki_for_signing, body).replace(name, name[:-1] + b"\x7f")

    with authority(answer) as url:
        assert "does not name its certificate" in refused(pki_for_signing, url)


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", bytes(500), b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"0" * 9000]
)
def test_garbage_is_refused(pki_for_signing, answer) -> None:
    """What is no time-stamp response is a failure of that authority, never another exception."""
    with authority(lambda _: answer) as url:
        assert refused(pki_for_signing, url)


def test_an_authority_that_is_down_is_named(pki_for_signing) -> None:
    """A closed port is a failure of that authority."""
    with authority(lambda _: b"") as url:
        pass
    assert "ConnectError" in refused(pki_for_signing, url)


def test_no_authority_at_all_is_said(pki_for_signing) -> None:
    """With an empty list the error says so."""
    with pytest.raises(NoTimestamp, match="no time-stamping authority is configured"):
        pki_for_signing.timestamper().stamp(DIGEST)


@pytest.mark.parametrize("delay", [0.05, 3.0])
def test_a_slow_authority_meets_the_deadline(pki_for_signing, delay) -> None:
    """Silence, and a body that drips so that no single read is late, both end at the deadline."""
    with authority(lambda _: bytes(100_000), delay=delay) as url:
        started = time.monotonic()
        refused(pki_for_signing, url, timeout=0.5)
        assert time.monotonic() - started < 2.0


def test_an_endless_answer_is_cut_off(pki_for_signing) -> None:
    """More than a token can take is not read to the end."""
    with authority(lambda _: bytes(4 * MAX_ANSWER_BYTES)) as url:
        assert "longer than" in refused(pki_for_signing, url)


@pytest.mark.parametrize(("status", "told"), [(302, "HTTP 302"), (500, "HTTP 500"), (429, "HTTP 429")])
def test_other_http_answers_are_refused(pki_for_signing, status, told) -> None:
    """An error, a refusal or a redirect is a failure: redirects are not followed."""
    with authority(lambda body: honest(pki_for_signing, body), status=status) as url:
        assert told in refused(pki_for_signing, url)


def test_another_content_type_is_refused(pki_for_signing) -> None:
    """A proxy's page is not a reply, whatever its status."""
    with authority(lambda body: honest(pki_for_signing, body), kind="text/html") as url:
        assert "text/html" in refused(pki_for_signing, url)


def test_an_address_that_is_none_is_told(pki_for_signing) -> None:
    """A mistyped address is a failure of that authority too."""
    for url in ("ftp://127.0.0.1/", "http://127.0.0.1:99999/", ""):
        with pytest.raises(TransportFailed):
            HttpTsa().post(url, b"", timeout=1.0)


def test_the_second_authority_is_asked_and_the_first_is_named_when_both_fail(pki_for_signing) -> None:
    """Authorities are tried in order; the error carries each one's own reason."""
    with authority(lambda _: b"", status=503) as down:
        assert pki_for_signing.timestamper(down, "good").stamp(DIGEST).tsa
        with pytest.raises(NoTimestamp) as caught:
            pki_for_signing.timestamper(down, "untrusted").stamp(DIGEST)
    (first, second) = caught.value.attempts
    assert first == (down, "HTTP 503")
    assert second[0] == pki_for_signing.tsa("untrusted")
    assert "not trusted" in second[1]


def test_a_digest_of_another_length_is_a_mistake_of_the_caller(pki_for_signing) -> None:
    """Only a SHA-256 can be stamped; nothing is sent for anything else."""
    with pytest.raises(ValueError, match="32 bytes"):
        pki_for_signing.timestamper("good").stamp(b"short")


def test_a_kept_token_verifies_offline_and_only_over_its_bytes(pki_for_signing) -> None:
    """Years later the token is checked without a nonce, against the roots and the bytes it covers."""
    token = pki_for_signing.timestamper("good").stamp(DIGEST)
    checks = OfflineChecks(roots=pki_for_signing.roots)
    facts = checks.check_token(token.der, b"what is stamped")
    assert facts.time == token.time
    assert "Test TSA" in facts.tsa
    with pytest.raises(TokenRefused, match="other bytes"):
        checks.check_token(token.der, b"something else")
    with pytest.raises(TokenRefused, match="not trusted"):
        OfflineChecks(roots=(pki_for_signing.certificates["other-root"],)).check_token(
            token.der, b"what is stamped"
        )


def test_trailing_bytes_and_length_are_bounded(pki_for_signing) -> None:
    """A token is one DER value of reasonable length; what hangs behind it is refused."""
    token = pki_for_signing.timestamper("good").stamp(DIGEST)
    for der in (token.der + b"\x00", bytes(MAX_TOKEN_BYTES + 1), b""):
        with pytest.raises(TokenRefused):
            UnverifiedToken(der).verify(digest=DIGEST, nonce=None, roots=pki_for_signing.roots)


def test_every_mutated_token_is_refused_as_such(pki_for_signing) -> None:
    """Whatever byte is changed, the answer is TokenRefused or the same facts: no other exception escapes."""
    token = pki_for_signing.timestamper("good").stamp(DIGEST)
    for place in range(0, len(token.der), 3):
        for bit in (0x01, 0x80):
            der = token.der[:place] + bytes([token.der[place] ^ bit]) + token.der[place + 1 :]
            try:
                verified = UnverifiedToken(der).verify(digest=DIGEST, nonce=None, roots=pki_for_signing.roots)
            except TokenRefused:
                continue
            assert verified.time == token.time, place  # unsigned wrapping, such as the embedded root
