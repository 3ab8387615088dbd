"""Step 1: whether it is a PDF/A-3 invoice that this tenant's profile accepts, and until when it is kept.

A crash here leaves nothing: the checks change nothing outside, and their outcome is kept as one row.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NoReturn

from archive_service.invoices.check import check_invoice
from archive_service.model import (
    ArchiveError,
    Cause,
    CouldNotRun,
    Finding,
    InvoiceFacts,
    InvoiceProfile,
    InvoiceVerdict,
    Metadata,
    NonConformant,
    PdfaVerdict,
    Profile,
    Severity,
    utc_text,
)
from archive_service.pdf.facts import PdfRefused
from archive_service.pdf.guard import CheckInterrupted
from archive_service.pipeline import metadata as metadata_rules
from archive_service.pipeline.forms import JsonObject, from_json, invoice_json, pdfa_json, to_json
from archive_service.pipeline.ledger import Deposit, Problem
from archive_service.pipeline.parts import Parts, TryAgain
from retention.decide import Decision, decide
from retention.errors import DateImplausible, LockTooLong, NoRule, RetentionOver

# How often a check that this document breaks is tried before the document is refused: the machine may have
# been short of time or memory for once. A crash may be the operator's doing, so it gets more tries.
TRIES = {Cause.DEADLINE: 3, Cause.MEMORY: 3, Cause.CRASH: 8}


class Rejected(ArchiveError):
    """The document cannot be archived; carries the problem."""

    def __init__(self, slug: str, *findings: Finding, **arguments: str) -> None:
        super().__init__(slug)
        self.problem = Problem(slug=slug, arguments=arguments)
        self.findings = findings


def validate(parts: Parts, deposit: Deposit, done: dict[str, JsonObject]) -> JsonObject:
    """Return the decision with everything it rests on."""
    del done
    form: JsonObject = {"decided_at": utc_text(parts.clock()), "pdfa": None, "invoice": None, "facts": None}
    findings: list[Finding] = []
    try:
        form |= _decide(parts, deposit, form, findings)
    except Rejected as rejection:
        findings.extend(rejection.findings)
        form |= {
            "decision": "reject",
            "problem": {"slug": rejection.problem.slug, "arguments": rejection.problem.arguments},
        }
    return form | {"findings": [to_json(finding) for finding in findings]}


def _decide(parts: Parts, deposit: Deposit, form: JsonObject, findings: list[Finding]) -> JsonObject:
    profile = parts.ledger.tenant(deposit.tenant_id).profile
    if deposit.problem is not None:  # refused at the door: nothing was kept that could be looked at
        raise Rejected(deposit.problem.slug, **deposit.problem.arguments)
    if deposit.kind == "revision":
        kept = parts.ledger.outputs(deposit.tenant_id, deposit.record_id)["validate"]
        facts = from_json(InvoiceFacts, kept["facts"]) if kept["facts"] else None
    else:
        facts = _check_document(parts, deposit, profile, form)
    form["facts"] = to_json(facts) if facts else None
    metadata = _metadata(deposit, facts, profile, findings)
    decision = _retention(deposit, metadata, profile)
    if deposit.kind == "document":
        _claim_number(parts, deposit, metadata, profile, findings)
    return {
        "decision": "archive",
        "problem": None,
        "metadata": to_json(metadata),
        "profile": to_json(profile),
        "retention": _retention_json(decision),
    }


# --- The document -------------------------------------------------------------------------------


def _check_document(
    parts: Parts, deposit: Deposit, profile: Profile, form: JsonObject
) -> InvoiceFacts | None:
    path = _whole(parts, deposit)
    try:
        pdf = parts.pdf_reader.read(path)
    except PdfRefused as refusal:
        raise Rejected(refusal.slug, refusal.finding) from refusal
    except CheckInterrupted as interruption:
        could_not_run(parts, deposit, interruption.cause, str(interruption))
    pdfa = parts.pdfa.validate(path)
    invoice = check_invoice(pdf, schematron=parts.schematron, profile=profile)
    form["pdfa"], form["invoice"] = pdfa_json(pdfa), invoice_json(invoice)
    for outcome in (pdfa.outcome, invoice.container, invoice.xsd, invoice.schematron):
        if isinstance(outcome, CouldNotRun):  # BR-FR is not here: it is never a reason to wait or to reject
            could_not_run(parts, deposit, outcome.cause, outcome.detail)
    problem = _first_problem(pdfa, invoice, profile)
    if problem is not None:
        raise problem
    return invoice.facts


def _whole(parts: Parts, deposit: Deposit) -> Path:
    """Return the staged file if it is still what was acknowledged: disks die and lie."""
    path = parts.staging.path(str(deposit.deposit_id))
    try:
        found = hashlib.sha256(path.read_bytes()).digest()
    except FileNotFoundError as error:
        raise Rejected("bytes-lost") from error
    if found != deposit.sha256:
        raise Rejected("bytes-lost")
    return path


def could_not_run(parts: Parts, deposit: Deposit, cause: Cause, detail: str) -> NoReturn:
    """Raise TryAgain, or Rejected when this document has broken the check too often."""
    if cause in TRIES and parts.ledger.count_attempt(deposit.tenant_id, deposit.deposit_id) >= TRIES[cause]:
        raise Rejected("validation-impossible", cause=cause.value)
    raise TryAgain(cause, detail)


def _first_problem(pdfa: PdfaVerdict, invoice: InvoiceVerdict, profile: Profile) -> Rejected | None:
    """Name the first thing that keeps the document out. The order is the reader's: outermost first."""
    if isinstance(pdfa.outcome, NonConformant) or pdfa.flavour is None:
        return Rejected("not-pdfa", flavour=pdfa.flavour or "–")
    if pdfa.flavour not in profile.pdfa_flavours:
        accepted = ", ".join(f"PDF/A-{flavour}" for flavour in profile.pdfa_flavours)
        return Rejected("pdfa-not-accepted", flavour=f"PDF/A-{pdfa.flavour}", accepted=accepted)
    if invoice.attachment is None:
        return Rejected("no-invoice") if profile.require_invoice else None
    return _invoice_problem(invoice, profile)


