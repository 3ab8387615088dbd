"""The links that digests, the entry and the log make. Each returns what it found, or raises."""

from __future__ import annotations

from audit import names
from audit.checkpoints import Checkpoint
from audit.commitments import check_commitment
from audit.comparing import look, same, says
from audit.encodings import moment_text
from audit.errors import BrokenProof, Unproved
from audit.evidence import Evidence, NotChecked
from audit.merkle import check_inclusion, leaf_hash
from audit.receipts import ARCHIVED, REJECTED, Receipt
from audit.sentences import Said, said
from audit.tlog_proof import TlogProof

VERDICT_FORMAT = "archive-verdict/v1"
RECORD_FORMAT = "archive-record/v1"
ACTIONS = {ARCHIVED: ("deposit:archived", "record:revised"), REJECTED: ("deposit:rejected",)}


def manifest(evidence: Evidence) -> Said:
    """The members are those that the manifest lists (read_bundle saw to that), and the receipt is of them."""
    bundle, receipt = evidence.bundle, evidence.receipt
    same("outcome", "the manifest", bundle.outcome, receipt.outcome)
    same("deposit", "the manifest", bundle.deposit_id, receipt.deposit_id)
    return said("members", count=len(bundle.members), deposit=bundle.deposit_id, outcome=bundle.outcome)


def original_digest(evidence: Evidence) -> Said:
    """The original is the one that the receipt names."""
    receipt = evidence.receipt
    stated = receipt.original_sha256.hex()
    if receipt.outcome == REJECTED:
        raise NotChecked(said("not-kept", digest=stated))
    same("SHA-256", names.ORIGINAL, evidence.digest(names.ORIGINAL), receipt.original_sha256)
    same("size", names.ORIGINAL, len(evidence.member(names.ORIGINAL)), receipt.original_size)
    return said("digest", digest=stated, size=receipt.original_size)


def record(evidence: Evidence) -> Said:
    """The record's description is the one that the receipt names, and describes the same documents."""
    receipt = evidence.receipt
    if receipt.outcome == REJECTED:
        raise NotChecked(said("no-record"))
    same("SHA-256", names.RECORD, evidence.digest(names.RECORD), receipt.record_sha256)
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
    says(names.RECORD, value, expected)
    return said("kept-until", record=receipt.record_id, until=expected["retention.retain_until"])


def verdict(evidence: Evidence) -> Said:
    """The verdict is the one that the receipt names, is on this document, and decides as the receipt says."""
    receipt = evidence.receipt
    same("SHA-256", names.VERDICT, evidence.digest(names.VERDICT), receipt.verdict_sha256)
    value = evidence.json(names.VERDICT)
    expected: dict[str, object] = {
        "format": VERDICT_FORMAT,
        "deposit_id": str(receipt.deposit_id),
        "decision": "archive" if receipt.outcome == ARCHIVED else "reject",
        "problem.slug": receipt.problem,
        "original.sha256": receipt.original_sha256.hex(),
        "original.size": receipt.original_size,
    }
    revised = evidence.entry.action == "record:revised"
    if receipt.outcome == ARCHIVED and not revised:
        expected["pdfa.check.outcome"] = "conformant"
    says(names.VERDICT, value, expected)
    if receipt.problem is not None:
        return said("rejected", problem=receipt.problem)
    return said("revised") if revised else said("conformant", flavour=look(value, "pdfa.flavour"))


def entry_digest(evidence: Evidence) -> Said:
    """The entry is the one that the receipt names, and says the same."""
    receipt, entry = evidence.receipt, evidence.entry
    same("SHA-256", names.ENTRY, evidence.digest(names.ENTRY), receipt.entry_sha256)
    if entry.action not in ACTIONS[receipt.outcome]:
        raise Unproved(f"the entry says {entry.action}, the receipt {receipt.outcome}")
    if receipt.record_id is not None:
        same("subject", names.ENTRY, entry.subject, receipt.record_id)
    time = moment_text(entry.at)
    return said("entered", action=entry.action, time=time, digest=receipt.entry_sha256.hex())


def entry_commitments(evidence: Evidence) -> Said:
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
    return said("opened", fields=", ".join(sorted(fields)))


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


def inclusion(evidence: Evidence) -> Said:
    """The entry is in the log's tree, by its own proof and by the one in the receipt."""
    leaf = leaf_hash(evidence.member(names.ENTRY))
    checkpoint = _check_proof(evidence, evidence.proof, leaf)
    _check_proof(evidence, evidence.receipt_proof, leaf)
    return said("included", index=evidence.proof.index, size=checkpoint.size)


def _check_proof(evidence: Evidence, proof: TlogProof, leaf: bytes) -> Checkpoint:
    same("index", names.PROOF, proof.index, evidence.receipt.entry_index)
    checkpoint = evidence.open_checkpoint(proof.checkpoint)
    check_inclusion(
        leaf=leaf, index=proof.index, size=checkpoint.size, proof=proof.proof, root=checkpoint.root
    )
    return checkpoint


def checkpoint(evidence: Evidence) -> Said:
    """Every checkpoint is signed by the log's key, which is the receipt's; no two of one size differ."""
    same("log key", "log.vkey", evidence.vkey, evidence.receipt.log_vkey)
    same("log origin", "log.vkey", evidence.vkey.partition("+")[0], evidence.receipt.log_origin)
    notes = [evidence.proof.checkpoint, evidence.receipt_proof.checkpoint]
    if evidence.has(names.STATEMENT):
        notes.append(evidence.stamped_note)
    opened = [evidence.open_checkpoint(note) for note in notes]
    roots = {one.size: one.root for one in opened}
    if any(roots[one.size] != one.root for one in opened):
        raise BrokenProof("the log signed two different trees of the same size: it is forked")
    sizes = ", ".join(str(size) for size in sorted(roots))
    return said("checkpoints", origin=opened[0].origin, sizes=sizes)


def log_identity(evidence: Evidence) -> Said:
    """The log's key is the one that the auditor knows."""
    if evidence.known_vkey is None:
        raise NotChecked(said("no-known-key", vkey=evidence.vkey))
    same("log key", "log.vkey", evidence.vkey, evidence.known_vkey.strip())
    return said("known-key", vkey=evidence.vkey)
