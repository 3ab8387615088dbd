"""What a verification says, and what it needs from whoever checks seals and tokens."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from audit.sentences import Said
from audit.texts import advice


class CheckStatus(enum.StrEnum):
    """What came of a check. NOT_CHECKED is said aloud, never passed over."""

    HELD = "held"
    FAILED = "failed"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One link of the evidence. ``name`` is stable; ``said`` is what was found, in either language."""

    name: str
    status: CheckStatus
    said: Said

    @property
    def detail(self) -> str:
        """What was found, in English."""
        return str(self.said)

    @property
    def advice(self) -> str | None:
        """What to do about a check that failed, in English."""
        return advice(self.name, "en") if self.status is CheckStatus.FAILED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every check, in the order of the page CHECK.html."""

    checks: tuple[Check, ...]

    @property
    def held(self) -> bool:
        """Nothing failed. What was not checked is in ``not_checked``: show it."""
        return bool(self.checks) and not any(check.status is CheckStatus.FAILED for check in self.checks)

    @property
    def not_checked(self) -> tuple[Check, ...]:
        """The checks that were not made."""
        return tuple(check for check in self.checks if check.status is CheckStatus.NOT_CHECKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealReport:
    """A seal that verified, covers its whole file and starts with the original. Certificates are DER.

    ``signature`` and ``token``: what the seal's token covers, and the token. Times are UTC.
    """

    level: str
    signer: str
    token_time: datetime
    tsa: str
    signature: bytes
    token: bytes
    seal_certificates: tuple[bytes, ...]
    tsa_certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReport:
    """A time-stamp token that verified: the bytes existed at ``time`` (UTC), by the word of ``tsa``."""

    time: datetime
    tsa: str
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JwsReport:
    """A receipt's signature that verified. ``signed_at`` is a claim; the signer's certificate is first."""

    payload: bytes
    signed_at: datetime
    signer: str
    certificates: tuple[bytes, ...]


class SignatureChecks(Protocol):
    """Checks of seals, tokens and signatures, offline. Each raises SignatureRefused to reject."""

    @property
    def roots_are_the_auditor_s(self) -> bool:
        """Whether the roots came from whoever checks, not out of the bundle."""

    @property
    def root_fingerprints(self) -> tuple[str, ...]:
        """SHA-256 of each root's DER, in lower-case hex."""

    def check_seal(self, sealed: bytes, original: bytes) -> SealReport:
        """Check the seal, that it covers the whole file, and that the file starts with the original."""

    def check_token(self, token: bytes, data: bytes) -> TokenReport:
        """Check a time-stamp token over the SHA-256 of ``data``."""

    def check_jws(self, compact: bytes) -> JwsReport:
        """Check a receipt's signature and that it is a receipt's."""

    def read_pem(self, pem: bytes) -> tuple[bytes, ...]:
        """Return the DER of each certificate in a PEM file."""

    def to_pem(self, certificates: tuple[bytes, ...]) -> bytes:
        """Return certificates as the one PEM text that a bundle holds of them (RFC 7468 §3, strict)."""
