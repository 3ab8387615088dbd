"""The life of a document, as a list. One job per deposit runs it; a job that died is run again from here."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from archive_service.model import DepositState
from archive_service.pipeline.crash_points import CrashPoint, reached
from archive_service.pipeline.forms import JsonObject
from archive_service.pipeline.journal import journal
from archive_service.pipeline.ledger import Deposit
from archive_service.pipeline.parts import Parts
from archive_service.pipeline.receipt import clean, close, receipt
from archive_service.pipeline.seal import seal
from archive_service.pipeline.store import store
from archive_service.pipeline.validate import validate

Step = Callable[[Parts, Deposit, dict[str, JsonObject]], JsonObject]

# ``receive`` came before, in the API; ``close`` comes after, once all of these are kept.
STEPS: tuple[tuple[str, Step, CrashPoint], ...] = (
    ("validate", validate, CrashPoint.VALIDATE_KEPT),
    ("seal", seal, CrashPoint.SEAL_KEPT),
    ("store", store, CrashPoint.STORE_KEPT),
    ("journal", journal, CrashPoint.JOURNAL_KEPT),
    ("receipt", receipt, CrashPoint.RECEIPT_KEPT),
)


def ingest(parts: Parts, tenant: UUID, deposit_id: UUID) -> None:
    """Take a deposit from where it stands to its end. Raises TryAgain and what the ports raise."""
    deposit = parts.ledger.deposit(tenant, deposit_id)
    done = parts.ledger.outputs(tenant, deposit_id)
    if deposit.state is not DepositState.RECEIVED:
        clean(parts, deposit, done)
        return
    for name, step, kept in STEPS:
        if name not in done:
            done[name] = parts.ledger.keep(tenant, deposit_id, name, step(parts, deposit, done))
            reached(kept)
    close(parts, deposit, done)
