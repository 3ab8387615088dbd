"""The offline verifier on real seals, tokens and signatures: what holds, and that nothing changed passes."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from archive_service import verification
from archive_service.verification import verify, verify_file
from audit.bundle import read_bundle
from audit.canonical import canonical_json
from audit.notes import NoteSigner
from audit.salts import encode_salts, parse_salts
from audit.tiles import MemoryTiles
from audit.verify import CheckStatus, Report, verify_bundle
from signing.errors import CertificateRefused
from signing.jades import sign_compact

HELD, FAILED, NOT_CHECKED = CheckStatus.HELD, CheckStatus.FAILED, CheckStatus.NOT_CHECKED
EVIDENCE = [
    "original.pdf", "sealed.pdf", "verdict.json", "record.json", "receipt.jws", "salts.json", "entry.json",
    "entry.tlog-proof", "log.vkey", "checkpoint-statement.txt", "checkpoint-statement.tst",
    "seal-signature.bin", "seal-signature.tst", "certificates/seal.pem", "certificates/tsa.pem",
]  # fmt: skip


def check(made: Any, maker: Any, **changed: bytes | None) -> Report:
    """Verify a bundle with some members changed and its manifest made anew: what a forger would hand over."""
    return verify(read_bundle(made.zip(**changed)), roots=maker.roots, log_vkey=made.vkey)


def failures(report: Report) -> set[str]:
    """Return the names of the checks that failed, each of which must say what to do."""
    failed = [one for one in report.checks if one.status is FAILED]
    assert all(one.advice and one.detail for one in failed)
    assert report.held == (not failed)
    return {one.name for one in failed}


def test_a_good_bundle_holds(archived: Any, maker: Any) -> None:
    """With the auditor's roots and the log's known key, all is held that can be held offline."""
    report = check(archived, maker)
    assert report.held
    assert [one.name for one in report.not_checked] == ["revocation", "retention-lock"]


def test_a_good_bundle_of_a_rejection_holds(rejected: Any, maker: Any) -> None:
    """A rejection is proved too; what it cannot show (bytes, record, seal) is said."""
    report = check(rejected, maker)
    assert report.held
    open_ones = {"original-digest", "record", "seal", "seal-time", "revocation", "retention-lock"}
    assert {one.name for one in report.not_checked} == open_ones


def test_a_bundle_that_is_not_stamped_yet_says_so(maker: Any) -> None:
    """Without a checkpoint token the journal's time is not checked; the rest holds."""
    report = check(maker.archived("early", stamped=False), maker)
    assert report.held
    assert "checkpoint-time" in {one.name for one in report.not_checked}


def test_a_rejection_that_is_not_stamped_yet_says_so(maker: Any) -> None:
    """A bundle without any token needs no authority's certificates."""
    assert check(maker.rejected(stamped=False), maker).held


def test_a_record_without_a_sealed_copy_says_so(maker: Any) -> None:
    """A profile may ask for no seal: the checks of it are not made, and named."""
    report = check(maker.archived("unsealed", sealed=False), maker)
    assert report.held
    assert {"seal", "seal-time"} <= {one.name for one in report.not_checked}


def test_trust_in_the_bundle_s_own_roots_is_not_checked(archived: Any, tmp_path: Path) -> None:
    """Without roots from the auditor the report gives the fingerprints to compare, and leaves that open."""
    path = tmp_path / "evidence.zip"
    path.write_bytes(archived.zip())
    report = verify_file(path)
    certificates = next(one for one in report.checks if one.name == "certificates")
    roots = x509.load_pem_x509_certificates(archived.members["certificates/roots.pem"])
    assert report.held
    assert certificates.status is NOT_CHECKED
    assert sha256(roots[0].public_bytes(Encoding.DER)).hexdigest() in certificates.detail


def test_the_auditor_s_own_roots_decide(archived: Any, rejected: Any, maker: Any, tmp_path: Path) -> None:
    """Under roots that these certificates do not chain to, signature, seal and both tokens fail."""
    report = verify(read_bundle(archived.zip()), roots=(maker.key.certificate,), log_vkey=None)
    assert {"checkpoint-time", "seal", "seal-time"} <= failures(report)
    bundle, roots = tmp_path / "evidence.zip", tmp_path / "roots.pem"
    bundle.write_bytes(rejected.zip())
    roots.write_bytes(archived.members["certificates/roots.pem"])
    assert verify_file(bundle, roots, log_vkey=f"{rejected.vkey}\n").held
    roots.write_bytes(b"none")
    with pytest.raises(CertificateRefused):
        verify_file(bundle, roots)


