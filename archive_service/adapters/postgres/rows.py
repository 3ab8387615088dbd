"""Rows as the pipeline's values, and the folding that makes search forgiving."""

from __future__ import annotations

import unicodedata
from typing import Any

import sqlalchemy as sa

from archive_service.model import DepositState, Metadata, Role, StoredVersion
from archive_service.pipeline.forms import JsonObject, to_json
from archive_service.pipeline.ledger import Deposit, Problem, StoredObject


def fold(text: str) -> str:
    """Return text without case, accents or doubled spaces. The embedded PostgreSQL has no ``unaccent``."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return " ".join(plain.casefold().split())


def problem_json(problem: Problem | None) -> JsonObject | None:
    """Return a problem as it is kept."""
    return None if problem is None else {"slug": problem.slug, "arguments": problem.arguments}


def deposit(row: sa.Row[Any]) -> Deposit:
    """Return the deposit that a row of ``deposits`` holds."""
    return Deposit(
        deposit_id=row.deposit_id,
        tenant_id=row.tenant_id,
        record_id=row.record_id,
        kind=row.kind,
        agent=row.agent,
        state=DepositState(row.state),
        sha256=bytes(row.sha256),
        size=row.size,
        file_name=row.file_name,
        sent=row.sent,
        received_at=row.received_at,
        ended_at=row.ended_at,
        problem=Problem(**row.problem) if row.problem else None,
        attempts=row.attempts,
    )


def stored_object(row: sa.Row[Any]) -> StoredObject:
    """Return the object that a row of ``objects`` holds."""
    return StoredObject(
        role=Role(row.role),
        version=StoredVersion(
            bucket=row.bucket,
            path=row.path,
            version_id=row.version_id,
            sha256=bytes(row.sha256),
            size=row.size,
            retain_until=row.retain_until,
        ),
        plain_sha256=bytes(row.plain_sha256),
        plain_size=row.plain_size,
    )


def record_columns(metadata: Metadata) -> dict[str, Any]:
    """Return the columns of ``records`` that follow from the metadata: the whole, and what is searched."""
    return {
        "metadata": to_json(metadata),
        "number": metadata.number,
        "number_folded": fold(metadata.number),
        "issue_date": metadata.issue_date,
        "financial_year_end": metadata.financial_year_end,
        "seller_folded": fold(metadata.seller.name or ""),
        "seller_siren": metadata.seller.siren,
        "seller_vat_id": metadata.seller.vat_id,
        "piece_ref_folded": fold(metadata.piece_ref) if metadata.piece_ref else None,
        "piece_date": metadata.piece_date,
        "document_type": metadata.document_type,
        "direction": metadata.direction,
    }
