"""An evidence bundle's members, read when first asked for."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import cached_property

from audit import names
from audit.bundle import Bundle
from audit.canonical import read_json
from audit.checkpoints import Checkpoint, open_checkpoint
from audit.entries import Entry, decode_entry
from audit.errors import AuditError, Malformed
from audit.notes import NoteVerifier
from audit.receipts import Receipt, parse_receipt
from audit.reports import SealReport, SignatureChecks, TokenReport
from audit.salts import parse_salts
from audit.sentences import Said, said
from audit.statements import parse_statement
from audit.tlog_proof import TlogProof, parse_proof

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024  # verdict.json, record.json


class NotChecked(Exception):
    """A check was not made; ``why`` says so."""

    def __init__(self, why: Said) -> None:
        super().__init__(str(why))
        self.why = why


class Evidence:
    """The members as values. Each property raises AuditError when its member cannot be read."""

    def __init__(self, bundle: Bundle, signatures: SignatureChecks | None, known_vkey: str | None) -> None:
        self.bundle, self._signatures, self.known_vkey = bundle, signatures, known_vkey
        self.seal_reports: list[SealReport] = []
        self.token_reports: list[TokenReport] = []

    @property
    def signatures(self) -> SignatureChecks:
        """Who checks signatures. Raises NotChecked."""
        if self._signatures is None:
            raise NotChecked(said("no-means"))
        return self._signatures

    def member(self, name: str) -> bytes:
        """Return a member's bytes. Raises AuditError when it is absent."""
        if name not in self.bundle.members:
            raise AuditError(f"{name} is not in the bundle")
        return self.bundle.members[name]

    def has(self, name: str) -> bool:
        """Return whether a member is there."""
        return name in self.bundle.members

    def digest(self, name: str) -> bytes:
        """Return a member's SHA-256."""
        return hashlib.sha256(self.member(name)).digest()

    def json(self, name: str) -> dict[str, object]:
        """Return a member as a JSON object."""
        return read_json(self.member(name), limit=MAX_DOCUMENT_BYTES, decimals=True)

    @cached_property
    def payload(self) -> bytes:
        """The receipt's content; its signature is a check of its own."""
        parts = self.member(names.RECEIPT).split(b".")
        try:
            payload = base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4))
        except (IndexError, binascii.Error, ValueError):
            raise Malformed(f"{names.RECEIPT} is not a compact JWS") from None
        if len(parts) != 3:
            raise Malformed(f"{names.RECEIPT} is not a compact JWS")
        return payload

    @cached_property
    def receipt(self) -> Receipt:
        """What the archive attested."""
        return parse_receipt(self.payload)

    @cached_property
    def entry(self) -> Entry:
        """The journal entry."""
        return decode_entry(self.member(names.ENTRY))

    @cached_property
    def proof(self) -> TlogProof:
        """The entry's proof."""
        return parse_proof(self.member(names.PROOF))

    @cached_property
    def receipt_proof(self) -> TlogProof:
        """The proof that the receipt itself holds."""
        return parse_proof(self.receipt.inclusion.encode())

    @cached_property
    def salts(self) -> dict[str, bytes]:
        """The salts by field."""
        return parse_salts(self.member(names.SALTS))

    @cached_property
    def vkey(self) -> str:
        """The log's verifier key."""
        text = self.member(names.VKEY)
        if not text.isascii() or not text.endswith(b"\n"):
            raise Malformed(f"{names.VKEY} is not one line of ASCII")
        return text[:-1].decode("ascii")

    def open_checkpoint(self, note: bytes) -> Checkpoint:
        """Return a checkpoint that the log's key signed."""
        return open_checkpoint(note, NoteVerifier.from_vkey(self.vkey))

    @cached_property
    def stamped_note(self) -> bytes:
        """The checkpoint that the statement names. Raises NotChecked when none is stamped yet."""
        if not self.has(names.STATEMENT):
            raise NotChecked(said("not-stamped"))
        return parse_statement(self.member(names.STATEMENT)).checkpoint
