"""Step 5: the signed attestation, locked like the rest. Only now is the deposit acknowledged as ended.

A crash between lock and close leaves a receipt that nobody was shown; the next try finds the same bytes.
"""

from __future__ import annotations

from uuid import UUID

from archive_service.model import DepositState, Role
from archive_service.pipeline import documents
from archive_service.pipeline.crash_points import CrashPoint, reached
from archive_service.pipeline.forms import JsonObject
from archive_service.pipeline.ledger import Deposit, Problem
from archive_service.pipeline.parts import Parts
from archive_service.pipeline.seal import sealed_name
from archive_service.pipeline.store import Locker
from audit.receipts import RECEIPT_TYPE, encode_receipt
from signing.jades import sign_compact


def receipt(parts: Parts, deposit: Deposit, done: dict[str, JsonObject]) -> JsonObject:
    """Sign the receipt. A signature is drawn once: the first that is kept is the one that is locked."""
    at = parts.clock()
    payload = documents.receipt(
        deposit,
        parts.ledger.tenant(deposit.tenant_id),
        done["describe"],
        done["seal"]["sealed"],
        parts.entries.wait(deposit.tenant_id, UUID(done["journal"]["entry_id"])),
        key_is_qualified=parts.seal_key.qualified,
        at=at,
    )
    jws = sign_compact(encode_receipt(payload), key=parts.seal_key, at=at, typ=RECEIPT_TYPE)
    reached(CrashPoint.RECEIPT_SIGNED)
    return {"jws": jws.decode()}


def close(parts: Parts, deposit: Deposit, done: dict[str, JsonObject]) -> None:
    """Lock the receipt, end the deposit, and let the staged bytes go."""
    description = done["describe"]
    locker = Locker.open(parts, deposit, description)
    (locked,) = locker.lock([(Role.RECEIPT, done["receipt"]["jws"].encode())])
    reached(CrashPoint.RECEIPT_PUT)
    at = parts.clock()
    problem = description["problem"]
    parts.ledger.close(
        deposit,
        state=DepositState.REJECTED if problem else DepositState.ARCHIVED,
        problem=Problem(**problem) if problem else None,
        line=documents.receipt_line(deposit, locked, locker.secrets, at=at),
        at=at,
    )
    reached(CrashPoint.RECEIPT_CLOSED)
    clean(parts, deposit, done)


def clean(parts: Parts, deposit: Deposit, done: dict[str, JsonObject]) -> None:
    """Remove what is staged of an ended deposit."""
    parts.staging.discard(str(deposit.deposit_id))
    if sealed := done["seal"]["sealed"]:
        parts.staging.discard(sealed_name(deposit, sealed))
    reached(CrashPoint.RECEIPT_CLEANED)