def test_without_signature_checks_digests_and_log_still_hold(archived: Any) -> None:
    """``audit`` alone proves digests, inclusion and checkpoints, and names what it did not check."""
    report = verify_bundle(read_bundle(archived.zip()), signatures=None)
    assert report.held
    assert {one.name for one in report.checks if one.status is HELD} == {
        "manifest", "original-digest", "record", "verdict", "entry-digest", "entry-commitments", "inclusion",
        "checkpoint",
    }  # fmt: skip


# --- Forgeries ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVIDENCE)
def test_a_changed_byte_in_any_member_is_seen(archived: Any, maker: Any, name: str) -> None:
    """Change one byte at each of several places of a member, and the manifest to fit: something fails."""
    body = archived.members[name]
    places = {0, len(body) // 3, len(body) // 2, 2 * len(body) // 3, len(body) - 1}
    for at in places:
        spoiled = body[:at] + bytes([body[at] ^ 0x01]) + body[at + 1 :]
        assert failures(check(archived, maker, **{name: spoiled})), at


@pytest.mark.parametrize("name", EVIDENCE)
def test_a_member_cut_short_or_grown_is_seen(archived: Any, maker: Any, name: str) -> None:
    """Empty, without its last byte, or with bytes after it: something fails."""
    body = archived.members[name]
    for spoiled in (b"", body[:-1], body + b"\n"):
        assert failures(check(archived, maker, **{name: spoiled})), len(spoiled)


SWAPPED = {
    "original.pdf": {"original-digest", "entry-commitments", "seal"},
    "sealed.pdf": {"entry-commitments", "seal", "seal-time"},
    "verdict.json": {"verdict", "entry-commitments"},
    "record.json": {"record", "entry-commitments"},
    "receipt.jws": {"manifest", "original-digest", "record", "verdict", "entry-digest", "inclusion", "seal"},
    "salts.json": {"entry-commitments"},
    "entry.json": {"entry-digest", "entry-commitments", "inclusion"},
    "entry.tlog-proof": {"inclusion"},
    "checkpoint-statement.txt": {"checkpoint-time"},
    "checkpoint-statement.tst": {"checkpoint-time"},
    "seal-signature.bin": {"seal-time"},
    "seal-signature.tst": {"seal-time"},
}


@pytest.mark.parametrize("name", SWAPPED)
def test_a_member_of_another_record_is_seen(archived: Any, other: Any, maker: Any, name: str) -> None:
    """Put a genuine member of another record, of the same archive, in: the links to it fail by name."""
    report = check(archived, maker, **{name: other.members[name]})
    assert SWAPPED[name] <= failures(report)


def test_a_token_and_its_statement_of_a_later_tree(archived: Any, other: Any, maker: Any) -> None:
    """A stamped later checkpoint is not called a proof of time for this entry until consistency is shown."""
    names = ("checkpoint-statement.txt", "checkpoint-statement.tst")
    report = check(archived, maker, **{name: other.members[name] for name in names})
    assert report.held
    assert "checkpoint-time" in {one.name for one in report.not_checked}


def test_a_token_and_its_statement_of_an_earlier_tree(archived: Any, other: Any, maker: Any) -> None:
    """A checkpoint that was stamped before the entry came proves nothing about it: failed."""
    names = ("checkpoint-statement.txt", "checkpoint-statement.tst")
    report = check(other, maker, **{name: archived.members[name] for name in names})
    assert failures(report) == {"checkpoint-time"}


def test_the_seal_of_another_document_whole(archived: Any, other: Any, maker: Any) -> None:
    """The other record's sealed copy with all that belongs to it still does not seal this original."""
    names = ("sealed.pdf", "seal-signature.bin", "seal-signature.tst")
    report = check(archived, maker, **{name: other.members[name] for name in names})
    assert {"seal", "seal-time", "entry-commitments"} <= failures(report)


def test_another_seal_of_the_same_document(archived: Any, maker: Any) -> None:
    """A second genuine seal over the same original is not the one that the receipt attests."""
    again = maker.seal(archived.members["original.pdf"])
    assert {"seal", "entry-commitments"} <= failures(check(archived, maker, **{"sealed.pdf": again}))


@pytest.mark.parametrize("group", [("sealed.pdf", "seal-signature.bin", "seal-signature.tst")])
def test_a_sealed_copy_that_was_left_out_is_seen(archived: Any, maker: Any, group: tuple[str, ...]) -> None:
    """The receipt names a sealed copy: without it nothing about the seal can hold."""
    assert {"seal", "seal-time"} <= failures(check(archived, maker, **dict.fromkeys(group)))


def test_a_log_under_another_key(archived: Any, maker: Any) -> None:
    """A log of the same name under a forger's key: the receipt and the auditor name another."""
    forger = NoteSigner(name="archive.example/logs/test", seed=bytes(32))
    report = check(archived, maker, **{"log.vkey": f"{forger.vkey}\n".encode()})
    assert {"checkpoint", "log-identity", "inclusion"} <= failures(report)
    details = {one.name: one.detail for one in report.checks}
    assert forger.vkey in details["checkpoint"]  # the two keys are named, before any signature is looked at


def test_a_forked_log_is_seen(pki: Any, maker: Any) -> None:
    """Two trees of one size under the log's key: whatever else holds, the fork is named."""
    fork = type(maker)(pki)
    first = fork.archived("first")
    fork.tiles, fork.size = MemoryTiles(), 0
    note = fork.append(first.members["entry.json"], b"an entry that the first tree does not have")
    report = check(first, fork, **{"entry.tlog-proof": fork.proof(0, note)})
    assert failures(report) >= {"checkpoint"}
    assert any("forked" in one.detail for one in report.checks)


@pytest.mark.parametrize(
    ("name", "change", "failing"),
    [
        ("verdict.json", {"decision": "reject"}, "verdict"),
        ("verdict.json", {"pdfa": {"flavour": "3b", "check": {"outcome": "could-not-run"}}}, "verdict"),
        ("verdict.json", {"original": {"sha256": "00" * 32, "size": 1}}, "verdict"),
        ("record.json", {"tenant": "other"}, "record"),
        ("record.json", {"retention": {"retain_until": "2027-01-01T00:00:00.000Z"}}, "record"),
        ("record.json", {"format": "archive-record/v2"}, "record"),
        ("record.json", {"sealed": None}, "record"),
    ],
)
def test_documents_that_say_something_else(
    archived: Any, maker: Any, name: str, change: dict[str, Any], failing: str
) -> None:
    """A verdict or a record that says otherwise than the receipt fails its own check."""
    value = json.loads(archived.members[name]) | change
    assert failing in failures(check(archived, maker, **{name: canonical_json(value)}))


def test_the_receipt_s_own_signature_is_of_a_receipt(archived: Any, maker: Any) -> None:
    """Another attestation signed by the same key, over the same content, does not pass for a receipt."""
    part = archived.members["receipt.jws"].split(b".")[1]
    payload = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    jws = sign_compact(payload, key=maker.key, at=maker.at, typ="something-else+jws")
    assert "receipt-signature" in failures(check(archived, maker, **{"receipt.jws": jws}))


def test_what_is_no_bundle_fails_and_what_is_not_there_raises(tmp_path: Path) -> None:
    """A file that is no bundle did not verify; a file that cannot be read is another matter."""
    path = tmp_path / "evidence.zip"
    path.write_bytes(b"PK\x03\x04 no zip")
    assert failures(verify_file(path)) == {"manifest"}
    with pytest.raises(FileNotFoundError):
        verify_file(tmp_path / "missing.zip")


def test_a_revision_of_the_metadata_holds(maker: Any) -> None:
    """A revision commits to original, verdict and record; it makes no new seal and no new PDF/A verdict."""
    report = check(maker.archived("revised", sealed=False, action="record:revised"), maker)
    assert report.held
    assert "seal" in {one.name for one in report.not_checked}


@pytest.mark.parametrize("action", ["deposit:rejected", "record:receipt_issued"])
def test_an_entry_that_says_something_else_is_seen(maker: Any, action: str) -> None:
    """The log says what became of the deposit, and the receipt must say the same."""
    report = check(maker.archived("contradicting", action=action), maker)
    assert "entry-digest" in failures(report)


def test_an_entry_that_commits_to_less_or_more_is_seen(maker: Any) -> None:
    """Each document must be committed to, and nothing that the bundle does not show."""
    less = check(maker.archived("less", without="record.json"), maker)
    assert failures(less) == {"entry-commitments"}
    more = check(maker.archived("more", extra={"receipt": bytes(32)}), maker)
    assert failures(more) == {"entry-commitments"}


def test_a_sealed_copy_that_the_receipt_does_not_know_is_seen(maker: Any) -> None:
    """Adding a seal to evidence that has none proves nothing."""
    made, donor = maker.archived("unsealed", sealed=False), maker.archived("donor")
    names = ("sealed.pdf", "seal-signature.bin", "seal-signature.tst")
    report = check(made, maker, **{name: donor.members[name] for name in names})
    assert {"seal", "seal-time"} <= failures(report)


def test_certificates_must_be_the_signers(archived: Any, other: Any, maker: Any) -> None:
    """A certificate beside the evidence that signed none of it, or the signer's left out: failed by name."""
    tsa = archived.members["certificates/tsa.pem"]
    for name in ("certificates/seal.pem", "certificates/tsa.pem"):
        wrong = archived.members["certificates/seal.pem"] if name.endswith("tsa.pem") else tsa
        assert failures(check(archived, maker, **{name: wrong})) == {"certificates"}
        roots = archived.members["certificates/roots.pem"]
        assert failures(check(archived, maker, **{name: roots})) == {"certificates"}


def test_unreadable_roots_in_the_bundle_are_seen(archived: Any, tmp_path: Path) -> None:
    """Without roots of their own the auditor needs the bundle's: if those are broken nothing can hold."""
    path = tmp_path / "evidence.zip"
    path.write_bytes(archived.zip(**{"certificates/roots.pem": b"none"}))
    assert failures(verify_file(path)) == {"certificates"}


def test_a_file_too_large_to_be_a_bundle_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound holds before memory is spent."""
    monkeypatch.setattr(verification, "MAX_BUNDLE_BYTES", 100)
    path = tmp_path / "evidence.zip"
    path.write_bytes(bytes(101))
    assert failures(verify_file(path)) == {"manifest"}


def test_a_certificate_too_many_is_seen(archived: Any, maker: Any) -> None:
    """Beside the signer's, a certificate that none of the signatures carries is not evidence: refused."""
    seal, tsa = (archived.members[f"certificates/{name}.pem"] for name in ("seal", "tsa"))
    for name, body in (("certificates/seal.pem", seal + tsa), ("certificates/tsa.pem", tsa + seal)):
        assert failures(check(archived, maker, **{name: body})) == {"certificates"}


def test_a_genuine_token_over_another_signature_is_seen(archived: Any, other: Any, maker: Any) -> None:
    """Signature value and token of another seal fit one another, but not this sealed copy."""
    names = ("seal-signature.bin", "seal-signature.tst")
    report = check(archived, maker, **{name: other.members[name] for name in names})
    assert failures(report) == {"seal-time"}


def test_another_genuine_token_over_the_seal_is_seen(archived: Any, maker: Any) -> None:
    """A token got later over the same signature value is not the one that the sealed copy holds."""
    imprint = sha256(archived.members["seal-signature.bin"]).digest()
    report = check(archived, maker, **{"seal-signature.tst": maker.stamper.stamp(imprint).der})
    assert failures(report) == {"seal-time"}


def test_a_salt_too_many_is_seen(archived: Any, maker: Any) -> None:
    """The salts are those of this entry's commitments and of nothing else."""
    salts = parse_salts(archived.members["salts.json"]) | {"receipt": bytes(32)}
    assert failures(check(archived, maker, **{"salts.json": encode_salts(salts)})) == {"entry-commitments"}


def test_a_receipt_whose_own_proof_does_not_hold_is_seen(maker: Any) -> None:
    """The proof that the archive signed must hold as well as the one beside it: else it promised falsely."""
    report = check(maker.archived("false promise", promise=bytes(32)), maker)
    assert failures(report) == {"inclusion"}
