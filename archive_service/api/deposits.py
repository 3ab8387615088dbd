"""Deposits: receive, and say where each stands."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from archive_service.api import examples
from archive_service.api.problems import ApiProblem, language
from archive_service.api.services import Depositor, Reader, Services, WithServices
from archive_service.api.shapes import deposit_shape, problem_members
from archive_service.api.uploads import Received, receive
from archive_service.model import DepositState
from archive_service.pipeline.clients import ApiKey
from archive_service.pipeline.crash_points import CrashPoint, reached
from archive_service.pipeline.forms import canonical
from archive_service.pipeline.ledger import NewDeposit, Problem, Reception
from archive_service.pipeline.metadata import MetadataInvalid, parse_sent, plain
from archive_service.pipeline.onboarding import new_id

router = APIRouter(prefix="/v1/deposits", tags=["deposits"])

MAX_WAIT_SECONDS = 60.0
_PREFER_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*(\d{1,4})(?=$|[,;\s])")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def wait_seconds(prefer: str | None) -> float:
    """Return how long the caller wants to wait (RFC 7240 §4.3), bounded; 0 when it does not say."""
    found = _PREFER_WAIT.search(prefer or "")
    return min(float(found[1]), MAX_WAIT_SECONDS) if found else 0.0


def _check_key(key: str | None) -> str | None:
    """Accept the draft standard's quoted form as well as the plain one that everybody sends."""
    if key is None:
        return None
    text = key[1:-1] if len(key) > 1 and key.startswith('"') and key.endswith('"') else key
    if not _KEY.fullmatch(text):
        raise ApiProblem("request-malformed", reason="Idempotency-Key: 1 to 255 visible ASCII characters")
    return text


@router.post("", status_code=202, responses=examples.DEPOSIT_ANSWERS, openapi_extra=examples.DEPOSIT_REQUEST)
async def deposit(
    request: Request,
    using: WithServices,
    key: Depositor,
    idempotency_key: Annotated[str | None, Header()] = None,
    prefer: Annotated[str | None, Header()] = None,
) -> Response:
    """Deposit a document. Answers 202 once bytes and row are durable; 201 with the receipt if waited for."""
    received_at, deposit_id = using.clock(), new_id()
    idempotency_key = _check_key(idempotency_key)
    with using.staging.open_upload(str(deposit_id)) as upload:
        received = await receive(
            request.stream(),
            request.headers.get("content-type", ""),
            upload,
            limit=using.max_document_bytes,
        )
        new = _new_deposit(using, key, received, deposit_id, received_at, idempotency_key)
        if new.kind == "document":
            await run_in_threadpool(upload.commit)
            reached(CrashPoint.RECEIVE_STAGED)
    reception = await run_in_threadpool(_record, using, new)
    reached(CrashPoint.RECEIVE_RECORDED)
    waited = await run_in_threadpool(using.waiter.wait, reception.deposit, wait_seconds(prefer))
    reception = Reception(deposit=waited, replayed=reception.replayed)
    return await run_in_threadpool(_answer, request, using, reception)


def _record(using: Services, new: NewDeposit) -> Reception:
    """Write it down, and let the staged bytes of a repetition go: the first deposit has its own."""
    kept = False
    try:
        reception = using.ledger.receive(new)
        kept = reception.deposit.deposit_id == new.deposit_id and reception.deposit.kind == "document"
    finally:
        # When the database does not answer, nobody knows whether it was recorded: the sweep decides later.
        if not kept and _is_unrecorded(using, new):
            using.staging.discard(str(new.deposit_id))
    return reception


def _is_unrecorded(using: Services, new: NewDeposit) -> bool:
    return new.kind == "refusal" or not using.ledger.knows(new.tenant_id, new.deposit_id)


def _new_deposit(
    using: Services,
    key: ApiKey,
    received: Received,
    deposit_id: UUID,
    received_at: datetime,
    idempotency_key: str | None,
) -> NewDeposit:
    sent, problem = _sent(received)
    problem = _refusal(using, received) or problem
    fingerprint = hashlib.sha256(received.sha256 + canonical(sent)).digest()
    return NewDeposit(
        deposit_id=deposit_id,
        tenant_id=key.tenant_id,
        kind="refusal" if problem else "document",
        client=str(key.key_id),
        agent=key.agent,
        sha256=received.sha256,
        size=received.size,
        file_name=received.file_name,
        sent=sent,
        fingerprint=fingerprint,
        received_at=received_at,
        idempotency_key=idempotency_key,
        problem=problem,
    )


def _sent(received: Received) -> tuple[dict[str, Any], Problem | None]:
    if received.metadata is None or not received.metadata.strip():
        return {}, None
    try:
        return plain(parse_sent(received.metadata)), None
    except MetadataInvalid as error:
        return {}, Problem(slug="metadata-invalid", arguments={"mismatches": _printable(str(error))})


def _printable(text: str) -> str:
    """Bound a sentence that holds a stranger's words: it is kept and shown."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)[:1000]


def _refusal(using: Services, received: Received) -> Problem | None:
    if received.too_large:
        return Problem(slug="document-too-large", arguments={"limit": str(using.max_document_bytes)})
    if not received.size:
        return Problem(slug="empty-document")
    if b"%PDF-" not in received.head:
        return Problem(slug="not-a-pdf")
    return None


def _answer(request: Request, using: Services, reception: Reception) -> Response:
    deposit = reception.deposit
    at_once = deposit.kind == "refusal"  # what was refused at the door is said at the door
    if deposit.problem is not None and (at_once or deposit.state is DepositState.REJECTED):
        raise ApiProblem(
            deposit.problem.slug,
            members=problem_members(using, deposit, language(request)),
            **deposit.problem.arguments,
        )
    status = 202 if deposit.state is DepositState.RECEIVED else 200 if reception.replayed else 201
    headers = {"Location": f"/v1/deposits/{deposit.deposit_id}"}
    if reception.replayed:
        headers["Idempotency-Replayed"] = "true"
    if deposit.kind == "revision" and status == 201:
        status = 200  # the record was there: what is new is its metadata
    return examples.json_response(deposit_shape(using, deposit, language(request)), status, headers)


@router.get("/{deposit_id}", responses=examples.DEPOSIT_STATE)
def show(request: Request, using: WithServices, key: Reader, deposit_id: UUID) -> Response:
    """Say where a deposit stands."""
    deposit = using.ledger.deposit(key.tenant_id, deposit_id)
    return examples.json_response(deposit_shape(using, deposit, language(request)), 200, {})
