"""Read back what is locked: by version, decrypted, as long as the secrets were not shredded."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from archive_service.keys import envelope, paths
from archive_service.keys import secrets as record_secrets
from archive_service.keys.secrets import RecordSecrets
from archive_service.model import Role
from archive_service.pipeline.ledger import Ledger, TenantFacts
from archive_service.ports import MasterKey, ObjectStore


class TenantKeys:
    """Unwrapped tenant keys, in memory only. One call to the master key per tenant and process."""

    def __init__(self, master_key: MasterKey) -> None:
        self._master_key = master_key
        self._unwrapped: dict[bytes, bytes] = {}

    def key_of(self, tenant: TenantFacts) -> bytes:
        """Return the tenant's key (32 bytes). Raises WrongKey."""
        known = self._unwrapped.get(tenant.wrapped_key)
        if known is None:
            context = paths.tenant_key_context(tenant.tenant_id)
            known = self._master_key.unwrap(tenant.wrapped_key, context=context)
            self._unwrapped[tenant.wrapped_key] = known
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """The locked objects with the keys to them."""

    ledger: Ledger
    store: ObjectStore
    tenant_keys: TenantKeys

    def secrets(self, tenant: UUID, deposit_id: UUID) -> RecordSecrets:
        """Return a deposit's secrets. Raises UnknownDeposit when they were shredded or never drawn."""
        tenant_key = self.tenant_keys.key_of(self.ledger.tenant(tenant))
        wrapped = self.ledger.secrets(tenant, deposit_id)
        return record_secrets.unwrap(wrapped, tenant_key=tenant_key, record_id=deposit_id)

    def plain(self, tenant: UUID, deposit_id: UUID, role: Role) -> bytes:
        """Return an object's bytes. Raises ObjectMissing, EnvelopeBroken, KeyError (no such role)."""
        version = self.ledger.objects(tenant, deposit_id)[role].version
        body = self.store.get(bucket=version.bucket, path=version.path, version_id=version.version_id)
        key = self.secrets(tenant, deposit_id).data_key
        return envelope.decrypt(body, key=key, role=role, record_id=deposit_id)
