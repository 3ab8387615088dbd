"""Frozen formats: entry, commitment, statement, receipt. Expected bytes come from the Go generator."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from audit.canonical import canonical_json
from audit.commitments import check_commitment, commit
from audit.entries import Commitment, Entry, EntryObject, decode_entry, encode_entry
from audit.errors import Malformed, TamperedEntry, UnknownFormat
from audit.receipts import Receipt, encode_receipt, parse_receipt
from audit.statements import parse_statement, statement

Vectors = dict[str, Any]


def digest(text: str) -> bytes:
    """SHA-256, as the generator names its inputs."""
    return hashlib.sha256(text.encode()).digest()


@pytest.fixture
def formats(vectors: Vectors) -> Vectors:
    """The vectors of our own formats."""
    result: Vectors = vectors["formats"]
    return result


@pytest.fixture
def entry(formats: Vectors) -> Entry:
    """The entry that the generator wrote as JSON, said in Python."""
    return Entry(
        entry_id=UUID("2f9a6c1e-1f65-4b0b-9f8f-3a44f1f0c003"),
        at=datetime(2026, 11, 24, 4, 3, 42, 123_000, tzinfo=UTC),
        action="deposit:archived",
        subject=UUID("0d3a64de-52cf-4bbb-8a55-2f6d9e1f7a02"),
        agent="9f86d081884c7d659a2feaa0c55ad015",
        objects=(
            EntryObject(role="original", sha256=digest("stored original"), version_id="v-1", size=150_017),
            EntryObject(role="record.json", sha256=digest("stored record"), version_id="v-2", size=2_011),
        ),
        commitments=(
            Commitment(field="original", value=bytes.fromhex(formats["commitments"][0])),
            Commitment(field="record.json", value=bytes.fromhex(formats["commitments"][1])),
        ),
        details=(("late", False), ("note", "gardé"), ("revision", 2)),
    )


@pytest.fixture
def receipt(vectors: Vectors) -> Receipt:
    """The archived receipt that the generator wrote as JSON, said in Python."""
    return Receipt(
        receipt_id=UUID("7c0a3f51-1f6c-5d2e-9a57-1de0a1b2c304"),
        outcome="archived",
        deposit_id=UUID("6f1c1f6e-9a0b-4c55-8f33-0d8f6d1b2a01"),
        record_id=UUID("0d3a64de-52cf-4bbb-8a55-2f6d9e1f7a02"),
        tenant="acme",
        received_at=datetime(2026, 11, 24, 4, 3, 41, tzinfo=UTC),
        issued_at=datetime(2026, 11, 24, 4, 3, 43, 456_000, tzinfo=UTC),
        original_sha256=digest("original"),
        original_size=150_000,
        verdict_sha256=digest("verdict"),
        sealed_sha256=digest("sealed"),
        seal_level="PAdES B-T",
        not_qualified=("seal key", "time-stamping authority"),
        record_sha256=digest("record"),
        retain_until=datetime(2036, 12, 31, 23, tzinfo=UTC),
        problem=None,
        log_origin="archive.example/logs/vectors",
        log_vkey=vectors["vkey"],
        entry_sha256=digest("entry 300"),
        entry_index=300,
        inclusion=vectors["tlog_proof"],
    )


# --- Entries ------------------------------------------------------------------------------------


def test_entries_are_written_as_defined(formats: Vectors, entry: Entry) -> None:
    """archive-entry/v1 is canonical JSON, byte for byte what another implementation writes."""
    assert encode_entry(entry) == formats["entry"].encode()
    assert decode_entry(formats["entry"].encode()) == entry


def test_an_entry_without_anything_optional(formats: Vectors, entry: Entry) -> None:
    """Every member is there even when it says nothing, so that one entry has one text."""
    bare = replace(entry, action="service:started", objects=(), commitments=(), details=())
    assert encode_entry(bare) == formats["entry_without_objects"].encode()
    assert decode_entry(formats["entry_without_objects"].encode()) == bare


def test_the_order_of_parts_is_the_format_s(formats: Vectors, entry: Entry) -> None:
    """Objects, commitments and details given in any order make the same bytes."""
    turned = replace(
        entry,
        objects=entry.objects[::-1],
        commitments=entry.commitments[::-1],
        details=entry.details[::-1],
    )
    assert encode_entry(turned) == formats["entry"].encode()


@pytest.mark.parametrize(
    "change",
    [
        {"action": "archived"},
        {"action": "Deposit:archived"},
        {"action": "deposit:archived\n"},
        {"agent": ""},
        {"agent": "a person"},
        {"commitments": (Commitment(field="original", value=b"short"),)},
        {"commitments": (Commitment(field="Original", value=bytes(32)),)},
        {"commitments": (Commitment(field="a", value=bytes(32)), Commitment(field="a", value=bytes(32)))},
        {"objects": (EntryObject(role="a", sha256=bytes(32), version_id="", size=1),)},
        {"objects": (EntryObject(role="a", sha256=bytes(32), version_id="v", size=-1),)},
        {"objects": (EntryObject(role="a", sha256=bytes(32), version_id="v", size=1),) * 2},
        {"details": (("n", 2**53),)},
        {"details": (("n", 1), ("n", 2))},
        {"details": (("N", 1),)},
        {"details": (("n", "\ud800"),)},
        {"details": (("n", "x" * 66_000),)},
        {"at": datetime(2026, 11, 24)},  # noqa: DTZ001 - a naive moment is what must be refused
    ],
)
def test_nothing_is_written_that_would_not_be_read(entry: Entry, change: dict[str, Any]) -> None:
    """The writer refuses whatever the reader refuses: a locked leaf cannot be mended."""
    with pytest.raises(Malformed):
        encode_entry(replace(entry, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "archive-entry/v2"},
        {"format": None},
        {"unheard_of": 1},
        {"objects": [{"role": "a", "sha256": "00" * 32, "size": 1, "version_id": "v", "more": 1}]},
    ],
)
def test_unknown_entries_are_refused(formats: Vectors, change: dict[str, Any]) -> None:
    """A version or a member that this reader does not know is never passed over."""
    value = json.loads(formats["entry"]) | change
    with pytest.raises(UnknownFormat):
        decode_entry(canonical_json(value))


@pytest.mark.parametrize(
    "change",
    [
        {"entry_id": "2F9A6C1E-1F65-4B0B-9F8F-3A44F1F0C003"},
        {"entry_id": 7},
        {"at": "2026-11-24T04:03:42Z"},
        {"at": "2026-11-24T04:03:42.123+00:00"},
        {"at": "2026-02-30T04:03:42.123Z"},
        {"at": 3},
        {"objects": {}},
        {"objects": [[]]},
        {"objects": [{"role": "a"}]},
        {"objects": [{"role": "a", "sha256": "00" * 32, "size": True, "version_id": "v"}]},
        {"objects": [{"role": r, "sha256": "00" * 32, "size": 1, "version_id": "v"} for r in ("b", "a")]},
        {"commitments": []},
        {"commitments": {"a": "AB" * 32}},
        {"details": []},
        {"details": {"a": None}},
        {"details": {"a": []}},
    ],
)
def test_ill_formed_entries_are_refused(formats: Vectors, change: dict[str, Any]) -> None:
    """Every member has one kind and one way of being written."""
    with pytest.raises(Malformed):
        decode_entry(canonical_json(json.loads(formats["entry"]) | change))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 65_000,
        b'{"format":"archive-entry/v1"}',
        b'{"format":1.5}',
        b'{"format":NaN}',
        b'{"a":1,"a":1}',
        b'{"a":"\\ud800"}',
    ],
)
def test_what_is_not_an_entry_is_refused(text: bytes) -> None:
    """Anything else gets our own error, never a crash of the parser."""
    with pytest.raises(Malformed):
        decode_entry(text)


def test_the_same_entry_written_otherwise_is_refused(formats: Vectors) -> None:
    """Spaces, another order, an escaped letter: the same JSON, but not the canonical bytes (RFC 8785)."""
    value = json.loads(formats["entry"])
    for text in (
        json.dumps(value),
        json.dumps(dict(reversed(value.items())), separators=(",", ":"), ensure_ascii=False),
        json.dumps(value, separators=(",", ":"), sort_keys=True),
        formats["entry"] + "\n",
        formats["entry"].replace('"late":false', '"late":false,"late":false'),
    ):
        with pytest.raises(Malformed):
            decode_entry(text.encode())


# --- Commitments --------------------------------------------------------------------------------


def test_commitments_are_computed_as_defined(formats: Vectors) -> None:
    """SHA-256 over domain, field, salt and digest, as another implementation computes it."""
    salt, value = bytes.fromhex(formats["salt"]), bytes.fromhex(formats["digest"])
    for field, expected in zip(("original", "record.json"), formats["commitments"], strict=True):
        assert commit(field=field, salt=salt, digest=value).hex() == expected
        check_commitment(field=field, salt=salt, digest=value, commitment=bytes.fromhex(expected))


def test_a_commitment_opens_to_one_thing_only(formats: Vectors) -> None:
    """Another field, salt, digest or commitment: TamperedEntry."""
    right: dict[str, Any] = {
        "field": "original",
        "salt": bytes.fromhex(formats["salt"]),
        "digest": bytes.fromhex(formats["digest"]),
        "commitment": bytes.fromhex(formats["commitments"][0]),
    }
    for name, value in [("field", "sealed"), ("salt", bytes(32)), ("digest", bytes(32)), ("commitment", b"")]:
        with pytest.raises(TamperedEntry):
            check_commitment(**(right | {name: value}))


@pytest.mark.parametrize(
    ("field", "salt", "value"),
    [
        ("original", bytes(31), bytes(32)),
        ("original", bytes(32), bytes(33)),
        ("a\nb", bytes(32), bytes(32)),
        ("", bytes(32), bytes(32)),
    ],
)
def test_what_cannot_be_committed_to(field: str, salt: bytes, value: bytes) -> None:
    """Fixed lengths and a field without newline: no two inputs can hash the same bytes."""
    with pytest.raises(Malformed):
        commit(field=field, salt=salt, digest=value)


# --- Statements ---------------------------------------------------------------------------------


def test_statements_are_written_as_defined(vectors: Vectors, formats: Vectors) -> None:
    """archive-checkpoint-statement/v1, the first of a log and a later one, byte for byte."""
    checkpoint = vectors["checkpoint"]["note"].encode()
    for text, previous in [("first_statement", None), ("next_statement", digest("a token"))]:
        made = statement(checkpoint=checkpoint, previous_token_sha256=previous)
        assert made == formats[text].encode()
        read = parse_statement(made)
        assert (read.checkpoint, read.previous_token_sha256) == (checkpoint, previous)


@pytest.mark.parametrize(
    ("old", "new"),
    [("/v1", "/v2"), ("none", "None"), ("none", "ab"), ("previous ", ""), ("\n\n", "\n"), ("— ", "- ")],
)
def test_ill_formed_statements_are_refused(formats: Vectors, old: str, new: str) -> None:
    """Another version, another way to name the token before, a checkpoint that is no note."""
    with pytest.raises(Malformed):
        parse_statement(formats["first_statement"].replace(old, new).encode())


def test_statements_are_bounded_and_of_notes(vectors: Vectors) -> None:
    """Only a signed note and a 32-byte digest can be stated, and nothing endless is read."""
    with pytest.raises(Malformed):
        statement(checkpoint=b"not a note", previous_token_sha256=None)
    with pytest.raises(Malformed):
        statement(checkpoint=vectors["checkpoint"]["note"].encode(), previous_token_sha256=b"short")
    with pytest.raises(Malformed):
        parse_statement(bytes(200_000))


# --- Receipts -----------------------------------------------------------------------------------


def test_receipts_are_written_as_defined(formats: Vectors, receipt: Receipt) -> None:
    """archive-receipt/v1 of an archived deposit is byte for byte what another implementation writes."""
    assert encode_receipt(receipt) == formats["archived_receipt"].encode()
    assert parse_receipt(formats["archived_receipt"].encode()) == receipt


def test_a_receipt_of_a_rejected_deposit(formats: Vectors, receipt: Receipt) -> None:
    """It names the problem, and neither record nor sealed copy."""
    rejected = replace(
        receipt,
        outcome="rejected",
        record_id=None,
        sealed_sha256=None,
        seal_level=None,
        not_qualified=(),
        record_sha256=None,
        problem="not-pdfa",
    )
    assert encode_receipt(rejected) == formats["rejected_receipt"].encode()
    assert parse_receipt(formats["rejected_receipt"].encode()) == rejected


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "kept"},
        {"record_id": None},
        {"record_sha256": None},
        {"retain_until": None},
        {"problem": "not-pdfa"},
        {"outcome": "rejected"},
        {"outcome": "rejected", "problem": "not-pdfa"},
        {"sealed_sha256": None},
        {"seal_level": None},
        {"seal_level": "PAdES B-Z"},
        {"tenant": "Acme"},
        {"original_size": -1},
        {"not_qualified": ("",)},
        {"not_qualified": ("x",) * 17},
        {"log_origin": "archive.example/logs/other"},
        {"log_vkey": "none"},
        {"entry_index": 301},
        {"inclusion": ""},
        {"inclusion": "\ud800"},
        {"entry_sha256": b""},
    ],
)
def test_receipts_that_contradict_themselves_are_not_written(
    receipt: Receipt, change: dict[str, Any]
) -> None:
    """Outcome, record, seal, log and proof must fit one another before anything is signed."""
    with pytest.raises(Malformed):
        encode_receipt(replace(receipt, **change))


@pytest.mark.parametrize("change", [{"format": "archive-receipt/v2"}, {"more": 1}])
def test_unknown_receipts_are_refused(formats: Vectors, change: dict[str, Any]) -> None:
    """A version or a member that this reader does not know is never passed over."""
    with pytest.raises(UnknownFormat):
        parse_receipt(canonical_json(json.loads(formats["archived_receipt"]) | change))


def test_a_receipt_without_a_member_or_not_canonical_is_refused(formats: Vectors) -> None:
    """Each member must be there, null or not; and the payload has one text only."""
    value = json.loads(formats["archived_receipt"])
    for name in value:
        with pytest.raises(Malformed):
            parse_receipt(canonical_json({key: item for key, item in value.items() if key != name}))
    with pytest.raises(Malformed):
        parse_receipt(formats["archived_receipt"].encode() + b" ")
