"""Vectors for the log and its formats. Provenance: ``tests/vectors/audit/generate`` (Go)."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import Any
from uuid import UUID, uuid4

import pytest
from fpdf import FPDF

from archive_service.adapters.embedded.pki import Pki
from archive_service.adapters.tsa import HttpTsa
from audit.bundle import build_bundle
from audit.canonical import canonical_json
from audit.checkpoints import Checkpoint, sign_checkpoint
from audit.commitments import commit
from audit.entries import Commitment, Entry, EntryObject, encode_entry
from audit.notes import NoteSigner
from audit.receipts import Receipt, encode_receipt
from audit.salts import encode_salts
from audit.statements import statement
from audit.tiles import MemoryTiles, grow, inclusion_proof
from audit.tlog_proof import format_proof
from signing.certificates import load_pem, to_pem
from signing.jades import sign_compact
from signing.keys import FileKey
from signing.pades import seal, seal_material
from signing.timestamps import Timestamper
from signing.tokens import UnverifiedToken

VECTORS = Path(__file__).parents[2] / "vectors" / "audit" / "vectors.json"


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """What Go's implementations said."""
    result: dict[str, Any] = json.loads(VECTORS.read_text())
    return result


@pytest.fixture(scope="session")
def big_log() -> MemoryTiles:
    """The vectors' log of 70,000 entries, grown in batches that end on and off tile edges."""
    tiles, size = MemoryTiles(), 0
    for upto in (1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 257, 511, 512, 513, 1000, 65535, 65536, 69999, 70000):
        entries = [b"entry %d" % index for index in range(size, upto)]
        growth = grow(size=size, entries=entries, read=tiles.read)
        tiles.add(*growth.tiles)
        size = growth.size
    return tiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A bundle's members as the archive would make them, with what a test may want to change."""

    members: dict[str, bytes]
    outcome: str
    deposit_id: UUID
    vkey: str

    def zip(self, **changed: bytes | None) -> bytes:
        """Return the bundle, some members replaced or (None) left out, manifest made anew."""
        members = {**self.members, **changed}
        kept = {name: body for name, body in members.items() if body is not None}
        return build_bundle(kept, outcome=self.outcome, deposit_id=self.deposit_id)


