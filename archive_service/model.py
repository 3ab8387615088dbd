"""The words of the archive as plain frozen values. No input or output happens here."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID


class ArchiveError(Exception):
    """The archive could not do what was asked."""


def utc_text(moment: datetime) -> str:
    """RFC 3339 text in UTC with milliseconds, e.g. ``2026-11-24T04:03:42.123Z``. The one form we write."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone proves nothing")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- What a check found -------------------------------------------------------------------------


class Severity(enum.StrEnum):
    """How much a finding weighs: only ERROR makes a document non-conformant."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check noticed: which rule, where, and a sentence.

    ``rule`` is stable: ours are dotted (``facturx.attachment.name``), the others' keep their own name with
    the rule set in front (``verapdf:ISO 19005-3:2012/6.6.4/1``, ``en16931:BR-IC-11``).
    ``arguments`` fill the sentence of our own rules in the reader's language; ``message`` is English.
    """

    rule: str
    severity: Severity
    message: str
    location: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What did a check, precisely enough to repeat it in ten years."""

    name: str
    version: str
    rules_sha256: str | None = None  # hex, of the rule set's file, where there is one


class Cause(enum.StrEnum):
    """Why a check could not run: the document's doing (DEADLINE, MEMORY) or ours (CRASH, UNAVAILABLE)."""

    DEADLINE = "deadline"
    MEMORY = "memory"
    CRASH = "crash"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformant:
    """The check ran and the document passed; findings are warnings at most."""

    tool: Tool
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NonConformant:
    """The check ran and the document failed; at least one finding is an ERROR."""

    tool: Tool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CouldNotRun:
    """The check has no result. Retried; never mistaken for either of the others."""

    tool: Tool
    cause: Cause
    detail: str


Outcome = Conformant | NonConformant | CouldNotRun


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfaVerdict:
    """veraPDF's verdict. ``flavour`` is what was validated against, e.g. ``3b``; None: nothing is claimed."""

    outcome: Outcome
    flavour: str | None


# --- Invoices -----------------------------------------------------------------------------------


class InvoiceProfile(enum.StrEnum):
    """The profile that an embedded invoice declares (Factur-X 1.0x §6; ZUGFeRD 1)."""

    MINIMUM = "MINIMUM"
    BASIC_WL = "BASIC WL"
    BASIC = "BASIC"
    EN16931 = "EN 16931"
    EXTENDED = "EXTENDED"
    EXTENDED_CTC_FR = "EXTENDED-CTC-FR"
    XRECHNUNG = "XRECHNUNG"
    ZUGFERD_1 = "ZUGFeRD 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A seller or a buyer. ``siren`` has 9 digits, ``siret`` 14, ``country`` is ISO 3166-1 alpha-2."""

    name: str | None = None
    country: str | None = None
    siren: str | None = None
    siret: str | None = None
    vat_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedDocument:
    """A document this one refers to (order, contract, delivery note, preceding invoice)."""

    kind: Literal["order", "contract", "delivery_note", "invoice", "other"]
    number: str
    issue_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """What the embedded XML says. Fields are None where it says nothing."""

    profile: InvoiceProfile
    type_code: str | None = None  # UNTDID 1001: 380 invoice, 381 credit note…
    number: str | None = None
    issue_date: date | None = None
    seller: Party = field(default_factory=Party)
    buyer: Party = field(default_factory=Party)
    currency: str | None = None
    total_with_vat: str | None = None  # decimal text, as written
    related: tuple[RelatedDocument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceVerdict:
    """The outcome of each check on the embedded invoice; None where the check does not apply."""

    attachment: str | None  # its file name; None: there is no invoice inside
    profile: InvoiceProfile | None = None
    facts: InvoiceFacts | None = None
    container: Outcome | None = None
    xsd: Outcome | None = None
    schematron: Outcome | None = None
    national: Outcome | None = None  # BR-FR; findings only, never a reason to reject


class Direction(enum.StrEnum):
    """Whether the tenant issued the document or received it."""

    ISSUED = "issued"
    RECEIVED = "received"


class DocumentType(enum.StrEnum):
    """What kind of fiscal document a record holds."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    CORRECTIVE_INVOICE = "corrective_invoice"
    PREPAYMENT_INVOICE = "prepayment_invoice"
    SELF_BILLED_INVOICE = "self_billed_invoice"
    OTHER = "other"


class VatRoute(enum.StrEnum):
    """How authenticity is assured (CGI art. 289 VII): by whom sent it, never by our seal."""

    RELIABLE_AUDIT_TRAIL = "reliable_audit_trail"  # 1°
    QUALIFIED_SIGNATURE = "qualified_signature"  # 2°
    EDI = "edi"  # 3°
    QUALIFIED_SEAL = "qualified_seal"  # 4°


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What is known about a document: from its XML first, from the depositor where the XML is silent."""

    direction: Direction
    document_type: DocumentType
    number: str
    issue_date: date
    financial_year_end: date
    seller: Party
    buyer: Party
    piece_ref: str | None = None  # FEC: PieceRef
    piece_date: date | None = None  # FEC: PieceDate
    related: tuple[RelatedDocument, ...] = ()
    vat_route: VatRoute = VatRoute.RELIABLE_AUDIT_TRAIL


# --- Tenants, deposits, records -----------------------------------------------------------------

SYSTEM_TENANT = UUID(int=0)


class SealLevel(enum.StrEnum):
    """Which sealed copy a profile asks for."""

    NONE = "none"
    B_T = "PAdES B-T"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a tenant accepts and how it is kept. Data, journaled when it changes."""

    name: str = "default"
    version: int = 1
    pdfa_flavours: tuple[str, ...] = ("3a", "3b", "3u")
    require_invoice: bool = True
    accept_zugferd_1: bool = False
    seal: SealLevel = SealLevel.B_T
    retention_country: str = "FR"
    financial_year_end: str = "12-31"  # month-day
    refuse_number_reuse: bool = False


class DepositState(enum.StrEnum):
    """Where a deposit stands. The last two are final."""

    RECEIVED = "received"
    ARCHIVED = "archived"
    REJECTED = "rejected"


class Role(enum.StrEnum):
    """The locked objects of a record, by their name in the path (ADR 0001)."""

    ORIGINAL = "original"
    SEALED = "sealed"
    VERDICT = "verdict"
    RECORD = "record.json"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """One version of one object, as the store keeps it. ``sha256`` (32 bytes) is of the bytes stored."""

    bucket: str
    path: str
    version_id: str
    sha256: bytes
    size: int
    retain_until: datetime | None = None
