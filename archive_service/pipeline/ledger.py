"""What the pipeline makes durable in the database, as a port. Every method is one transaction."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from archive_service.model import ArchiveError, DepositState, Metadata, Profile, Role, StoredVersion
from archive_service.pipeline.forms import JsonObject

Kind = Literal["document", "revision", "refusal"]


class UnknownDeposit(ArchiveError):
    """This tenant has no such deposit."""


class KeyReused(ArchiveError):
    """The idempotency key was used before, for another document or other metadata."""


class StillUnderWay(ArchiveError):
    """A deposit that this one would have to wait for has not ended yet."""

    def __init__(self, deposit_id: UUID) -> None:
        super().__init__(str(deposit_id))
        self.deposit_id = deposit_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a deposit ends rejected: a stable slug, and what fills its sentence."""

    slug: str
    arguments: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeposit:
    """A deposit whose bytes are durable in staging (or, for a refusal, were only hashed)."""

    deposit_id: UUID
    tenant_id: UUID
    kind: Kind
    client: str
    agent: str
    sha256: bytes
    size: int
    file_name: str | None
    sent: JsonObject
    fingerprint: bytes
    received_at: datetime
    idempotency_key: str | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """One deposit as it stands. ``record_id`` is its own identifier, or the record that it revises."""

    deposit_id: UUID
    tenant_id: UUID
    record_id: UUID
    kind: Kind
    agent: str
    state: DepositState
    sha256: bytes
    size: int
    file_name: str | None
    sent: JsonObject
    received_at: datetime
    ended_at: datetime | None
    problem: Problem | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What ``receive`` answers. ``replayed``: the key or the bytes were known, nothing new was begun."""

    deposit: Deposit
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """A locked object with the digest of what it encrypts."""

    role: Role
    version: StoredVersion
    plain_sha256: bytes
    plain_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """An entry on its way into a log. The first line with an ``entry_id`` stays; a second changes nothing."""

    entry_id: UUID
    subject: UUID
    action: str
    leaf: bytes
    created_at: datetime


class LogKind(enum.StrEnum):
    """Which log: what happened to a tenant's records, or to the service."""

    LIFE_CYCLE = "life-cycle"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIdentity:
    """A log as strangers know it: its origin and the key that its checkpoints are checked with."""

    log_id: UUID
    origin: str
    vkey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFacts:
    """A tenant with its profile in force, its wrapped key and its life-cycle log."""

    tenant_id: UUID
    slug: str
    profile: Profile
    wrapped_key: bytes
    log: LogIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """Where an entry stands in its log, and the tlog-proof against the checkpoint that first held it."""

    log: LogIdentity
    index: int
    leaf: bytes
    proof: bytes


class Ledger(Protocol):
    """Deposits, their steps, and what they leave behind. All methods see one tenant only."""

    def receive(self, new: NewDeposit) -> Reception:
        """Record a deposit and defer its job, in one transaction; or find the one that it repeats.

        Raises KeyReused (same key, other fingerprint), StillUnderWay (same key or same bytes in flight
        and this caller cannot share it).
        """

    def deposit(self, tenant: UUID, deposit_id: UUID) -> Deposit:
        """Raise UnknownDeposit or return it as it stands."""

    def knows(self, tenant: UUID, deposit_id: UUID) -> bool:
        """Say whether a deposit was recorded."""

    def tenant(self, tenant: UUID) -> TenantFacts:
        """Return the tenant's profile in force, wrapped key and log."""

    def outputs(self, tenant: UUID, deposit_id: UUID) -> dict[str, JsonObject]:
        """Return the outputs of the steps that are done."""

    def keep(self, tenant: UUID, deposit_id: UUID, step: str, output: JsonObject) -> JsonObject:
        """Keep a step's output once. Returns what is kept: another's, if another was first."""

    def count_attempt(self, tenant: UUID, deposit_id: UUID) -> int:
        """Count one more validation that could not run because of this document; return how many."""

    def claim_number(self, deposit: Deposit, *, seller: str, year: int, number: str) -> UUID:
        """Claim a number for a deposit; return whose it is: this deposit's or an earlier one's."""

    def keep_secrets(self, tenant: UUID, deposit_id: UUID, wrapped: bytes) -> bytes:
        """Keep wrapped secrets once. Returns what is kept."""

    def secrets(self, tenant: UUID, deposit_id: UUID) -> bytes:
        """Return the wrapped secrets. Raises UnknownDeposit."""

    def keep_objects(self, tenant: UUID, deposit_id: UUID, objects: tuple[StoredObject, ...]) -> None:
        """Note locked objects by version; noting one again changes nothing."""

    def extend_objects(self, tenant: UUID, deposit_id: UUID, retain_until: datetime) -> None:
        """Note that a record's locks were moved to ``retain_until``, where they ended earlier."""

    def objects(self, tenant: UUID, deposit_id: UUID) -> dict[Role, StoredObject]:
        """Return the locked objects of a deposit."""

    def enter(
        self,
        deposit: Deposit,
        line: JournalLine,
        *,
        metadata: Metadata | None,
        retain_until: datetime | None,
    ) -> None:
        """Put an entry in the tenant's life-cycle log and, with it, the record or its new revision."""

    def entry(self, tenant: UUID, entry_id: UUID) -> Inclusion | None:
        """Return where a published entry stands; None while it is on its way."""

    def close(
        self,
        deposit: Deposit,
        *,
        state: DepositState,
        problem: Problem | None,
        line: JournalLine,
        at: datetime,
    ) -> None:
        """End a deposit, enter its receipt in the log, give up claims of a rejected one. Idempotent."""
