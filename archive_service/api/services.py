"""What the routes work with, joined by ``main``, and who is asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from archive_service.adapters.postgres.ledger import PostgresLedger
from archive_service.adapters.postgres.logs import PostgresLogs
from archive_service.adapters.postgres.notifications import DepositWaiter
from archive_service.adapters.postgres.records import PostgresRecords
from archive_service.adapters.postgres.tenants import ApiKey, PostgresTenants, UnknownKey
from archive_service.adapters.staging import FolderStaging
from archive_service.api.problems import ApiProblem
from archive_service.onboarding import Onboarding
from archive_service.pipeline.evidence import EvidenceBuilder
from archive_service.pipeline.parts import Buckets
from archive_service.pipeline.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a request may touch."""

    ledger: PostgresLedger
    records: PostgresRecords
    logs: PostgresLogs
    tenants: PostgresTenants
    onboarding: Onboarding
    vault: Vault
    buckets: Buckets
    staging: FolderStaging
    waiter: DepositWaiter
    evidence: EvidenceBuilder
    engine: sa.Engine
    clock: Callable[[], datetime]
    max_document_bytes: int


def services(request: Request) -> Services:
    """Return this application's services."""
    found: Services = request.app.state.services
    return found


WithServices = Annotated[Services, Depends(services)]
_bearer = HTTPBearer(auto_error=False, description="An API key, made with `archive keys create`")


def client(
    using: WithServices, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> ApiKey:
    """Return whose key came with the request. Raises the 401 problem."""
    if credentials is None:
        raise ApiProblem("unauthenticated")
    try:
        return using.tenants.authenticate(credentials.credentials)
    except UnknownKey as error:
        raise ApiProblem("unauthenticated") from error


def _needs(scope: str) -> Callable[[ApiKey], ApiKey]:
    def check(key: Annotated[ApiKey, Depends(client)]) -> ApiKey:
        if scope not in key.scopes:
            raise ApiProblem("forbidden", scope=scope)
        return key

    return check


Depositor = Annotated[ApiKey, Depends(_needs("deposit"))]
Reader = Annotated[ApiKey, Depends(_needs("read"))]
Administrator = Annotated[ApiKey, Depends(_needs("admin"))]