class Maker:
    """Makes evidence with real keys, seals and tokens, on a log of its own."""

    def __init__(self, pki: Pki) -> None:
        self.roots = load_pem(pki.roots)
        self.key = FileKey.load(pki.key("seal"), pki.seal_certificates)
        self.stamper = Timestamper(urls=(pki.tsa_url,), transport=HttpTsa(), roots=self.roots)
        self.signer = NoteSigner(name="archive.example/logs/test", seed=bytes(range(32)))
        self.tiles, self.size = MemoryTiles(), 0
        self.at = datetime.now(UTC).replace(microsecond=0)

    def append(self, *leaves: bytes) -> bytes:
        """Put entries into the log; return the checkpoint."""
        growth = grow(size=self.size, entries=leaves, read=self.tiles.read)
        self.tiles.add(*growth.tiles)
        self.size = growth.size
        head = Checkpoint(origin=self.signer.name, size=growth.size, root=growth.root)
        return sign_checkpoint(head, self.signer)

    def archived(
        self,
        text: str,
        *,
        stamped: bool = True,
        sealed: bool = True,
        action: str = "deposit:archived",
        without: str | None = None,
        extra: dict[str, bytes] | None = None,
        promise: bytes | None = None,
    ) -> Made:
        """Return evidence of an archived document.

        ``without``, ``extra``: what is committed to; ``promise``: a hash for the receipt's own proof.
        """
        pdf = FPDF(enforce_compliance="PDF/A-3B")
        pdf.set_title(text)
        pdf.add_page()
        original = bytes(pdf.output())
        deposit, record_id = uuid4(), uuid4()
        copy = self.seal(original) if sealed else None
        conformant = {"flavour": "3b", "check": {"outcome": "conformant"}}
        verdict = canonical_json(
            {
                "format": "archive-verdict/v1",
                "deposit_id": str(deposit),
                "decision": "archive",
                "problem": None,
                "original": {"sha256": sha256(original).hexdigest(), "size": len(original)},
                "pdfa": None if action == "record:revised" else conformant,
            }
        )
        kept_until = datetime(2036, 12, 31, 23, tzinfo=UTC)
        record = canonical_json(
            {
                "format": "archive-record/v1",
                "record_id": str(record_id),
                "deposit_id": str(deposit),
                "tenant": "acme",
                "original": {"sha256": sha256(original).hexdigest(), "size": len(original)},
                "sealed": {"sha256": sha256(copy).hexdigest()} if copy else None,
                "verdict_sha256": sha256(verdict).hexdigest(),
                "retention": {"retain_until": "2036-12-31T23:00:00.000Z"},
            }
        )
        documents = {"original": original, "verdict": verdict, "record.json": record}
        files = {"original.pdf": original, "verdict.json": verdict, "record.json": record}
        if copy:
            documents["sealed"] = files["sealed.pdf"] = copy
            material = seal_material(copy)
            files["seal-signature.bin"], files["seal-signature.tst"] = material.signature, material.token
        digests = {field: sha256(body).digest() for field, body in documents.items()}
        receipt = {
            "outcome": "archived",
            "deposit_id": deposit,
            "record_id": record_id,
            "original_size": len(original),
            "sealed_sha256": digests.get("sealed"),
            "seal_level": "PAdES B-T" if copy else None,
            "not_qualified": ("seal key", "time-stamping authority"),
            "record_sha256": digests["record.json"],
            "retain_until": kept_until,
            "problem": None,
        }
        digests = {field: value for field, value in digests.items() if field != without} | (extra or {})
        return self._evidence(action, record_id, digests, receipt, files, stamped=stamped, promise=promise)

    def rejected(self, *, stamped: bool = True) -> Made:
        """Return evidence of a rejected document."""
        original, deposit = b"%PDF-1.7 not PDF/A", uuid4()
        verdict = canonical_json(
            {
                "format": "archive-verdict/v1",
                "deposit_id": str(deposit),
                "decision": "reject",
                "problem": {"slug": "not-pdfa"},
                "original": {"sha256": sha256(original).hexdigest(), "size": len(original)},
                "pdfa": {"flavour": None, "check": {"outcome": "non-conformant"}},
            }
        )
        digests = {"original": sha256(original).digest(), "verdict": sha256(verdict).digest()}
        receipt = {
            "outcome": "rejected",
            "deposit_id": deposit,
            "record_id": None,
            "original_size": len(original),
            "sealed_sha256": None,
            "seal_level": None,
            "not_qualified": (),
            "record_sha256": None,
            "retain_until": None,
            "problem": "not-pdfa",
        }
        files = {"verdict.json": verdict}
        return self._evidence("deposit:rejected", uuid4(), digests, receipt, files, stamped=stamped)

    def seal(self, pdf: bytes) -> bytes:
        """Return a sealed copy."""
        return seal(pdf, key=self.key, timestamper=self.stamper, at=self.at, reason="Deposit").pdf

    def _evidence(
        self,
        action: str,
        subject: UUID,
        digests: dict[str, bytes],
        receipt: dict[str, Any],
        files: dict[str, bytes],
        *,
        stamped: bool,
        promise: bytes | None = None,
    ) -> Made:
        salts = {field: token_bytes(32) for field in digests}
        entry = Entry(
            entry_id=uuid4(),
            at=self.at,
            action=action,
            subject=subject,
            agent=token_bytes(16).hex(),
            objects=(EntryObject(role="verdict", sha256=token_bytes(32), version_id="v1", size=1234),),
            commitments=tuple(
                Commitment(field=field, value=commit(field=field, salt=salts[field], digest=digest))
                for field, digest in digests.items()
            ),
        )
        leaf, index = encode_entry(entry), self.size
        note = self.append(leaf, b"another entry")
        proof = self.proof(index, note)
        lines = proof.decode().split("\n")
        if promise is not None:
            lines[2] = b64encode(promise).decode()
        payload = encode_receipt(
            Receipt(
                receipt_id=uuid4(),
                tenant="acme",
                received_at=self.at,
                issued_at=self.at,
                original_sha256=digests["original"],
                verdict_sha256=digests["verdict"],
                log_origin=self.signer.name,
                log_vkey=self.signer.vkey,
                entry_sha256=sha256(leaf).digest(),
                entry_index=index,
                inclusion="\n".join(lines),
                **receipt,
            )
        )
        members = {
            **files,
            "receipt.jws": sign_compact(payload, key=self.key, at=self.at, typ="archive-receipt+jws"),
            "salts.json": encode_salts(salts),
            "entry.json": leaf,
            "entry.tlog-proof": proof,
            "log.vkey": f"{self.signer.vkey}\n".encode(),
            "certificates/seal.pem": to_pem((self.key.certificate, *self.key.chain)),
            "certificates/roots.pem": to_pem(self.roots),
        }
        tokens = [members["seal-signature.tst"]] if "seal-signature.tst" in members else []
        if stamped:
            text, token = self.stamp(note)
            members |= {"checkpoint-statement.txt": text, "checkpoint-statement.tst": token}
            tokens.append(token)
        if tokens:
            certificates = UnverifiedToken(tokens[0]).verify(
                digest=self._imprint(members), nonce=None, roots=self.roots
            )
            members["certificates/tsa.pem"] = to_pem(certificates.certificates)
        return Made(
            members=members,
            outcome=str(receipt["outcome"]),
            deposit_id=receipt["deposit_id"],
            vkey=self.signer.vkey,
        )

    @staticmethod
    def _imprint(members: dict[str, bytes]) -> bytes:
        covered = members.get("seal-signature.bin") or members["checkpoint-statement.txt"]
        return sha256(covered).digest()

    def proof(self, index: int, note: bytes) -> bytes:
        """Return an entry's tlog-proof against the newest checkpoint."""
        path = inclusion_proof(index=index, size=self.size, read=self.tiles.read)
        return format_proof(index=index, proof=path, checkpoint=note)

    def stamp(self, note: bytes) -> tuple[bytes, bytes]:
        """Return a checkpoint's statement and a token over it."""
        text = statement(checkpoint=note, previous_token_sha256=None)
        return text, self.stamper.stamp(sha256(text).digest()).der


@pytest.fixture(scope="session")
def maker(pki: Pki) -> Maker:
    """Make evidence with the development PKI."""
    return Maker(pki)


@pytest.fixture(scope="session")
def archived(maker: Maker) -> Made:
    """Evidence of an archived invoice: sealed, stamped."""
    return maker.archived("Facture 2026-001")


@pytest.fixture(scope="session")
def other(maker: Maker) -> Made:
    """Evidence of another invoice in the same log, under the same keys."""
    return maker.archived("Facture 2026-002")


@pytest.fixture(scope="session")
def rejected(maker: Maker) -> Made:
    """Evidence of a rejection."""
    return maker.rejected()
