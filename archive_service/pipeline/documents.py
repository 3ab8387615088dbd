"""What is written down about a deposit and locked with it: verdict, record, entries, receipt (ADR 0012).

Every text is made once, from outputs that are kept already, and kept itself before anything is locked.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta
from uuid import UUID

from archive_service import __version__
from archive_service.keys.secrets import RecordSecrets
from archive_service.model import Role, utc_text
from archive_service.pipeline.forms import JsonObject, canonical, moment
from archive_service.pipeline.ledger import Deposit, Inclusion, JournalLine, StoredObject, TenantFacts
from audit.commitments import commit
from audit.entries import Commitment, Entry, EntryObject, encode_entry
from audit.receipts import Receipt

VERDICT_FORMAT = "archive-verdict/v1"
RECORD_FORMAT = "archive-record/v1"

# A rejection is evidence between depositor and archive: the time to sue (C. civ. art. 2224), in days.
REJECTIONS_KEPT = timedelta(days=5 * 366)


def problem_of(done: dict[str, JsonObject]) -> JsonObject | None:
    """Return why the deposit is rejected, or None."""
    problem: JsonObject | None = done["validate"]["problem"] or done["seal"]["problem"]
    return problem


def describe(
    deposit: Deposit, tenant: TenantFacts, done: dict[str, JsonObject], *, locked_until: datetime | None
) -> JsonObject:
    """Return outcome, lock date and the texts of verdict and record.

    ``locked_until``: the end of the locks that the record has already; they never move earlier.
    """
    problem = problem_of(done)
    verdict = canonical(_verdict(deposit, done, problem))
    description: JsonObject = {"problem": problem, "verdict": verdict.decode()}
    if problem is not None:
        retain_until = deposit.received_at + REJECTIONS_KEPT
        return description | {
            "outcome": "rejected",
            "record": None,
            "retain_until": _whole_second(retain_until),
        }
    retain_until = moment(done["validate"]["retention"]["retain_until"])
    retain_until = max(retain_until, locked_until or retain_until)
    record = canonical(_record(deposit, tenant, done, verdict, retain_until))
    return description | {
        "outcome": "archived",
        "record": record.decode(),
        "retain_until": utc_text(retain_until),
    }


def _whole_second(at: datetime) -> str:
    """S3 keeps lock dates in whole seconds; what we ask for is what can be compared."""
    return utc_text(at.replace(microsecond=0) + timedelta(seconds=1))


def _findings(done: dict[str, JsonObject]) -> list[JsonObject]:
    return [*done["validate"]["findings"], *done["seal"].get("findings", [])]


def _verdict(deposit: Deposit, done: dict[str, JsonObject], problem: JsonObject | None) -> JsonObject:
    validated = done["validate"]
    return {
        "format": VERDICT_FORMAT,
        "deposit_id": str(deposit.deposit_id),
        "decided_at": validated["decided_at"],
        "decision": "archive" if problem is None else "reject",
        "problem": problem,
        "original": {"sha256": deposit.sha256.hex(), "size": deposit.size},
        "pdfa": validated["pdfa"],
        "invoice": validated["invoice"],
        "sealed_copy": done["seal"]["sealed"],
        "findings": _findings(done),
        "archive_version": __version__,
    }


def _record(
    deposit: Deposit, tenant: TenantFacts, done: dict[str, JsonObject], verdict: bytes, retain_until: datetime
) -> JsonObject:
    validated = done["validate"]
    return {
        "format": RECORD_FORMAT,
        "record_id": str(deposit.record_id),
        "deposit_id": str(deposit.deposit_id),
        "tenant": tenant.slug,
        "received_at": utc_text(deposit.received_at),
        "original": {"sha256": deposit.sha256.hex(), "size": deposit.size, "file_name": deposit.file_name},
        "sealed": done["seal"]["sealed"],
        "verdict_sha256": hashlib.sha256(verdict).hexdigest(),
        "metadata": validated["metadata"],
        "profile": validated["profile"],
        "retention": {**validated["retention"], "retain_until": utc_text(retain_until)},
        "findings": _findings(done),
    }


# --- Journal entries ----------------------------------------------------------------------------


def entry_id(deposit: Deposit, action: str) -> UUID:
    """Identifier of a deposit's entry: the same however often it is written."""
    return uuid.uuid5(deposit.deposit_id, action)


