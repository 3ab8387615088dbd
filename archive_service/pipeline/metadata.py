"""Metadata: what the depositor sends, what the XML says, and what follows. The XML wins (ADR 0012)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from archive_service.model import (
    ArchiveError,
    Direction,
    DocumentType,
    Finding,
    InvoiceFacts,
    Metadata,
    Party,
    Profile,
    RelatedDocument,
    Severity,
    VatRoute,
)
from archive_service.pipeline.forms import JsonObject

MAX_METADATA_BYTES = (
    64 * 1024
)  # a page of metadata; a hostile sender's is parsed before anything else is known
MAX_METADATA_DEPTH = 8  # ours has 3

_T = TypeVar("_T")
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class MetadataInvalid(ArchiveError):
    """The metadata are not what the schema asks for. Carries (place, sentence) for each mismatch."""

    def __init__(self, *mismatches: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{place}: {sentence}" for place, sentence in mismatches))
        self.mismatches = mismatches


class MetadataIncomplete(ArchiveError):
    """Neither the XML nor the depositor says what a record must have. Carries the names of the fields."""

    def __init__(self, *fields: str) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SentParty(_Sent):
    """A seller or a buyer, as the depositor knows it."""

    name: _Text | None = None
    country: _Country | None = Field(default=None, description="ISO 3166-1 alpha-2")
    siren: Annotated[str, StringConstraints(pattern=r"^\d{9}$")] | None = None
    siret: Annotated[str, StringConstraints(pattern=r"^\d{14}$")] | None = None
    vat_id: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[0-9A-Z+*.]{2,20}$")] | None = None


class SentRelated(_Sent):
    """A document that this one refers to."""

    kind: Literal["order", "contract", "delivery_note", "invoice", "other"]
    number: _Text
    issue_date: date | None = None


class SentMetadata(_Sent):
    """The ``metadata`` part of a deposit. Where the document holds an invoice, that invoice wins."""

    direction: Direction = Direction.RECEIVED
    document_type: DocumentType | None = None
    number: _Text | None = None
    issue_date: date | None = None
    financial_year_end: date | None = Field(
        default=None,
        description="Last day of the financial year; by default the tenant's, around the issue date",
    )
    seller: SentParty = SentParty()
    buyer: SentParty = SentParty()
    piece_ref: _Text | None = Field(default=None, description="FEC: PieceRef")
    piece_date: date | None = Field(default=None, description="FEC: PieceDate")
    related: tuple[SentRelated, ...] = Field(default=(), max_length=50)
    vat_route: VatRoute = Field(
        default=VatRoute.RELIABLE_AUDIT_TRAIL,
        description="Route of CGI art. 289 VII by which the invoice was issued",
    )


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MetadataInvalid(("metadata", "a member is given twice"))
    return found


def _refuse_constant(name: str) -> Any:
    raise MetadataInvalid(("metadata", f"{name} is not JSON"))


def _check_plain(value: object, depth: int = 0) -> None:
    if depth > MAX_METADATA_DEPTH:
        raise MetadataInvalid(("metadata", f"nested deeper than {MAX_METADATA_DEPTH}"))
    if isinstance(value, str):
        # PostgreSQL's text and jsonb hold neither; a store that drops them silently would not be faithful.
        if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise MetadataInvalid(("metadata", "a string holds NUL or half a surrogate pair"))
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_plain(name, depth + 1)
            _check_plain(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _check_plain(member, depth + 1)


def parse_sent(text: bytes) -> SentMetadata:
    """Parse the ``metadata`` part (JSON, UTF-8, at most 64 KiB). Raises MetadataInvalid."""
    if len(text) > MAX_METADATA_BYTES:
        raise MetadataInvalid(("metadata", f"longer than {MAX_METADATA_BYTES} bytes"))
    try:
        value = json.loads(text, object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)
        _check_plain(value)
    except (ValueError, RecursionError) as error:
        raise MetadataInvalid(("metadata", f"not JSON: {error}")) from error
    if not isinstance(value, dict):
        raise MetadataInvalid(("metadata", "must be a JSON object"))
    try:
        return SentMetadata.model_validate_json(text)
    except ValidationError as error:
        raise MetadataInvalid(
            *(("metadata." + ".".join(map(str, e["loc"])), e["msg"]) for e in error.errors(include_url=False))
        ) from error


def plain(sent: SentMetadata) -> JsonObject:
    """Return the canonical form of what was sent: defaults filled in, absent members left out."""
    return sent.model_dump(mode="json", exclude_none=True)


# UNTDID 1001, as EN 16931 lists it for BT-3.
_TYPES = {
    "380": DocumentType.INVOICE,
    "381": DocumentType.CREDIT_NOTE,
    "261": DocumentType.CREDIT_NOTE,
    "384": DocumentType.CORRECTIVE_INVOICE,
    "386": DocumentType.PREPAYMENT_INVOICE,
    "389": DocumentType.SELF_BILLED_INVOICE,
}


def _difference(field: str, sent: object, found: object) -> Finding:
    return Finding(
        rule="metadata.differs-from-invoice",
        severity=Severity.WARNING,
        message=f"The metadata say {sent} for {field}, the invoice says {found}; the invoice wins.",
        location=f"metadata.{field}",
        arguments=(("field", field), ("sent", str(sent)), ("found", str(found))),
    )


class _Merge:
    """Takes the invoice's word field by field and notes where the depositor's was another."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def take(self, field: str, found: _T | None, sent: _T | None) -> _T | None:
        if found is None:
            return sent
        if sent is not None and sent != found:
            self.findings.append(_difference(field, sent, found))
        return found

    def party(self, field: str, found: Party, sent: SentParty) -> Party:
        return Party(
            name=self.take(f"{field}.name", found.name, sent.name),
            country=self.take(f"{field}.country", found.country, sent.country),
            siren=self.take(f"{field}.siren", found.siren, sent.siren),
            siret=self.take(f"{field}.siret", found.siret, sent.siret),
            vat_id=self.take(f"{field}.vat_id", found.vat_id, sent.vat_id),
        )


