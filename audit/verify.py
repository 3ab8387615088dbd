"""The offline verifier: every link from a bundle's documents to its log, its seal and its tokens."""

from __future__ import annotations

from collections.abc import Callable

from audit import links, signature_links
from audit.bundle import Bundle
from audit.errors import AuditError
from audit.evidence import Evidence, NotChecked
from audit.reports import (
    Check,
    CheckStatus,
    JwsReport,
    Report,
    SealReport,
    SignatureChecks,
    TokenReport,
)
from audit.sentences import Said, said

__all__ = [
    "Check",
    "CheckStatus",
    "JwsReport",
    "Report",
    "SealReport",
    "SignatureChecks",
    "TokenReport",
    "verify_bundle",
]

# What is checked, in order; the names are stable, and CHECK.html explains each.
LINKS: tuple[tuple[str, Callable[[Evidence], Said]], ...] = (
    ("manifest", links.manifest),
    ("original-digest", links.original_digest),
    ("record", links.record),
    ("verdict", links.verdict),
    ("receipt-signature", signature_links.receipt_signature),
    ("entry-digest", links.entry_digest),
    ("entry-commitments", links.entry_commitments),
    ("inclusion", links.inclusion),
    ("checkpoint", links.checkpoint),
    ("log-identity", links.log_identity),
    ("checkpoint-time", signature_links.checkpoint_time),
    ("seal", signature_links.seal),
    ("seal-time", signature_links.seal_time),
    ("certificates", signature_links.certificates),
    ("revocation", signature_links.revocation),
    ("retention-lock", signature_links.retention_lock),
)


def verify_bundle(
    bundle: Bundle, *, signatures: SignatureChecks | None, log_vkey: str | None = None
) -> Report:
    """Check every link. Nothing is fetched; what was not checked is in the report, too.

    ``signatures``: who checks seals, tokens and signatures; None: those links are NOT_CHECKED.
    ``log_vkey``: the log's key as the auditor knows it from elsewhere.
    """
    evidence = Evidence(bundle, signatures, log_vkey)
    return Report(checks=tuple(_check(name, link, evidence) for name, link in LINKS))


def _check(name: str, link: Callable[[Evidence], Said], evidence: Evidence) -> Check:
    try:
        return Check(name=name, status=CheckStatus.HELD, said=link(evidence))
    except NotChecked as reason:
        return Check(name=name, status=CheckStatus.NOT_CHECKED, said=reason.why)
    except AuditError as error:
        return failed(name, str(error))


def failed(name: str, detail: str) -> Check:
    """Return a failed check. Its cause is in English; what to do about it is in both languages."""
    return Check(name=name, status=CheckStatus.FAILED, said=said("cause", cause=detail))
