"""From an invoice to a proof, over HTTP, on real parts."""

from __future__ import annotations

import base64
import hashlib
import time
import zipfile
from pathlib import Path

import pytest

from archive_service.invoices.specimens import make_invoice
from archive_service.verification import verify_file

from .conftest import ISSUED, Api, fresh_invoice, fresh_number


def _evidence(api: Api, deposit_id: str, folder: Path) -> Path:
    """Fetch a bundle once its checkpoint is stamped."""
    path = folder / "evidence.zip"
    deadline = time.monotonic() + 90
    while True:
        path.write_bytes(api.get(f"/v1/deposits/{deposit_id}/evidence").raise_for_status().content)
        with zipfile.ZipFile(path) as bundle:
            stamped = "checkpoint-statement.tst" in bundle.namelist()
        if stamped or time.monotonic() > deadline:
            return path
        time.sleep(1)


def test_a_good_invoice_comes_back_with_everything(api: Api, tmp_path: Path) -> None:
    """Pins the main job: archived, original unchanged, copy sealed, proof valid without the service."""
    number = fresh_number()
    document = fresh_invoice(number=number)
    answer = api.deposit(document)
    assert answer.status_code == 201, answer.text
    deposit = answer.json()
    assert deposit["state"] == "archived"
    assert deposit["original"]["sha256"] == hashlib.sha256(document).hexdigest()
    assert deposit["verdict"]["sealed_copy"]["level"] == "PAdES B-T"
    assert deposit["verdict"]["sealed_copy"]["not_qualified"] == ["seal key", "time-stamping authority"]
    assert deposit["retain_until"] == "2036-12-31T23:00:00.000Z"  # the end of 2036 in Paris, in UTC

    record = f"/v1/records/{deposit['record_id']}"
    assert api.get(f"{record}/original").content == document
    sealed = api.get(f"{record}/sealed").content
    assert sealed.startswith(document)
    assert len(sealed) > len(document)
    assert api.get(record).json()["metadata"]["number"] == number

    report = verify_file(_evidence(api, deposit["deposit_id"], tmp_path))
    unchecked = {check.name for check in report.checks if check.status == "not-checked"}
    assert report.held, report
    assert unchecked == {"log-identity", "certificates", "revocation", "retention-lock"}


def test_a_bad_invoice_is_refused_with_proof(api: Api, tmp_path: Path) -> None:
    """Pins rejection: 422 with the rule and its place, attested and journaled, and nothing archived."""
    document = fresh_invoice(break_rule="BR-CO-15")
    answer = api.deposit(document)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["type"] == "urn:archive:problem:invoice-schematron"
    broken = [item for item in problem["findings"] if item["severity"] == "error"]
    assert broken
    assert all(item["rule"].startswith("en16931:") and item["location"] for item in broken)
    state = api.get(f"/v1/deposits/{problem['deposit_id']}").json()
    assert (state["state"], state["record_id"]) == ("rejected", None)
    assert api.get("/v1/records", sha256=hashlib.sha256(document).hexdigest()).json()["records"] == []
    assert api.get(f"/v1/records/{problem['deposit_id']}").status_code == 404
    assert verify_file(_evidence(api, problem["deposit_id"], tmp_path)).held


def test_problems_speak_the_reader_s_language(api: Api) -> None:
    """Pins RFC 9110 §12.5.4 on problem documents: French for who prefers it, the type the same."""
    french = api.deposit(b"no PDF", Accept_Language="de, fr;q=0.8, en;q=0.5")
    english = api.deposit(b"no PDF either", Accept_Language="fr;q=0.1, en")
    assert french.json()["title"] == "Le document n'est pas un PDF."
    assert english.json()["title"] == "The document is not a PDF."
    assert french.json()["type"] == english.json()["type"] == "urn:archive:problem:not-a-pdf"
    assert french.headers["content-language"] == "fr"


def test_without_waiting_the_state_is_asked_for(api: Api) -> None:
    """Pins 202 with a status URL: durable at once, ended a little later."""
    answer = api.deposit(fresh_invoice(), wait=0)
    assert answer.status_code == 202
    deadline = time.monotonic() + 60
    while (state := api.get(answer.headers["location"]).json())["state"] == "received":
        assert time.monotonic() < deadline, state
        time.sleep(0.1)
    assert state["state"] == "archived"
    assert state["receipt"].count(".") == 2


def test_the_same_bytes_are_the_same_record(api: Api) -> None:
    """Pins deduplication: the same bytes without a key answer 200 with the first record."""
    document = fresh_invoice()
    first, second = api.deposit(document), api.deposit(document)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["record_id"] == first.json()["record_id"]
    assert second.headers["idempotency-replayed"] == "true"


def test_other_metadata_for_the_same_bytes_revise_the_record(api: Api, tmp_path: Path) -> None:
    """Pins metadata revisions: the same record, journaled again, found by the new metadata, and proved."""
    document = fresh_invoice()
    first = api.deposit(document).json()
    reference = f"HA-{fresh_number()}"
    second = api.deposit(document, {"piece_ref": reference})
    assert second.status_code == 200, second.text
    revision = second.json()
    assert revision["record_id"] == first["record_id"]
    assert revision["deposit_id"] != first["deposit_id"]
    (found,) = api.get("/v1/records", piece_ref=reference).json()["records"]
    assert (found["record_id"], found["revision"]) == (first["record_id"], 1)
    history = api.get(f"/v1/records/{first['record_id']}").json()["deposits"]
    assert history == [first["deposit_id"], revision["deposit_id"]]
    assert verify_file(_evidence(api, revision["deposit_id"], tmp_path)).held


