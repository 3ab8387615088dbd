"""The links that seals, tokens and certificates make. Each returns what it found, or raises."""

from __future__ import annotations

from collections.abc import Iterable

from audit import names
from audit.comparing import same
from audit.encodings import moment_text
from audit.errors import Unproved
from audit.evidence import Evidence, NotChecked
from audit.receipts import Receipt
from audit.sentences import Said, said
from audit.tlog_proof import TlogProof


def receipt_signature(evidence: Evidence) -> Said:
    """The receipt is signed."""
    report = evidence.signatures.check_jws(evidence.member(names.RECEIPT))
    same("content", names.RECEIPT, report.payload, evidence.payload)
    return said("signed", signer=report.signer, time=moment_text(report.signed_at))


def checkpoint_time(evidence: Evidence) -> Said:
    """A time-stamp token covers a statement that names a checkpoint which contains the entry."""
    note = evidence.stamped_note
    stamped = evidence.open_checkpoint(note)
    report = evidence.signatures.check_token(
        evidence.member(names.STATEMENT_TOKEN), evidence.member(names.STATEMENT)
    )
    evidence.token_reports.append(report)
    index, time = evidence.receipt.entry_index, moment_text(report.time)
    if stamped.size <= index:
        raise Unproved(f"the stamped checkpoint has {stamped.size} entries: entry {index} came after it")
    proved = [evidence.open_checkpoint(proof.checkpoint) for proof in _proofs(evidence)]
    if stamped not in proved:
        raise NotChecked(said("other-tree", time=time, stamped=stamped.size, proved=proved[0].size))
    return said("in-log-before", time=time, tsa=report.tsa)


def _proofs(evidence: Evidence) -> Iterable[TlogProof]:
    return (evidence.proof, evidence.receipt_proof)


def seal(evidence: Evidence) -> Said:
    """The sealed copy is the receipt's, starts with the original, and its seal covers every byte of it."""
    receipt = _sealed_receipt(evidence)
    same("SHA-256", names.SEALED, evidence.digest(names.SEALED), receipt.sealed_sha256)
    report = evidence.signatures.check_seal(evidence.member(names.SEALED), evidence.member(names.ORIGINAL))
    evidence.seal_reports.append(report)
    same("level", names.SEALED, report.level, receipt.seal_level)
    if receipt.not_qualified:
        parts = ", ".join(receipt.not_qualified)
        return said("sealed-not-qualified", level=report.level, signer=report.signer, parts=parts)
    return said("sealed", level=report.level, signer=report.signer)


def _sealed_receipt(evidence: Evidence) -> Receipt:
    receipt = evidence.receipt
    if receipt.sealed_sha256 is None:
        if evidence.has(names.SEALED):
            raise Unproved("there is a sealed copy that the receipt does not know")
        raise NotChecked(said("no-seal"))
    evidence.member(names.SEALED)
    return receipt


def seal_time(evidence: Evidence) -> Said:
    """The seal's own token covers the seal's signature value, which lies beside it for other tools."""
    _sealed_receipt(evidence)
    signature, token = evidence.member(names.SEAL_SIGNATURE), evidence.member(names.SEAL_TOKEN)
    report = evidence.signatures.check_token(token, signature)
    evidence.token_reports.append(report)
    seals = evidence.seal_reports
    if not seals:
        raise Unproved("the token holds, but the seal that it should belong to does not")
    same("signature value", names.SEAL_SIGNATURE, signature, seals[0].signature)
    same("token", names.SEAL_TOKEN, token, seals[0].token)
    return said("sealed-before", time=moment_text(report.time), tsa=report.tsa)


def certificates(evidence: Evidence) -> Said:
    """The certificates beside the evidence are those in it; and whose roots they chain to is said."""
    checks = evidence.signatures
    receipt = checks.check_jws(evidence.member(names.RECEIPT))
    seals = evidence.seal_reports
    sealing = {*receipt.certificates, *(der for one in seals for der in one.seal_certificates)}
    stamping = {
        *(der for one in evidence.token_reports for der in one.certificates),
        *(der for one in seals for der in one.tsa_certificates),
    }
    roots = set(checks.read_pem(evidence.member(names.ROOTS_PEM)))
    _listed(evidence, names.SEAL_PEM, known=sealing | roots, needed={receipt.certificates[0]})
    if evidence.has(names.TSA_PEM):
        signers = {one.certificates[0] for one in evidence.token_reports}
        _listed(evidence, names.TSA_PEM, known=stamping | roots, needed=signers)
    prints = ", ".join(checks.root_fingerprints)
    if not checks.roots_are_the_auditor_s:
        raise NotChecked(said("own-roots", prints=prints))
    return said("your-roots", prints=prints)


def _listed(evidence: Evidence, name: str, *, known: set[bytes], needed: set[bytes]) -> None:
    text = evidence.member(name)
    certificates = evidence.signatures.read_pem(text)
    if evidence.signatures.to_pem(certificates) != text:
        raise Unproved(f"{name} is not written as PEM is in a bundle")
    found = set(certificates)
    if not found <= known:
        raise Unproved(f"{name} holds a certificate that none of the signatures carries")
    if not needed <= found:
        raise Unproved(f"{name} lacks the signer's certificate")


def revocation(_: Evidence) -> Said:
    """Never checked here."""
    raise NotChecked(said("revocation"))


def retention_lock(_: Evidence) -> Said:
    """Never checked here."""
    raise NotChecked(said("store"))
