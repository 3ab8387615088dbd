"""Compare what the database says with what the store and the logs hold, object by object, entry by entry.

Finds and names; mends nothing. Every finding is a line: where, and what is wrong there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from archive_service.keys.errors import KeysError
from archive_service.model import DepositState, Role
from archive_service.pipeline import documents
from archive_service.pipeline.ledger import Deposit, LogIdentity, StoredObject, UnknownDeposit
from archive_service.pipeline.log_tiles import LogTiles, log_path
from archive_service.pipeline.parts import Buckets
from archive_service.pipeline.stamps import Stamp
from archive_service.pipeline.vault import Vault
from archive_service.ports import ObjectMissing
from audit.checkpoints import open_checkpoint
from audit.entries import Entry, decode_entry
from audit.errors import AuditError
from audit.fsck import check_log, check_stamps
from audit.notes import NoteVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class FsckFinding:
    """Something that is not as it must be."""

    place: str
    problem: str


class Inventory(Protocol):
    """What the database says there is."""

    def tenants(self) -> tuple[UUID, ...]:
        """Return every tenant."""

    def ended(self, tenant: UUID, before: datetime) -> Iterator[Deposit]:
        """Return the deposits that ended before a moment, the oldest first."""

    def record_ids(self, tenant: UUID, before: datetime) -> frozenset[UUID]:
        """Return the records that were acknowledged before a moment."""

    def log(self, tenant: UUID) -> LogIdentity:
        """Return the tenant's log."""

    def all_stamps(self, tenant: UUID, log_id: UUID) -> Iterator[Stamp]:
        """Return the log's stamps, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fsck:
    """Reads everything; changes nothing."""

    inventory: Inventory
    vault: Vault
    buckets: Buckets

    def run(self, *, before: datetime) -> Iterator[FsckFinding]:
        """Check every tenant: its log, its deposits with their objects, and that neither lacks the other.

        ``before``: deposits that ended later are left out. The entry of their receipt may still be waiting.
        """
        for tenant in self.inventory.tenants():
            entries: dict[UUID, Entry] = {}
            yield from self._check_log(tenant, entries)
            yield from self._check_tenant(tenant, entries, before)
            yield from self._check_versions(tenant)

    # --- The log --------------------------------------------------------------------------------

    def _check_log(self, tenant: UUID, entries: dict[UUID, Entry]) -> Iterator[FsckFinding]:
        log = self.inventory.log(tenant)
        place = f"logs/{log.log_id}"
        read = LogTiles(self.vault.store, self.buckets, log.log_id).read

        def visit(_: int, leaf: bytes) -> None:
            entry = decode_entry(leaf)
            entries[entry.entry_id] = entry

        try:
            note = self.vault.store.get(bucket=self.buckets.edge, path=log_path(log.log_id, "checkpoint"))
        except ObjectMissing:
            return  # a log without entries has no checkpoint; entries are missed where they are needed
        verifier = NoteVerifier.from_vkey(log.vkey)
        try:
            report = check_log(read=read, checkpoint=note, verifier=verifier, visit=visit)
        except AuditError as error:
            yield FsckFinding(place=place, problem=f"unreadable: {error}")
            return
        stamps = ((stamp.statement, stamp.token) for stamp in self.inventory.all_stamps(tenant, log.log_id))
        head = open_checkpoint(note, verifier)
        found = (*report.findings, *check_stamps(stamps=stamps, read=read, head=head, verifier=verifier))
        for item in found:
            yield FsckFinding(place=f"{place}/{item.place}", problem=item.problem)

    # --- Deposits and records -------------------------------------------------------------------

    def _check_tenant(
        self, tenant: UUID, entries: dict[UUID, Entry], before: datetime
    ) -> Iterator[FsckFinding]:
        archived: set[UUID] = set()
        expected: set[UUID] = set()
        for deposit in self.inventory.ended(tenant, before):
            if deposit.state is DepositState.ARCHIVED and deposit.kind == "document":
                archived.add(deposit.record_id)
            for action in (
                documents.outcome_action(deposit, deposit.state.value),
                "record:receipt_issued",
            ):
                entry_id = documents.entry_id(deposit, action)
                expected.add(entry_id)
                yield from self._check_entry(deposit, entries.get(entry_id), action)
            yield from self._check_objects(deposit)
        for record_id in archived ^ self.inventory.record_ids(tenant, before):
            yield FsckFinding(place=f"record {record_id}", problem="has no deposit, or its deposit no record")
        for entry in entries.values():
            if entry.action in _OUTCOMES and entry.at < before and entry.entry_id not in expected:
                yield FsckFinding(
                    place=f"entry {entry.entry_id}", problem=f"{entry.action} of no deposit that has ended"
                )

    def _check_entry(self, deposit: Deposit, entry: Entry | None, action: str) -> Iterator[FsckFinding]:
        place = f"deposit {deposit.deposit_id}"
        if entry is None:
            yield FsckFinding(place=place, problem=f"{action} is not in the published log")
            return
        objects = self.vault.ledger.objects(deposit.tenant_id, deposit.deposit_id)
        for item in entry.objects:
            known = objects.get(Role(item.role))
            if known is None or (known.version.version_id, known.version.sha256) != (
                item.version_id,
                item.sha256,
            ):
                yield FsckFinding(
                    place=place, problem=f"the journal names another version of {item.role} than the database"
                )

    def _check_objects(self, deposit: Deposit) -> Iterator[FsckFinding]:
        objects = self.vault.ledger.objects(deposit.tenant_id, deposit.deposit_id)
        wanted = {Role.VERDICT, Role.RECEIPT}
        if deposit.state is DepositState.ARCHIVED:
            wanted |= {Role.RECORD} | ({Role.ORIGINAL} if deposit.kind == "document" else set())
        for role in sorted(wanted - set(objects)):
            yield FsckFinding(place=f"deposit {deposit.deposit_id}", problem=f"{role} was never stored")
        for item in objects.values():
            problem = self._problem_of(deposit, item)
            if problem:
                yield FsckFinding(place=item.version.path, problem=problem)

    def _problem_of(self, deposit: Deposit, item: StoredObject) -> str | None:
        version = item.version
        try:
            stated = self.vault.store.stat(
                bucket=version.bucket, path=version.path, version_id=version.version_id
            )
            body = self.vault.store.get(
                bucket=version.bucket, path=version.path, version_id=version.version_id
            )
            plain = self.vault.plain(deposit.tenant_id, deposit.deposit_id, item.role)
        except ObjectMissing:
            return "the version is gone"
        except KeysError as error:
            return f"cannot be decrypted: {error}"
        except UnknownDeposit:
            return "its secrets are gone"
        if hashlib.sha256(body).digest() != version.sha256:
            return "the stored bytes changed"
        if hashlib.sha256(plain).digest() != item.plain_sha256:
            return "the decrypted bytes are others"
        return _lock_problem(stated.retain_until, version.retain_until)

    # --- Versions that nobody wrote -------------------------------------------------------------

    def _check_versions(self, tenant: UUID) -> Iterator[FsckFinding]:
        """S3 locks versions, not names: a later put, or a delete marker, hides the one that is locked."""
        seen: set[str] = set()
        for path, version_id, _, marker in self.vault.store.versions(
            bucket=self.buckets.records, prefix=f"tenants/{tenant}/"
        ):
            if marker:
                yield FsckFinding(place=path, problem=f"a delete marker hides it ({version_id})")
            elif path in seen:
                yield FsckFinding(place=path, problem=f"has more than one version ({version_id})")
            seen.add(path)


_OUTCOMES = frozenset({"deposit:archived", "deposit:rejected", "record:revised", "record:receipt_issued"})


def _lock_problem(stated: datetime | None, wanted: datetime | None) -> str | None:
    if wanted is not None and (stated is None or stated < wanted):
        return f"is locked until {stated}, and must be until {wanted}"
    return None