def test_an_idempotency_key_is_replayed(api: Api) -> None:
    """Pins the key: same request, same answer, marked; another document under it is refused."""
    document, key = fresh_invoice(), fresh_number()
    first = api.deposit(document, Idempotency_Key=key)
    again = api.deposit(document, Idempotency_Key=key)
    other = api.deposit(fresh_invoice(), Idempotency_Key=key)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 422)
    assert again.json()["deposit_id"] == first.json()["deposit_id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert other.json()["type"] == "urn:archive:problem:key-reused"


def test_a_key_in_flight_conflicts(api: Api) -> None:
    """Pins 409 while the first request with a key is under way."""
    document, key = fresh_invoice(kilobytes=400), fresh_number()
    assert api.deposit(document, wait=0, Idempotency_Key=key).status_code == 202
    answer = api.deposit(document, wait=0, Idempotency_Key=key)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:archive:problem:still-under-way"


def test_a_number_used_again_links_the_other_record(api: Api) -> None:
    """Pins number reuse: archived by the default profile, with a finding that names the first record."""
    number = fresh_number()
    first = api.deposit(make_invoice(number=number, issue_date=ISSUED, lines=2)).json()
    second = api.deposit(make_invoice(number=number, issue_date=ISSUED, lines=4))
    assert second.status_code == 201
    (finding,) = [f for f in second.json()["verdict"]["findings"] if f["rule"] == "record.number-reused"]
    assert first["record_id"] in finding["message"]


def test_records_are_found_a_page_at_a_time(api: Api) -> None:
    """Pins search: by number, seller and dates; the cursor goes through everything once."""
    number = fresh_number()
    made = [
        api.deposit(make_invoice(number=number, issue_date=ISSUED, lines=lines)).json()["record_id"]
        for lines in (1, 2, 3)
    ]
    seller = api.get(f"/v1/records/{made[0]}").json()["metadata"]["seller"]
    seen, cursor = [], {}
    while True:
        page = api.get("/v1/records", number=number.lower(), limit="2", **cursor).json()
        seen += [record["record_id"] for record in page["records"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == made
    for query in (
        {"seller": seller["name"].upper()},
        {"seller": seller["siren"]},
        {"issued_from": "2026-09-30", "issued_to": "2026-09-30"},
    ):
        found = api.get("/v1/records", number=number, **query).json()["records"]
        assert [record["record_id"] for record in found] == made
    assert api.get("/v1/records", number=number, issued_from="2026-10-01").json()["records"] == []


@pytest.mark.parametrize("path", ["/v1/records", "/v1/deposits/00000000-0000-0000-0000-000000000000"])
def test_nothing_is_shown_without_a_key(api: Api, path: str) -> None:
    """Pins authentication: 401 without a key and with a wrong one."""
    for authorization in ("", "Bearer ak_000000000000_wrong", "Basic x"):
        answer = api.http.get(path, headers={"Authorization": authorization})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_does_what_its_scopes_say(api: Api) -> None:
    """Pins scopes and revocation: a reader may not deposit, and a revoked key is nobody's."""
    made = api.http.post("/v1/api-keys", json={"name": "auditor", "scopes": ["read"]})
    assert made.status_code == 201
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    assert api.http.get("/v1/records", headers=headers).status_code == 200
    files = {"document": ("a.pdf", b"%PDF-", "application/pdf")}
    assert api.http.post("/v1/deposits", files=files, headers=headers).status_code == 403
    assert api.http.get("/v1/api-keys", headers=headers).status_code == 403
    assert api.http.delete(f"/v1/api-keys/{made.json()['key_id']}").status_code == 200
    assert api.http.get("/v1/records", headers=headers).status_code == 401


def test_the_log_is_public_and_consistent(api: Api) -> None:
    """Pins the tlog-tiles endpoints: another reader of the checkpoint and tiles recomputes its root."""
    deposit = api.deposit(fresh_invoice()).json()
    base = deposit["journal"]["log"]
    checkpoint = api.http.get(f"{base}checkpoint", headers={"Authorization": ""}).text.split("\n")
    origin, size, root = checkpoint[0], int(checkpoint[1]), checkpoint[2]
    assert origin == deposit["journal"]["origin"]
    leaves: list[bytes] = []
    for tile in range(size // 256 + (size % 256 > 0)):
        width = min(256, size - 256 * tile)
        name = f"{tile:03}" if width == 256 else f"{tile:03}.p/{width}"
        body = api.get(f"{base}tile/0/{name}").raise_for_status().content
        leaves += [body[at : at + 32] for at in range(0, len(body), 32)]
    assert len(leaves) == size
    assert _root(leaves) == base64.b64decode(root)
    assert api.get(f"{base}tile/0/999").status_code == 404
    assert api.get(f"{base}tile/0/..%2f..%2fcheckpoint").status_code == 404


def _root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, written out again: the test must not trust the code under test."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _root(leaves[:half]) + _root(leaves[half:])).digest()


def test_operations_are_answered(api: Api) -> None:
    """Pins the operator's endpoints: alive, ready with each part named, and countable."""
    assert api.get("/healthz").json() == {"status": "ok"}
    ready = api.get("/readyz").json()
    assert ready == {"status": "ok", "parts": dict.fromkeys(("database", "store", "staging"), "ok")}
    assert "archive_entries_waiting" in api.get("/metrics").text
    assert api.get("/openapi.json").json()["paths"]["/v1/deposits"]["post"]["requestBody"]
