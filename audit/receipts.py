"""The receipt's content, archive-receipt/v1: what the archive attests, as canonical JSON (ADR 0004).

The signature around it (JAdES) is not this package's: it is made and checked in ``signing``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from audit.canonical import Members, canonical_json, check_format, read_canonical
from audit.encodings import moment_text
from audit.errors import AuditError, Malformed
from audit.notes import NoteVerifier
from audit.tlog_proof import MAX_PROOF_BYTES, parse_proof

RECEIPT_FORMAT = "archive-receipt/v1"
RECEIPT_TYPE = "archive-receipt+jws"  # the JWS header's typ: no other attestation can pass for a receipt
MAX_RECEIPT_BYTES = 2 * MAX_PROOF_BYTES

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_LEVEL = re.compile(r"PAdES B-(B|T|LT|LTA)", re.ASCII)
_WORDS = re.compile(r"[^\x00-\x1f]{1,128}")
_LINE = re.compile(r"[^\x00-\x1f]{1,512}")
_ANY = re.compile(r".*", re.DOTALL)

ARCHIVED = "archived"
REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The attestation of a deposit or of its rejection. Digests are SHA-256, 32 bytes, of the plain bytes.

    Archived: ``record_id``, ``record_sha256`` and ``retain_until`` are there, ``problem`` is not.
    Rejected: ``problem`` is there; no record, no sealed copy. ``inclusion`` is the entry's tlog-proof.
    """

    receipt_id: UUID
    outcome: Literal["archived", "rejected"]
    deposit_id: UUID
    record_id: UUID | None
    tenant: str
    received_at: datetime
    issued_at: datetime
    original_sha256: bytes
    original_size: int
    verdict_sha256: bytes
    sealed_sha256: bytes | None
    seal_level: str | None
    not_qualified: tuple[str, ...]
    record_sha256: bytes | None
    retain_until: datetime | None
    problem: str | None
    log_origin: str
    log_vkey: str
    entry_sha256: bytes
    entry_index: int
    inclusion: str


def encode_receipt(receipt: Receipt) -> bytes:
    """Return the payload to sign. Raises Malformed for a receipt that ``parse_receipt`` would refuse."""
    payload = canonical_json(
        {
            "format": RECEIPT_FORMAT,
            "receipt_id": str(receipt.receipt_id),
            "outcome": receipt.outcome,
            "deposit_id": str(receipt.deposit_id),
            "record_id": str(receipt.record_id) if receipt.record_id else None,
            "tenant": receipt.tenant,
            "received_at": moment_text(receipt.received_at),
            "issued_at": moment_text(receipt.issued_at),
            "original_sha256": receipt.original_sha256.hex(),
            "original_size": receipt.original_size,
            "verdict_sha256": receipt.verdict_sha256.hex(),
            "sealed_sha256": receipt.sealed_sha256.hex() if receipt.sealed_sha256 else None,
            "seal_level": receipt.seal_level,
            "not_qualified": list(receipt.not_qualified),
            "record_sha256": receipt.record_sha256.hex() if receipt.record_sha256 else None,
            "retain_until": moment_text(receipt.retain_until) if receipt.retain_until else None,
            "problem": receipt.problem,
            "log_origin": receipt.log_origin,
            "log_vkey": receipt.log_vkey,
            "entry_sha256": receipt.entry_sha256.hex(),
            "entry_index": receipt.entry_index,
            "inclusion": receipt.inclusion,
        }
    )
    parse_receipt(payload)
    return payload


def parse_receipt(payload: bytes) -> Receipt:
    """Read a payload. Raises UnknownFormat for another format, version or member; Malformed otherwise."""
    value = read_canonical(payload, limit=MAX_RECEIPT_BYTES)
    check_format(value, RECEIPT_FORMAT)
    members = Members(value, "the receipt")
    members.take("format")
    receipt = _receipt(members)
    members.done()
    _check_outcome(receipt)
    _check_log(receipt)
    return receipt


def _receipt(members: Members) -> Receipt:
    return Receipt(
        receipt_id=members.uuid("receipt_id"),
        outcome=_outcome(members.take("outcome")),
        deposit_id=members.uuid("deposit_id"),
        record_id=None if members.absent("record_id") else members.uuid("record_id"),
        tenant=members.text("tenant", _SLUG),
        received_at=members.moment("received_at"),
        issued_at=members.moment("issued_at"),
        original_sha256=members.digest("original_sha256"),
        original_size=members.integer("original_size"),
        verdict_sha256=members.digest("verdict_sha256"),
        sealed_sha256=None if members.absent("sealed_sha256") else members.digest("sealed_sha256"),
        seal_level=None if members.absent("seal_level") else members.text("seal_level", _LEVEL),
        not_qualified=_not_qualified(members.take("not_qualified")),
        record_sha256=None if members.absent("record_sha256") else members.digest("record_sha256"),
        retain_until=None if members.absent("retain_until") else members.moment("retain_until"),
        problem=None if members.absent("problem") else members.text("problem", _SLUG),
        log_origin=members.text("log_origin", _LINE),
        log_vkey=members.text("log_vkey", _LINE),
        entry_sha256=members.digest("entry_sha256"),
        entry_index=members.integer("entry_index"),
        inclusion=members.text("inclusion", _ANY),
    )


def _outcome(value: object) -> Literal["archived", "rejected"]:
    match value:
        case "archived":
            return "archived"
        case "rejected":
            return "rejected"
    raise Malformed("the receipt's outcome is neither archived nor rejected")


def _not_qualified(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 16:
        raise Malformed("the receipt's not_qualified is not a short list")
    if not all(isinstance(item, str) and _WORDS.fullmatch(item) for item in value):
        raise Malformed("the receipt's not_qualified holds something else than words")
    return tuple(value)


def _check_outcome(receipt: Receipt) -> None:
    kept = (receipt.record_id, receipt.record_sha256, receipt.retain_until)
    archived = receipt.outcome == ARCHIVED
    if archived and (None in kept or receipt.problem is not None):
        raise Malformed("a receipt of an archived deposit names its record and no problem")
    if not archived and (receipt.problem is None or receipt.record_id or receipt.record_sha256):
        raise Malformed("a receipt of a rejected deposit names its problem and no record")
    if (receipt.sealed_sha256 is None) != (receipt.seal_level is None):
        raise Malformed("a receipt names a sealed copy's digest and its level together")
    if not archived and receipt.sealed_sha256 is not None:
        raise Malformed("nothing is sealed of a rejected deposit")


def _check_log(receipt: Receipt) -> None:
    """The receipt's parts that speak of the log must speak of the same one."""
    try:
        verifier = NoteVerifier.from_vkey(receipt.log_vkey)
        proof = parse_proof(receipt.inclusion.encode())
    except (AuditError, UnicodeEncodeError) as error:
        raise Malformed(f"the receipt's log key or proof: {error}") from None
    if verifier.name != receipt.log_origin or proof.index != receipt.entry_index:
        raise Malformed("the receipt contradicts itself about its log or its entry's place")