def _invoice_problem(invoice: InvoiceVerdict, profile: Profile) -> Rejected | None:
    failed = [
        (slug, outcome)
        for slug, outcome in (
            ("invoice-container", invoice.container),
            ("invoice-xsd", invoice.xsd),
            ("invoice-schematron", invoice.schematron),
        )
        if isinstance(outcome, NonConformant)
    ]
    for _, outcome in failed:
        if any(finding.rule.startswith("invoice.xml.") for finding in outcome.findings):
            return Rejected("invoice-xml")
    for slug, outcome in failed:
        rules = {finding.rule for finding in outcome.findings if finding.severity is Severity.ERROR}
        return Rejected(slug, rules=", ".join(sorted(rules)[:5]))
    if invoice.profile is InvoiceProfile.ZUGFERD_1 and not profile.accept_zugferd_1:
        return Rejected("invoice-container", rules="facturx.profile.zugferd-1")
    return None


# --- Metadata, number, retention ----------------------------------------------------------------


def _metadata(
    deposit: Deposit, facts: InvoiceFacts | None, profile: Profile, findings: list[Finding]
) -> Metadata:
    sent = metadata_rules.SentMetadata.model_validate(deposit.sent)
    try:
        merged, differences = metadata_rules.merge(sent, facts, profile)
    except metadata_rules.MetadataIncomplete as error:
        raise Rejected("metadata-incomplete", fields=", ".join(error.fields)) from error
    findings.extend(differences)
    return merged


def _retention(deposit: Deposit, metadata: Metadata, profile: Profile) -> Decision:
    try:
        return decide(
            country=profile.retention_country,
            document_type=metadata.document_type.value,
            issue_date=metadata.issue_date,
            financial_year_end=metadata.financial_year_end,
            now=deposit.received_at,
        )
    except RetentionOver as error:
        raise Rejected("retention-over", date=error.retain_until.date().isoformat()) from error
    except DateImplausible as error:
        raise Rejected("date-implausible", field=error.field, date=error.value.isoformat()) from error
    except LockTooLong as error:
        raise Rejected(
            "date-implausible", field="financial_year_end", date=metadata.financial_year_end.isoformat()
        ) from error
    except NoRule as error:
        raise Rejected("no-retention-rule", country=profile.retention_country) from error


def _retention_json(decision: Decision) -> JsonObject:
    rule: dict[str, Any] = {
        "id": decision.rule.id,
        "version": decision.rule.version,
        "legal_source": decision.rule.legal_source,
    }
    return {"retain_until": utc_text(decision.retain_until), "rule": rule}


def _claim_number(
    parts: Parts, deposit: Deposit, metadata: Metadata, profile: Profile, findings: list[Finding]
) -> None:
    """Notice a number used before by this seller this year, with other bytes."""
    seller = metadata.seller.vat_id or metadata.seller.siren or metadata.seller.name or ""
    owner = parts.ledger.claim_number(
        deposit, seller=seller, year=metadata.issue_date.year, number=metadata.number
    )
    if owner == deposit.deposit_id:
        return
    finding = Finding(
        rule="record.number-reused",
        severity=Severity.WARNING,
        message=f"The seller used number {metadata.number} this year for other bytes: record {owner}.",
        location="metadata.number",
        arguments=(("number", metadata.number), ("record", str(owner))),
    )
    if profile.refuse_number_reuse:
        raise Rejected("number-reused", finding, number=metadata.number, record=str(owner))
    findings.append(finding)