def financial_year_end(issued: date, profile: Profile) -> date:
    """Return the end of the tenant's financial year that holds ``issued`` (29 February falls back to 28)."""
    month, day = (int(part) for part in profile.financial_year_end.split("-"))

    def end_in(year: int) -> date:
        try:
            return date(year, month, day)
        except ValueError:
            return date(year, month, 28)

    return end_in(issued.year) if issued <= end_in(issued.year) else end_in(issued.year + 1)


def merge(
    sent: SentMetadata, facts: InvoiceFacts | None, profile: Profile
) -> tuple[Metadata, tuple[Finding, ...]]:
    """Join what was sent with what the invoice says. Raises MetadataIncomplete, naming what is missing."""
    said = facts or InvoiceFacts(profile=None)  # type: ignore[arg-type]  # an invoice that says nothing
    merging = _Merge()
    number = merging.take("number", said.number, sent.number)
    issued = merging.take("issue_date", said.issue_date, sent.issue_date)
    seller = merging.party("seller", said.seller, sent.seller)
    buyer = merging.party("buyer", said.buyer, sent.buyer)
    kind = merging.take("document_type", _TYPES.get(said.type_code or ""), sent.document_type)
    missing = [name for name, value in (("number", number), ("issue_date", issued)) if value is None]
    if not any((seller.name, seller.siren, seller.vat_id)):
        missing.append("seller.name")
    if missing or number is None or issued is None:
        raise MetadataIncomplete(*missing)
    related = said.related + tuple(
        document
        for document in (RelatedDocument(**r.model_dump()) for r in sent.related)
        if document not in said.related
    )
    merged = Metadata(
        direction=sent.direction,
        document_type=kind or (DocumentType.INVOICE if facts else DocumentType.OTHER),
        number=number,
        issue_date=issued,
        financial_year_end=sent.financial_year_end or financial_year_end(issued, profile),
        seller=_with_siren(seller),
        buyer=_with_siren(buyer),
        piece_ref=sent.piece_ref or number,
        piece_date=sent.piece_date or issued,
        related=related,
        vat_route=sent.vat_route,
    )
    return merged, tuple(merging.findings)


def _with_siren(party: Party) -> Party:
    """A SIRET starts with the SIREN (R123-221 C. com.): search finds the company either way."""
    return replace(party, siren=party.siret[:9]) if party.siret and not party.siren else party
