"""Records: find them, and fetch what is kept of them."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from archive_service.api import examples
from archive_service.api.problems import ApiProblem
from archive_service.api.services import Reader, Services, WithServices
from archive_service.api.shapes import object_shape, record_shape
from archive_service.model import Role
from archive_service.pipeline.clients import ApiKey
from archive_service.pipeline.evidence import NotEndedYet
from archive_service.pipeline.ledger import Deposit
from archive_service.pipeline.records import Search

router = APIRouter(tags=["records"])

MAX_PAGE = 200
_SHA256 = re.compile(r"[0-9a-f]{64}")


@router.get("/v1/records", responses=examples.SEARCH)
def search(
    using: WithServices,
    key: Reader,
    number: Annotated[str | None, Query(max_length=200)] = None,
    issued_from: date | None = None,
    issued_to: date | None = None,
    seller: Annotated[
        str | None, Query(max_length=200, description="Part of the name, SIREN or VAT id")
    ] = None,
    piece_ref: Annotated[str | None, Query(max_length=200, description="FEC: PieceRef")] = None,
    piece_date: Annotated[date | None, Query(description="FEC: PieceDate")] = None,
    sha256: Annotated[str | None, Query(description="Of the original, hexadecimal")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: UUID | None = None,
) -> Response:
    """Find archived records, in the order of deposit, a page at a time."""
    if sha256 is not None and not _SHA256.fullmatch(sha256.lower()):
        raise ApiProblem("request-malformed", reason="sha256: 64 hexadecimal digits")
    found = using.records.search(
        key.tenant_id,
        Search(
            number=number,
            issued_from=issued_from,
            issued_to=issued_to,
            seller=seller,
            piece_ref=piece_ref,
            piece_date=piece_date,
            sha256=bytes.fromhex(sha256) if sha256 else None,
            after=cursor,
            limit=limit + 1,
        ),
    )
    page = found[:limit]
    following = str(page[-1].record_id) if len(found) > limit else None
    shape = {"records": [record_shape(record) for record in page], "next": following}
    return examples.json_response(shape, 200, {})


@router.get("/v1/records/{record_id}", responses=examples.RECORD)
def show(using: WithServices, key: Reader, record_id: UUID) -> Response:
    """Show a record with its locked objects and the deposits that made and revised it."""
    record = using.records.get(key.tenant_id, record_id)
    objects = using.ledger.objects(key.tenant_id, record_id).values()
    shape = record_shape(record) | {
        "objects": [object_shape(item) for item in objects],
        "deposits": [str(item) for item in using.records.history(key.tenant_id, record_id)],
    }
    return examples.json_response(shape, 200, {})


def _content(using: Services, key: ApiKey, deposit_id: UUID, role: Role, kind: str, ending: str) -> Response:
    if role not in using.ledger.objects(key.tenant_id, deposit_id):
        raise ApiProblem("not-found", what=f"{deposit_id}: {role}")
    body = using.vault.plain(key.tenant_id, deposit_id, role)
    name = f"{deposit_id}-{role.value.removesuffix('.json')}.{ending}"
    return Response(
        body,
        media_type=kind,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


def _archived(using: Services, key: ApiKey, record_id: UUID) -> UUID:
    return using.records.get(key.tenant_id, record_id).record_id


@router.get("/v1/records/{record_id}/original", responses=examples.PDF)
def original(using: WithServices, key: Reader, record_id: UUID) -> Response:
    """Return the original, byte for byte as it was deposited."""
    return _content(using, key, _archived(using, key, record_id), Role.ORIGINAL, "application/pdf", "pdf")


@router.get("/v1/records/{record_id}/sealed", responses=examples.PDF)
def sealed(using: WithServices, key: Reader, record_id: UUID) -> Response:
    """Return the sealed copy."""
    return _content(using, key, _archived(using, key, record_id), Role.SEALED, "application/pdf", "pdf")


@router.get("/v1/records/{record_id}/verdict")
def verdict(using: WithServices, key: Reader, record_id: UUID) -> Response:
    """Return the verdict as it was locked."""
    return _content(using, key, _archived(using, key, record_id), Role.VERDICT, "application/json", "json")


@router.get("/v1/records/{record_id}/receipt")
def receipt(using: WithServices, key: Reader, record_id: UUID) -> Response:
    """Return the receipt (JAdES baseline B, compact JWS)."""
    return _content(using, key, _archived(using, key, record_id), Role.RECEIPT, "application/jose", "jws")


@router.get("/v1/records/{record_id}/evidence", responses=examples.ZIP)
def evidence(using: WithServices, key: Reader, record_id: UUID) -> Response:
    """Return the evidence bundle, which `archive verify` checks offline."""
    record = using.ledger.deposit(key.tenant_id, _archived(using, key, record_id))
    return _bundle(using, record)


@router.get("/v1/deposits/{deposit_id}/receipt", tags=["deposits"])
def deposit_receipt(using: WithServices, key: Reader, deposit_id: UUID) -> Response:
    """Return the attestation of deposit or of rejection."""
    _ended(using, key, deposit_id)
    return _content(using, key, deposit_id, Role.RECEIPT, "application/jose", "jws")


@router.get("/v1/deposits/{deposit_id}/verdict", tags=["deposits"])
def deposit_verdict(using: WithServices, key: Reader, deposit_id: UUID) -> Response:
    """Return the verdict as it was locked, of a rejected deposit too."""
    _ended(using, key, deposit_id)
    return _content(using, key, deposit_id, Role.VERDICT, "application/json", "json")


@router.get("/v1/deposits/{deposit_id}/evidence", tags=["deposits"], responses=examples.ZIP)
def deposit_evidence(using: WithServices, key: Reader, deposit_id: UUID) -> Response:
    """Return the evidence bundle of a deposit, archived or rejected."""
    return _bundle(using, _ended(using, key, deposit_id))


def _ended(using: Services, key: ApiKey, deposit_id: UUID) -> Deposit:
    deposit = using.ledger.deposit(key.tenant_id, deposit_id)
    if deposit.ended_at is None:
        raise NotEndedYet(str(deposit_id))
    return deposit


def _bundle(using: Services, deposit: Deposit) -> Response:
    return Response(
        using.evidence.build(deposit),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="evidence-{deposit.deposit_id}.zip"',
            "Cache-Control": "private, no-store",
        },
    )
