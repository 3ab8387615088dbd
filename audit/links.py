"""The links of an evidence bundle, each a function that returns what it found or raises (see ``verify``)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from audit import names
from audit.checkpoints import Checkpoint
from audit.commitments import check_commitment
from audit.encodings import moment_text
from audit.errors import BrokenProof, Unproved
from audit.evidence import Evidence, NotChecked
from audit.merkle import check_inclusion, leaf_hash
from audit.receipts import ARCHIVED, REJECTED, Receipt
from audit.tlog_proof import TlogProof

VERDICT_FORMAT = "archive-verdict/v1"
RECORD_FORMAT = "archive-record/v1"
ACTIONS = {ARCHIVED: ("deposit:archived", "record:revised"), REJECTED: ("deposit:rejected",)}


def manifest(evidence: Evidence) -> str:
    """The members are those that the manifest lists (read_bundle saw to that), and the receipt is of them."""
    bundle, receipt = evidence.bundle, evidence.receipt
    _same("outcome", "the manifest", bundle.outcome, receipt.outcome)
    _same("deposit", "the manifest", bundle.deposit_id, receipt.deposit_id)
    return f"{len(bundle.members)} members; deposit {bundle.deposit_id} {bundle.outcome}"


def original_digest(evidence: Evidence) -> str:
    """The original is the one that the receipt names."""
    receipt = evidence.receipt
    stated = receipt.original_sha256.hex()
    if receipt.outcome == REJECTED:
        raise NotChecked(f"the bytes of a rejected document are not kept; theirs was SHA-256 {stated}")
    _same("SHA-256", names.ORIGINAL, evidence.digest(names.ORIGINAL), receipt.original_sha256)
    _same("size", names.ORIGINAL, len(evidence.member(names.ORIGINAL)), receipt.original_size)
    return f"SHA-256 {stated}, {receipt.original_size} bytes"


def record(evidence: Evidence) -> str:
    """The record's description is the one that the receipt names, and describes the same documents."""
    receipt = evidence.receipt
    if receipt.outcome == REJECTED:
        raise NotChecked("a rejected deposit makes no record")
    _same("SHA-256", names.RECORD, evidence.digest(names.RECORD), receipt.record_sha256)
    value = evidence.json(names.RECORD)
    expected = {
        "format": RECORD_FORMAT,
        "record_id": str(receipt.record_id),
        "deposit_id": str(receipt.deposit_id),
        "tenant": receipt.tenant,
        "verdict_sha256": receipt.verdict_sha256.hex(),
        "original.sha256": receipt.original_sha256.hex(),
        "original.size": receipt.original_size,
        "sealed.sha256": receipt.sealed_sha256.hex() if receipt.sealed_sha256 else None,
        "retention.retain_until": moment_text(receipt.retain_until) if receipt.retain_until else None,
    }
    _says(names.RECORD, value, expected)
    return f"record {receipt.record_id}, kept until {expected['retention.retain_until']}"


def verdict(evidence: Evidence) -> str:
    """The verdict is the one that the receipt names, is on this document, and decides as the receipt says."""
    receipt = evidence.receipt
    _same("SHA-256", names.VERDICT, evidence.digest(names.VERDICT), receipt.verdict_sha256)
    value = evidence.json(names.VERDICT)
    expected: dict[str, object] = {
        "format": VERDICT_FORMAT,
        "deposit_id": str(receipt.deposit_id),
        "decision": "archive" if receipt.outcome == ARCHIVED else "reject",
        "problem.slug": receipt.problem,
        "original.sha256": receipt.original_sha256.hex(),
        "original.size": receipt.original_size,
    }
    if receipt.outcome == ARCHIVED and evidence.entry.action == "deposit:archived":
        expected["pdfa.check.outcome"] = "conformant"  # a revision changes metadata only: no new check
    _says(names.VERDICT, value, expected)
    flavour = _look(value, "pdfa.flavour")
    return f"conformant, PDF/A {flavour}" if receipt.problem is None else f"rejected: {receipt.problem}"


def receipt_signature(evidence: Evidence) -> str:
    """The receipt is signed."""
    report = evidence.signatures.check_jws(evidence.member(names.RECEIPT))
    _same("content", names.RECEIPT, report.payload, evidence.payload)
    return f"by {report.signer}, who says {moment_text(report.signed_at)}"


