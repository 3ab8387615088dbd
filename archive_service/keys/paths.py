"""Where things lie in the buckets, in paths a human can follow (ADR 0001), and what binds keys to owners."""

from __future__ import annotations

from uuid import UUID

from archive_service.keys.envelope import check_role

_YEARS = range(1, 10_000)  # four digits, as in ISO 8601


def object_path(tenant: UUID, year: int, record: UUID, role: str) -> str:
    """Path of a record's locked object. ``year`` is that of the deposit's reception, UTC."""
    return f"tenants/{tenant}/records/{_year(year)}/{record}/{check_role(role)}"


def revision_path(tenant: UUID, year: int, record: UUID, deposit: UUID, role: str) -> str:
    """Path of what a later deposit adds to a record. ``year`` is the record's."""
    return f"tenants/{tenant}/records/{_year(year)}/{record}/revisions/{deposit}/{check_role(role)}"


def rejection_path(tenant: UUID, year: int, deposit: UUID, role: str) -> str:
    """Path of what is kept of a rejected deposit: verdict and receipt, never the bytes."""
    return f"tenants/{tenant}/rejections/{_year(year)}/{deposit}/{check_role(role)}"


def secrets_path(tenant: UUID, deposit: UUID) -> str:
    """Path, in the keys bucket, of a deposit's wrapped secrets."""
    return f"tenants/{tenant}/records/{deposit}/secrets"


def tenant_key_path(tenant: UUID) -> str:
    """Path, in the keys bucket, of a tenant's wrapped key."""
    return f"tenants/{tenant}/key"


def log_key_path(log: UUID) -> str:
    """Path, in the keys bucket, of a log's wrapped signing seed."""
    return f"logs/{log}/key"


def tenant_key_context(tenant: UUID) -> bytes:
    """What a tenant's key is bound to when the master key wraps it."""
    return f"archive-tenant-key/v1\n{tenant}".encode("ascii")


def log_key_context(log: UUID) -> bytes:
    """What a log's signing seed is bound to when the master key wraps it."""
    return f"archive-log-key/v1\n{log}".encode("ascii")


def _year(year: int) -> str:
    if year not in _YEARS:
        raise ValueError(f"not a year of four digits: {year}")
    return f"{year:04d}"
