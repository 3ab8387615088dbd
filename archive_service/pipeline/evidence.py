"""Put a deposit's evidence bundle together (ADR 0005): everything a stranger needs to check it without us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from asn1crypto import x509

from archive_service.model import ArchiveError, DepositState, Role
from archive_service.pipeline import documents
from archive_service.pipeline.ledger import Deposit, Inclusion
from archive_service.pipeline.log_tiles import LogTiles
from archive_service.pipeline.parts import Buckets
from archive_service.pipeline.stamps import Stamp
from archive_service.pipeline.vault import Vault
from audit import names
from audit.bundle import build_bundle
from audit.entries import decode_entry
from audit.salts import encode_salts
from audit.tiles import inclusion_proof
from audit.tlog_proof import format_proof
from signing.certificates import to_pem
from signing.cms_checks import open_cms
from signing.errors import TokenRefused
from signing.jades import certificates_of
from signing.pades import seal_material

_MEMBER_OF_ROLE = {
    Role.ORIGINAL: names.ORIGINAL,
    Role.SEALED: names.SEALED,
    Role.VERDICT: names.VERDICT,
    Role.RECORD: names.RECORD,
    Role.RECEIPT: names.RECEIPT,
}


class NotEndedYet(ArchiveError):
    """The deposit is under way: there is no receipt to prove anything with."""


class Stamps(Protocol):
    """The time evidence of the logs."""

    def covering(self, tenant: UUID, log_id: UUID, index: int) -> Stamp | None:
        """Return the first stamp whose checkpoint covers an entry; None until there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceBuilder:
    """Reads what is locked and published; signs nothing."""

    vault: Vault
    buckets: Buckets
    stamps: Stamps
    roots: tuple[x509.Certificate, ...]

    def build(self, deposit: Deposit) -> bytes:
        """Return the zip of a deposit that has ended. Raises NotEndedYet, and what the ports raise."""
        if deposit.state is DepositState.RECEIVED:
            raise NotEndedYet(str(deposit.deposit_id))
        roles = self.vault.ledger.objects(deposit.tenant_id, deposit.deposit_id)
        members = {
            _MEMBER_OF_ROLE[role]: self.vault.plain(deposit.tenant_id, deposit.deposit_id, role)
            for role in roles
        }
        if deposit.kind == "revision" and deposit.state is DepositState.ARCHIVED:
            members[names.ORIGINAL] = self.vault.plain(deposit.tenant_id, deposit.record_id, Role.ORIGINAL)
        entry = self._entry(deposit)
        members |= self._log_members(deposit.tenant_id, entry)
        members |= self._certificates(members)
        committed = {commitment.field for commitment in decode_entry(entry.leaf).commitments}
        salts = self.vault.secrets(deposit.tenant_id, deposit.deposit_id).salts
        members[names.SALTS] = encode_salts({field: salts[field] for field in committed})
        return build_bundle(members, outcome=deposit.state.value, deposit_id=deposit.deposit_id)

    def _entry(self, deposit: Deposit) -> Inclusion:
        action = documents.outcome_action(deposit, deposit.state.value)
        entry = self.vault.ledger.entry(deposit.tenant_id, documents.entry_id(deposit, action))
        if entry is None:
            raise NotEndedYet(str(deposit.deposit_id))
        return entry

    def _log_members(self, tenant: UUID, entry: Inclusion) -> dict[str, bytes]:
        """Return entry, proof and key; where a checkpoint is stamped, the proof is against that one."""
        members = {
            names.ENTRY: entry.leaf,
            names.PROOF: entry.proof,
            names.VKEY: f"{entry.log.vkey}\n".encode(),
        }
        stamp = self.stamps.covering(tenant, entry.log.log_id, entry.index)
        if stamp is not None:
            tiles = LogTiles(self.vault.store, self.buckets, entry.log.log_id)
            proof = inclusion_proof(index=entry.index, size=stamp.size, read=tiles.read)
            members |= {
                names.PROOF: format_proof(index=entry.index, proof=proof, checkpoint=stamp.checkpoint),
                names.STATEMENT: stamp.statement,
                names.STATEMENT_TOKEN: stamp.token,
            }
        return members

    def _certificates(self, members: dict[str, bytes]) -> dict[str, bytes]:
        sealing = list(certificates_of(members[names.RECEIPT]))
        stamping: list[bytes] = []
        found = {names.ROOTS_PEM: to_pem(self.roots)}
        if names.SEALED in members:
            material = seal_material(members[names.SEALED])
            found |= {names.SEAL_SIGNATURE: material.signature, names.SEAL_TOKEN: material.token}
            sealing.extend(material.seal_certificates)
            stamping.extend(material.tsa_certificates)
        if names.STATEMENT_TOKEN in members:
            parts = open_cms(members[names.STATEMENT_TOKEN], refusal=TokenRefused)
            stamping.extend(one.dump() for one in (parts.signer, *parts.others))
        found[names.SEAL_PEM] = _pem(sealing)
        if stamping:
            found[names.TSA_PEM] = _pem(stamping)
        return found


def _pem(certificates: list[bytes]) -> bytes:
    return to_pem(x509.Certificate.load(der) for der in dict.fromkeys(certificates))