def entry_digest(evidence: Evidence) -> str:
    """The entry is the one that the receipt names, and says the same."""
    receipt, entry = evidence.receipt, evidence.entry
    _same("SHA-256", names.ENTRY, evidence.digest(names.ENTRY), receipt.entry_sha256)
    if entry.action not in ACTIONS[receipt.outcome]:
        raise Unproved(f"the entry says {entry.action}, the receipt {receipt.outcome}")
    if receipt.record_id is not None:
        _same("subject", names.ENTRY, entry.subject, receipt.record_id)
    return f"{entry.action} at {moment_text(entry.at)}, SHA-256 {receipt.entry_sha256.hex()}"


def entry_commitments(evidence: Evidence) -> str:
    """Each salt opens each of the entry's commitments to the digest of the member that it is about."""
    receipt, entry, salts = evidence.receipt, evidence.entry, evidence.salts
    digests = _committed(evidence)
    fields = {item.field for item in entry.commitments}
    if missing := _must_commit(receipt, entry.action) - fields:
        raise Unproved(f"the entry does not commit to {', '.join(sorted(missing))}")
    if unknown := fields - set(digests):
        raise Unproved(f"the entry commits to {', '.join(sorted(unknown))}, which the bundle does not hold")
    if set(salts) != fields:
        raise Unproved("the salts are not those of the entry's commitments")
    for item in entry.commitments:
        check_commitment(
            field=item.field,
            salt=salts[item.field],
            digest=digests[item.field],
            commitment=item.value,
        )
    return f"opened: {', '.join(sorted(fields))}"


def _committed(evidence: Evidence) -> dict[str, bytes]:
    """The digests that commitments may open to. Of a rejected document the receipt alone has the digest."""
    digests = {"verdict": evidence.digest(names.VERDICT), "original": evidence.receipt.original_sha256}
    for field, name in (
        ("original", names.ORIGINAL),
        ("sealed", names.SEALED),
        ("record.json", names.RECORD),
    ):
        if evidence.has(name):
            digests[field] = evidence.digest(name)
    return digests


def _must_commit(receipt: Receipt, action: str) -> set[str]:
    fields = {"original", "verdict"}
    if receipt.outcome == ARCHIVED:
        fields.add("record.json")
    if receipt.sealed_sha256 is not None and action == "deposit:archived":
        fields.add("sealed")
    return fields


def inclusion(evidence: Evidence) -> str:
    """The entry is in the log's tree, by its own proof and by the one in the receipt."""
    leaf = leaf_hash(evidence.member(names.ENTRY))
    checkpoint = _check_proof(evidence, evidence.proof, leaf)
    _check_proof(evidence, evidence.receipt_proof, leaf)
    return f"entry {evidence.proof.index} of {checkpoint.size}"


def _check_proof(evidence: Evidence, proof: TlogProof, leaf: bytes) -> Checkpoint:
    _same("index", names.PROOF, proof.index, evidence.receipt.entry_index)
    checkpoint = evidence.open_checkpoint(proof.checkpoint)
    check_inclusion(
        leaf=leaf, index=proof.index, size=checkpoint.size, proof=proof.proof, root=checkpoint.root
    )
    return checkpoint


def checkpoint(evidence: Evidence) -> str:
    """Every checkpoint is signed by the log's key, which is the receipt's; no two of one size differ."""
    _same("log key", "log.vkey", evidence.vkey, evidence.receipt.log_vkey)
    _same("log origin", "log.vkey", evidence.vkey.partition("+")[0], evidence.receipt.log_origin)
    notes = [evidence.proof.checkpoint, evidence.receipt_proof.checkpoint]
    if evidence.has(names.STATEMENT):
        notes.append(evidence.stamped_note)
    opened = [evidence.open_checkpoint(note) for note in notes]
    roots = {one.size: one.root for one in opened}
    if any(roots[one.size] != one.root for one in opened):
        raise BrokenProof("the log signed two different trees of the same size: it is forked")
    sizes = ", ".join(str(size) for size in sorted(roots))
    return f"{opened[0].origin}, {sizes} entries"


def log_identity(evidence: Evidence) -> str:
    """The log's key is the one that the auditor knows."""
    if evidence.known_vkey is None:
        raise NotChecked(f"no known log key was given to compare with {evidence.vkey}")
    _same("log key", "log.vkey", evidence.vkey, evidence.known_vkey.strip())
    return evidence.vkey


