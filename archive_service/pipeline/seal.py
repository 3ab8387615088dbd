"""Step 2: a sealed copy beside the original, which stays as it came. It must be PDF/A itself.

A crash before the output is kept leaves a staged file that nothing names; sweeping removes it, and the
next try draws a new seal.
"""

from __future__ import annotations

import hashlib

from archive_service.model import Conformant, CouldNotRun, NonConformant, SealLevel, utc_text
from archive_service.pipeline.crash_points import CrashPoint, reached
from archive_service.pipeline.forms import JsonObject, pdfa_json, to_json
from archive_service.pipeline.ledger import Deposit
from archive_service.pipeline.parts import Parts, TryAgain
from archive_service.pipeline.validate import Rejected, could_not_run
from signing.errors import CannotSeal
from signing.pades import SealedCopy
from signing.pades import seal as seal_pdf
from signing.timestamps import NoTimestamp

REASON = "Electronic seal of the archive at deposit"


def sealed_name(deposit: Deposit, sealed: JsonObject) -> str:
    """Name of the sealed copy in staging: by content, so that two tries cannot overwrite each other's."""
    return f"{deposit.deposit_id}.{sealed['sha256']}.sealed"


def seal(parts: Parts, deposit: Deposit, done: dict[str, JsonObject]) -> JsonObject:
    """Return what is known of the sealed copy; its bytes are staged. ``sealed`` is null without one."""
    validated = done["validate"]
    if validated["decision"] != "archive" or deposit.kind != "document":
        return {"sealed": None, "problem": None}
    if validated["profile"]["seal"] == SealLevel.NONE:
        return {"sealed": None, "problem": None}
    try:
        return {"sealed": _sealed(parts, deposit), "problem": None}
    except Rejected as rejection:
        return {
            "sealed": None,
            "problem": {"slug": rejection.problem.slug, "arguments": rejection.problem.arguments},
            "findings": [to_json(finding) for finding in rejection.findings],
        }


def _sealed(parts: Parts, deposit: Deposit) -> JsonObject:
    original = parts.staging.path(str(deposit.deposit_id)).read_bytes()
    copy = _apply(parts, original)
    content = {"sha256": hashlib.sha256(copy.pdf).hexdigest(), "size": len(copy.pdf)}
    path = parts.staging.write(sealed_name(deposit, content), copy.pdf)
    reached(CrashPoint.SEAL_STAGED)
    verdict = parts.pdfa.validate(path)
    match verdict.outcome:
        case Conformant():
            pass
        case NonConformant():
            parts.staging.discard(path.name)
            raise Rejected("sealed-copy-not-pdfa", *verdict.outcome.findings)
        case CouldNotRun():
            could_not_run(parts, deposit, verdict.outcome.cause, verdict.outcome.detail)
    return {
        **content,
        "level": copy.level,
        "token_time": utc_text(copy.token_time),
        "tsa": copy.tsa,
        "not_qualified": list(copy.not_qualified),
        "pdfa": pdfa_json(verdict),
    }


def _apply(parts: Parts, original: bytes) -> SealedCopy:
    try:
        return seal_pdf(
            original, key=parts.seal_key, timestamper=parts.timestamper, at=parts.clock(), reason=REASON
        )
    except CannotSeal as error:
        raise Rejected("cannot-be-sealed", reason=str(error)) from error
    except NoTimestamp as error:
        raise TryAgain.unavailable(error) from error
