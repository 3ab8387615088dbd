"""What the steps work with: the ports, joined once by ``main``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from archive_service.model import ArchiveError, Cause
from archive_service.pdf.guard import PdfReader
from archive_service.pipeline.ledger import Deposit, Inclusion, Ledger
from archive_service.pipeline.vault import TenantKeys, Vault
from archive_service.ports import ObjectStore, PdfaValidator, SchematronValidator, Staging
from signing.keys import KeyHandle
from signing.timestamps import Timestamper


class TryAgain(ArchiveError):
    """A step cannot end now, and nothing is wrong with the document: the job is tried again later."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause

    @classmethod
    def unavailable(cls, error: Exception) -> TryAgain:
        """A part outside does not answer."""
        return cls(Cause.UNAVAILABLE, str(error))


class EntryWaiter(Protocol):
    """Waits for the sequencer."""

    def wait(self, tenant: UUID, entry_id: UUID) -> Inclusion:
        """Return the entry once it is published. Raises TryAgain when that takes too long."""


class DepositWaiter(Protocol):
    """Waits for a deposit to end, for callers that asked to (RFC 7240 ``Prefer: wait``)."""

    def wait(self, deposit: Deposit, seconds: float) -> Deposit:
        """Return the deposit as it stands when it has ended or the time is over."""


class Health(Protocol):
    """What an operator asks the database."""

    def answers(self) -> bool:
        """Say whether a query comes back."""

    def deposits_by_state(self) -> dict[str, int]:
        """Count deposits, over all tenants."""

    def entries_waiting(self) -> int:
        """Count journal entries that are not published yet, over all logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """The three buckets (design: one under Object Lock, one for keys, one for the edge of the logs)."""

    records: str
    keys: str
    edge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything a step may touch outside."""

    ledger: Ledger
    store: ObjectStore
    buckets: Buckets
    staging: Staging
    tenant_keys: TenantKeys
    pdf_reader: PdfReader
    pdfa: PdfaValidator
    schematron: SchematronValidator
    seal_key: KeyHandle
    timestamper: Timestamper
    entries: EntryWaiter
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]

    @property
    def vault(self) -> Vault:
        """What is locked, to be read back."""
        return Vault(ledger=self.ledger, store=self.store, tenant_keys=self.tenant_keys)
