"""Why no retain-until date is given."""

from __future__ import annotations

from datetime import date, datetime


class RetentionError(Exception):
    """No lock can be decided."""


class BadRules(RetentionError):
    """The rules' file does not say what it must."""


class NoRule(RetentionError):
    """No rule covers this country, document type and date."""


class DateImplausible(RetentionError):
    """A date that cannot be right; it must not decide a lock."""

    def __init__(self, *, field: str, value: date, reason: str) -> None:
        super().__init__(f"{field} {value.isoformat()}: {reason}")
        self.field = field  # "issue_date" or "financial_year_end"
        self.value = value
        self.reason = reason


class RetentionOver(RetentionError):
    """The document no longer has to be kept: its retention ended."""

    def __init__(self, *, retain_until: datetime) -> None:
        super().__init__(retain_until.isoformat())
        self.retain_until = retain_until


class LockTooLong(RetentionError):
    """The lock would end too late to be right, and could never be taken back."""

    def __init__(self, *, retain_until: datetime, latest: datetime) -> None:
        super().__init__(f"{retain_until.isoformat()} is after {latest.isoformat()}")
        self.retain_until = retain_until
        self.latest = latest
