"""What the routes work with, joined by ``main``, and who is asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from archive_service.api.problems import ApiProblem
from archive_service.pipeline.clients import ApiKey, Tenants, UnknownKey
from archive_service.pipeline.evidence import EvidenceBuilder
from archive_service.pipeline.ledger import Ledger
from archive_service.pipeline.onboarding import Onboarding
from archive_service.pipeline.parts import Buckets, DepositWaiter, Health
from archive_service.pipeline.records import Records
from archive_service.pipeline.vault import Vault
from archive_service.ports import Staging


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a request may touch."""

    ledger: Ledger
    records: Records
    tenants: Tenants
    onboarding: Onboarding
    vault: Vault
    buckets: Buckets
    staging: Staging
    waiter: DepositWaiter
    evidence: EvidenceBuilder
    health: Health
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
