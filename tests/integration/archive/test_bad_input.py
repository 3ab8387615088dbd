"""Whatever is sent, a clear problem comes back, and nothing is lost or left lying."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlsplit

import pytest

from archive_service.adapters.embedded.stack import Stack
from archive_service.invoices.specimens import EXPECTED_PROBLEMS, make_bad

from .conftest import Api, fresh_invoice, fresh_number

PREFIX = "urn:archive:problem:"


@pytest.mark.parametrize(("kind", "slug"), EXPECTED_PROBLEMS.items())
def test_each_bad_specimen_has_its_problem(api: Api, kind: str, slug: str) -> None:
    """Pins the stable type for each way in which an invoice can be bad."""
    answer = api.deposit(make_bad(kind, number=fresh_number()))
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == PREFIX + slug
    state = api.get(f"/v1/deposits/{problem['deposit_id']}").json()
    assert state["state"] == "rejected"


@pytest.mark.parametrize(
    ("document", "slug"),
    [(b"", "empty-document"), (b"hello", "not-a-pdf"), (b"%PDF-1.7\n%%EOF", "unreadable-pdf")],
)
def test_what_is_no_document_is_refused_and_attested(api: Api, document: bytes, slug: str) -> None:
    """Pins the door: refused at once, and still journaled and attested as a rejection."""
    answer = api.deposit(document)
    assert (answer.status_code, answer.json()["type"]) == (422, PREFIX + slug)
    receipt = api.get(f"/v1/deposits/{answer.json()['deposit_id']}/receipt")
    assert receipt.status_code == 200
    assert receipt.headers["content-type"] == "application/jose"


@pytest.mark.parametrize(
    "metadata",
    [
        b"[]",
        b"not json",
        b'"text"',
        b"{" * 2000,
        b'{"number": "a\\u0000b"}',
        b'{"number": "\\ud800"}',
        b'{"number": "1", "number": "2"}',
        b'{"unknown": 1}',
        b'{"issue_date": "2026-02-30"}',
        b'{"number": NaN}',
        b'{"seller": {"siren": "12"}}',
        b'{"direction": "sideways"}',
        b"\xff\xfe",
    ],
)
def test_bad_metadata_are_named(api: Api, metadata: bytes) -> None:
    """Pins metadata-invalid for what is no object, too deep, ambiguous, or cannot be kept."""
    answer = api.deposit(fresh_invoice(), metadata)
    assert (answer.status_code, answer.json()["type"]) == (422, f"{PREFIX}metadata-invalid")


@pytest.mark.parametrize(
    ("issued", "slug"),
    [(date(2999, 1, 1), "date-implausible"), (date(1950, 1, 1), "retention-over")],
)
def test_dates_that_must_not_lock(api: Api, issued: date, slug: str) -> None:
    """Pins that a wrong date never decides a lock."""
    answer = api.deposit(fresh_invoice(issue_date=issued))
    assert (answer.status_code, answer.json()["type"]) == (422, PREFIX + slug)


def test_metadata_that_differ_are_findings(api: Api) -> None:
    """Pins that the invoice wins, and that the difference is told."""
    answer = api.deposit(fresh_invoice(), {"number": "another"})
    assert answer.status_code == 201
    rules = {finding["rule"] for finding in answer.json()["verdict"]["findings"]}
    assert "metadata.differs-from-invoice" in rules


def _chunks(size: int) -> Iterator[bytes]:
    yield b'--b\r\nContent-Disposition: form-data; name="document"; filename="big.pdf"\r\n\r\n%PDF-1.7\n'
    for _ in range(size // 65536):
        yield b"\0" * 65536


def test_too_large_is_answered_before_the_end(api: Api, stack: Stack) -> None:
    """Pins 413 while the sender has bytes left: the body has no end here, and an answer comes."""
    address = urlsplit(stack.url)
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(
            b"POST /v1/deposits HTTP/1.1\r\nHost: archive\r\n"
            b"Authorization: Bearer " + stack.token.encode() + b"\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for piece in _chunks(33 * 1024 * 1024):
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        answer = connection.recv(65536)
    assert b" 413 " in answer.split(b"\r\n", 1)[0]


FORM = "multipart/form-data; boundary=b"


def _part(name: str) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nx'.encode()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        (FORM, _part("document")),
        (FORM, _part("what") + b"\r\n--b--"),
        (FORM, b"--b--\r\n"),
    ],
)
def test_requests_that_cannot_be_read(api: Api, content_type: str, body: bytes) -> None:
    """Pins 400 with a problem for what is no multipart deposit."""
    answer = api.http.post("/v1/deposits", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["type"]) == (400, f"{PREFIX}request-malformed")


def test_nothing_is_left_in_staging(api: Api, stack: Stack) -> None:
    """Pins that ended and refused deposits leave no staged bytes behind."""
    api.deposit(fresh_invoice())
    api.deposit(b"no PDF")
    assert list((stack.data / "staging").iterdir()) == []
