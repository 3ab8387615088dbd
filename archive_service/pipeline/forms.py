"""Values as JSON and back: what the pipeline keeps between its steps, and what it locks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

import rfc8785
from pydantic import TypeAdapter

from archive_service.model import (
    Conformant,
    CouldNotRun,
    Finding,
    InvoiceFacts,
    InvoiceVerdict,
    Metadata,
    NonConformant,
    Outcome,
    PdfaVerdict,
    Profile,
    Tool,
)

JsonObject = dict[str, Any]
_T = TypeVar("_T")

_ADAPTERS: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Metadata, InvoiceFacts, Profile, Finding, Tool)
}


def to_json(value: Metadata | InvoiceFacts | Profile | Finding | Tool) -> JsonObject:
    """Return a value as JSON members, those that are None left out."""
    result: JsonObject = _ADAPTERS[type(value)].dump_python(value, mode="json", exclude_none=True)
    return result


def from_json(kind: type[_T], members: JsonObject) -> _T:
    """Return the value that ``to_json`` wrote. Raises pydantic.ValidationError for anything else."""
    result: _T = _ADAPTERS[kind].validate_python(members)
    return result


def canonical(members: JsonObject) -> bytes:
    """RFC 8785 bytes: the one form that is hashed, locked or signed."""
    return rfc8785.dumps(members)


def moment(text: str) -> datetime:
    """Read what ``utc_text`` wrote."""
    return datetime.fromisoformat(text)


def outcome_json(outcome: Outcome | None) -> JsonObject | None:
    """Return an outcome with its name spelled out; None where the check does not apply."""
    if outcome is None:
        return None
    form: JsonObject = {"tool": to_json(outcome.tool)}
    match outcome:
        case Conformant():
            return form | {"outcome": "conformant", "findings": [to_json(f) for f in outcome.findings]}
        case NonConformant():
            return form | {"outcome": "non-conformant", "findings": [to_json(f) for f in outcome.findings]}
        case CouldNotRun():
            return form | {"outcome": "could-not-run", "cause": outcome.cause, "detail": outcome.detail}


def pdfa_json(verdict: PdfaVerdict) -> JsonObject:
    """Return veraPDF's verdict with the flavour it was reached against."""
    return {"flavour": verdict.flavour, "check": outcome_json(verdict.outcome)}


def invoice_json(verdict: InvoiceVerdict) -> JsonObject:
    """Return each check on the embedded invoice, those that do not apply as null."""
    return {
        "attachment": verdict.attachment,
        "profile": verdict.profile,
        "container": outcome_json(verdict.container),
        "xsd": outcome_json(verdict.xsd),
        "schematron": outcome_json(verdict.schematron),
        "national": outcome_json(verdict.national),
    }
