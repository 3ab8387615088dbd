"""API keys of the caller's tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from archive_service.api import examples
from archive_service.api.services import Administrator, WithServices
from archive_service.model import utc_text
from archive_service.pipeline.clients import ApiKey

router = APIRouter(prefix="/v1/api-keys", tags=["keys"])


class NewKey(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["SAP Business One"])]
    scopes: Annotated[tuple[Literal["deposit", "read", "admin"], ...], Field(min_length=1)]
    expires_at: AwareDatetime | None = None


def _shape(key: ApiKey) -> dict[str, Any]:
    def text(at: datetime | None) -> str | None:
        return utc_text(at) if at else None

    return {
        "key_id": str(key.key_id),
        "name": key.name,
        "prefix": f"ak_{key.prefix}",
        "scopes": list(key.scopes),
        "created_at": utc_text(key.created_at),
        "expires_at": text(key.expires_at),
        "revoked_at": text(key.revoked_at),
        "last_used_at": text(key.last_used_at),
    }


@router.post("", status_code=201)
def create(using: WithServices, admin: Administrator, new: NewKey) -> Response:
    """Make a key. Its token is shown once, here."""
    key, token = using.onboarding.create_key(
        admin.tenant_id, name=new.name, scopes=tuple(new.scopes), expires_at=new.expires_at
    )
    return examples.json_response(_shape(key) | {"token": token}, 201, {"Cache-Control": "no-store"})


@router.get("")
def show_all(using: WithServices, admin: Administrator) -> Response:
    """List the tenant's keys, revoked ones too."""
    keys = using.tenants.keys(admin.tenant_id)
    return examples.json_response({"keys": [_shape(key) for key in keys]}, 200, {})


@router.delete("/{key_id}")
def revoke(using: WithServices, admin: Administrator, key_id: UUID) -> Response:
    """Revoke a key, at once and for ever."""
    return examples.json_response(_shape(using.onboarding.revoke_key(admin.tenant_id, key_id)), 200, {})
