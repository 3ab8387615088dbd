"""What the API shows of deposits and records, as JSON."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from archive_service.api import problems
from archive_service.api.services import Services
from archive_service.model import DepositState, utc_text
from archive_service.pipeline.ledger import Deposit, StoredObject
from archive_service.pipeline.records import Record

Json = dict[str, Any]


def deposit_shape(using: Services, deposit: Deposit, reader: str) -> Json:
    """Return a deposit as it stands, with what its steps found so far."""
    done = using.ledger.outputs(deposit.tenant_id, deposit.deposit_id)
    archived = deposit.state is DepositState.ARCHIVED
    ended = deposit.state is not DepositState.RECEIVED
    base = f"/v1/deposits/{deposit.deposit_id}"
    return {
        "deposit_id": str(deposit.deposit_id),
        "record_id": str(deposit.record_id) if archived else None,
        "kind": deposit.kind,
        "state": deposit.state,
        "received_at": utc_text(deposit.received_at),
        "ended_at": utc_text(deposit.ended_at) if deposit.ended_at else None,
        "original": {
            "sha256": deposit.sha256.hex(),
            "size": deposit.size,
            "file_name": deposit.file_name,
        },
        "problem": _problem(deposit, reader),
        "verdict": _verdict(done, reader) if "describe" in done else None,
        "retain_until": done["describe"]["retain_until"] if ended else None,
        "receipt": done["receipt"]["jws"] if ended else None,
        "journal": _journal(using, deposit, done) if ended else None,
        "links": {
            "self": base,
            "record": f"/v1/records/{deposit.record_id}" if archived else None,
            "receipt": f"{base}/receipt" if ended else None,
            "evidence": f"{base}/evidence" if ended else None,
        },
    }


def _problem(deposit: Deposit, reader: str) -> Json | None:
    if deposit.problem is None or deposit.state is DepositState.ARCHIVED:
        return None
    return problems.document(deposit.problem.slug, deposit.problem.arguments, reader)


def _verdict(done: dict[str, Json], reader: str) -> Json:
    """Return the verdict as locked, its findings gathered from every check and in the reader's language."""
    verdict: Json = json.loads(done["describe"]["verdict"])
    found = [*_checks_findings(verdict), *verdict["findings"]]
    return verdict | {"findings": [problems.finding(item, reader) for item in found]}


def _checks_findings(verdict: Json) -> list[Json]:
    invoice = verdict["invoice"] or {}
    checks = [
        verdict["pdfa"] and verdict["pdfa"]["check"],
        *(invoice.get(name) for name in ("container", "xsd", "schematron", "national")),
    ]
    return [item for check in checks if check for item in check.get("findings", ())]


def _journal(using: Services, deposit: Deposit, done: dict[str, Json]) -> Json | None:
    entry = using.ledger.entry(deposit.tenant_id, UUID(done["journal"]["entry_id"]))
    if entry is None:
        return None
    return {
        "entry_id": done["journal"]["entry_id"],
        "index": entry.index,
        "origin": entry.log.origin,
        "log": f"/logs/{entry.log.log_id}/",
        "proof": entry.proof.decode(),
    }


def problem_members(using: Services, deposit: Deposit, reader: str) -> Json:
    """Return what is added to a rejected deposit's problem document."""
    shape = deposit_shape(using, deposit, reader)
    verdict = shape["verdict"]
    return {
        "deposit_id": shape["deposit_id"],
        "findings": verdict["findings"] if verdict else [],
        "links": shape["links"],
    }


def record_shape(record: Record) -> Json:
    """Return a record as a search shows it."""
    base = f"/v1/records/{record.record_id}"
    return {
        "record_id": str(record.record_id),
        "metadata": record.metadata,
        "revision": record.revision,
        "original_sha256": record.original_sha256.hex(),
        "retain_until": utc_text(record.retain_until),
        "archived_at": utc_text(record.archived_at),
        "links": {
            "self": base,
            **{name: f"{base}/{name}" for name in ("original", "sealed", "verdict", "receipt", "evidence")},
        },
    }


def object_shape(item: StoredObject) -> Json:
    """Return a locked object: where it is, and what the journal says of it."""
    return {
        "role": item.role,
        "path": item.version.path,
        "version_id": item.version.version_id,
        "sha256": item.version.sha256.hex(),
        "size": item.version.size,
        "retain_until": utc_text(item.version.retain_until) if item.version.retain_until else None,
    }
