"""Step 4: one entry in the tenant's log, and with it the record. Ends when a checkpoint covers the entry.

A crash here leaves the entry waiting for the sequencer; the next try finds it by its identifier.
"""

from __future__ import annotations

from archive_service.model import Metadata
from archive_service.pipeline import documents
from archive_service.pipeline.crash_points import CrashPoint, reached
from archive_service.pipeline.forms import JsonObject, from_json, moment
from archive_service.pipeline.ledger import Deposit
from archive_service.pipeline.parts import Parts


def journal(parts: Parts, deposit: Deposit, done: dict[str, JsonObject]) -> JsonObject:
    """Enter what became of the deposit; return the entry's place."""
    description = done["describe"]
    line = documents.outcome_line(
        deposit,
        description,
        parts.ledger.objects(deposit.tenant_id, deposit.deposit_id),
        parts.vault.secrets(deposit.tenant_id, deposit.deposit_id),
        at=parts.clock(),
    )
    archived = description["outcome"] == "archived"
    parts.ledger.enter(
        deposit,
        line,
        metadata=from_json(Metadata, done["validate"]["metadata"]) if archived else None,
        retain_until=moment(description["retain_until"]) if archived else None,
    )
    reached(CrashPoint.JOURNAL_ENTERED)
    entry = parts.entries.wait(deposit.tenant_id, line.entry_id)
    reached(CrashPoint.JOURNAL_INTEGRATED)
    return {"entry_id": str(line.entry_id), "index": entry.index}