def checkpoint_time(evidence: Evidence) -> str:
    """A time-stamp token covers a statement that names a checkpoint which contains the entry."""
    note = evidence.stamped_note
    stamped = evidence.open_checkpoint(note)
    report = evidence.signatures.check_token(
        evidence.member(names.STATEMENT_TOKEN), evidence.member(names.STATEMENT)
    )
    evidence.token_reports.append(report)
    index = evidence.receipt.entry_index
    if stamped.size <= index:
        raise Unproved(f"the stamped checkpoint has {stamped.size} entries: entry {index} came after it")
    proved = [evidence.open_checkpoint(proof.checkpoint) for proof in _proofs(evidence)]
    if stamped not in proved:
        raise NotChecked(
            f"a token of {moment_text(report.time)} covers a tree of {stamped.size} entries, but the bundle "
            f"proves the entry in one of {proved[0].size}; that one grew from the other was not checked"
        )
    return f"in the log before {moment_text(report.time)}, by the word of {report.tsa}"


def _proofs(evidence: Evidence) -> Iterable[TlogProof]:
    return (evidence.proof, evidence.receipt_proof)


def seal(evidence: Evidence) -> str:
    """The sealed copy is the receipt's, starts with the original, and its seal covers every byte of it."""
    receipt = _sealed_receipt(evidence)
    _same("SHA-256", names.SEALED, evidence.digest(names.SEALED), receipt.sealed_sha256)
    report = evidence.signatures.check_seal(evidence.member(names.SEALED), evidence.member(names.ORIGINAL))
    evidence.seal_reports.append(report)
    _same("level", names.SEALED, report.level, receipt.seal_level)
    return f"{report.level} by {report.signer}{_unqualified(receipt)}"


def _sealed_receipt(evidence: Evidence) -> Receipt:
    receipt = evidence.receipt
    if receipt.sealed_sha256 is None:
        if evidence.has(names.SEALED):
            raise Unproved("there is a sealed copy that the receipt does not know")
        raise NotChecked("there is no sealed copy: the receipt names none")
    evidence.member(names.SEALED)
    return receipt


def _unqualified(receipt: Receipt) -> str:
    return f" (not qualified: {', '.join(receipt.not_qualified)})" if receipt.not_qualified else ""


def seal_time(evidence: Evidence) -> str:
    """The seal's own token covers the seal's signature value, which lies beside it for other tools."""
    _sealed_receipt(evidence)
    signature, token = evidence.member(names.SEAL_SIGNATURE), evidence.member(names.SEAL_TOKEN)
    report = evidence.signatures.check_token(token, signature)
    evidence.token_reports.append(report)
    seals = evidence.seal_reports
    if not seals:
        raise Unproved("the token holds, but the seal that it should belong to does not")
    _same("signature value", names.SEAL_SIGNATURE, signature, seals[0].signature)
    _same("token", names.SEAL_TOKEN, token, seals[0].token)
    return f"sealed before {moment_text(report.time)}, by the word of {report.tsa}"


def certificates(evidence: Evidence) -> str:
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
        raise NotChecked(
            f"they chain to the bundle's own roots: compare SHA-256 {prints} with those you trust"
        )
    return f"they chain to your roots: SHA-256 {prints}"


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


def revocation(_: Evidence) -> str:
    """Never checked here."""
    raise NotChecked("whether certificates were revoked: only their issuers can say, over the network")


def retention_lock(_: Evidence) -> str:
    """Never checked here."""
    raise NotChecked("whether the store still holds and locks the objects: no file can prove that")


def _look(value: object, path: str) -> object:
    """Return what a dotted path leads to, None where it ends early."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _says(name: str, value: dict[str, object], expected: dict[str, object]) -> None:
    for path, wanted in expected.items():
        _same(path, name, _look(value, path), wanted)


def _same(what: str, where: str, found: object, expected: object) -> None:
    """Compare what a member is or says with what the receipt says of it. Raises Unproved."""
    if found != expected or type(found) is not type(expected):
        raise Unproved(f"{what} of {where} is {_shown(found)}, but should be {_shown(expected)}")


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 32 else f"SHA-256 {hashlib.sha256(value).hexdigest()}"
    return str(value)[:200]