def outcome_action(deposit: Deposit, outcome: str) -> str:
    """Name what happened, in the journal's words."""
    if outcome == "rejected":
        return "deposit:rejected"
    return "record:revised" if deposit.kind == "revision" else "deposit:archived"


def outcome_line(
    deposit: Deposit,
    description: JsonObject,
    objects: dict[Role, StoredObject],
    secrets: RecordSecrets,
    *,
    at: datetime,
) -> JournalLine:
    """Return the entry that says what became of the deposit."""
    digests: dict[Role, bytes] = {
        item.role: item.plain_sha256 for item in objects.values() if item.role is not Role.RECEIPT
    }
    digests[Role.ORIGINAL] = deposit.sha256  # of a rejected document only this is kept
    problem = description["problem"]
    details = (("problem", str(problem["slug"])),) if problem else ()
    action = outcome_action(deposit, description["outcome"])
    return _line(deposit, action, objects, digests, secrets, at=at, details=details)


def receipt_line(
    deposit: Deposit, receipt: StoredObject, secrets: RecordSecrets, *, at: datetime
) -> JournalLine:
    """Return the entry that gives the receipt its own evidence of time."""
    return _line(
        deposit,
        "record:receipt_issued",
        {Role.RECEIPT: receipt},
        {Role.RECEIPT: receipt.plain_sha256},
        secrets,
        at=at,
    )


def _line(
    deposit: Deposit,
    action: str,
    objects: dict[Role, StoredObject],
    digests: dict[Role, bytes],
    secrets: RecordSecrets,
    *,
    at: datetime,
    details: tuple[tuple[str, str], ...] = (),
) -> JournalLine:
    entry = Entry(
        entry_id=entry_id(deposit, action),
        at=at,
        action=action,
        subject=deposit.record_id,
        agent=deposit.agent,
        objects=tuple(
            EntryObject(
                role=role.value,
                sha256=item.version.sha256,
                version_id=item.version.version_id,
                size=item.version.size,
            )
            for role, item in sorted(objects.items())
            if role in digests
        ),
        commitments=tuple(
            Commitment(
                field=role.value, value=commit(field=role.value, salt=secrets.salts[role], digest=digest)
            )
            for role, digest in sorted(digests.items())
        ),
        details=details,
    )
    return JournalLine(
        entry_id=entry.entry_id,
        subject=entry.subject,
        action=action,
        leaf=encode_entry(entry),
        created_at=at,
    )


# --- The receipt --------------------------------------------------------------------------------


def receipt(
    deposit: Deposit,
    tenant: TenantFacts,
    description: JsonObject,
    sealed: JsonObject | None,
    entry: Inclusion,
    *,
    key_is_qualified: bool,
    at: datetime,
) -> Receipt:
    """Return the attestation of deposit, or of rejection, with the proof that it was journaled."""
    archived = description["outcome"] == "archived"
    problem = description["problem"]
    not_qualified = tuple(sealed["not_qualified"]) if sealed else ()
    if not sealed and not key_is_qualified:
        not_qualified = ("seal key",)  # the receipt is signed with it
    return Receipt(
        receipt_id=uuid.uuid5(deposit.deposit_id, "receipt"),
        outcome=description["outcome"],
        deposit_id=deposit.deposit_id,
        record_id=deposit.record_id if archived else None,
        tenant=tenant.slug,
        received_at=deposit.received_at,
        issued_at=at,
        original_sha256=deposit.sha256,
        original_size=deposit.size,
        verdict_sha256=hashlib.sha256(description["verdict"].encode()).digest(),
        sealed_sha256=bytes.fromhex(sealed["sha256"]) if sealed else None,
        seal_level=sealed["level"] if sealed else None,
        not_qualified=not_qualified,
        record_sha256=hashlib.sha256(description["record"].encode()).digest() if archived else None,
        retain_until=moment(description["retain_until"]),
        problem=problem["slug"] if problem else None,
        log_origin=entry.log.origin,
        log_vkey=entry.log.vkey,
        entry_sha256=hashlib.sha256(entry.leaf).digest(),
        entry_index=entry.index,
        inclusion=entry.proof.decode(),
    )
