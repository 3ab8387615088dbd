"""How a record's secrets are drawn, and what they never show."""

from __future__ import annotations

import secrets as system_random
from uuid import UUID

import pytest

from archive_service.keys import paths
from archive_service.keys import secrets as record_secrets
from archive_service.keys.errors import WeakRandomness
from archive_service.model import Role

RECORD = UUID("00112233-4455-6677-8899-aabbccddeeff")
DEPOSIT = UUID("11112222-3333-4444-5555-666677778888")
TENANT = UUID("99999999-8888-7777-6666-555544443333")


def test_every_role_has_its_own_nonce_and_salt() -> None:
    """No two objects of a record are encrypted under the same nonce, and no two commitments share a salt."""
    drawn = record_secrets.draw(system_random.token_bytes)
    assert set(drawn.nonces) == set(drawn.salts) == {role.value for role in Role}
    assert len(set(drawn.nonces.values())) == len(set(drawn.salts.values())) == len(Role)
    assert (len(drawn.data_key), {len(nonce) for nonce in drawn.nonces.values()}) == (32, {12})


def test_randomness_that_repeats_itself_is_refused() -> None:
    """A stuck source would encrypt two objects under one key and nonce; nothing is drawn from it."""
    with pytest.raises(WeakRandomness):
        record_secrets.draw(bytes)


def test_short_randomness_is_refused() -> None:
    """A source that returns fewer bytes than asked never becomes a key."""
    with pytest.raises(WeakRandomness):
        record_secrets.draw(lambda count: system_random.token_bytes(count - 1))


def test_secrets_do_not_show_in_a_traceback() -> None:
    """The representation, which ends in logs, says nothing."""
    drawn = record_secrets.draw(system_random.token_bytes)
    assert repr(drawn) == "RecordSecrets(…)"
    assert drawn.data_key.hex() not in str(drawn)


def test_paths_are_those_of_the_adr() -> None:
    """Paths are frozen: what is locked for ten years cannot move (ADR 0001)."""
    tenant = "tenants/99999999-8888-7777-6666-555544443333"
    record, deposit = str(RECORD), str(DEPOSIT)
    assert (
        paths.object_path(TENANT, 2026, RECORD, Role.RECORD) == f"{tenant}/records/2026/{record}/record.json"
    )
    assert (
        paths.revision_path(TENANT, 2026, RECORD, DEPOSIT, "receipt")
        == f"{tenant}/records/2026/{record}/revisions/{deposit}/receipt"
    )
    assert (
        paths.rejection_path(TENANT, 2026, DEPOSIT, Role.VERDICT)
        == f"{tenant}/rejections/2026/{deposit}/verdict"
    )
    assert paths.secrets_path(TENANT, DEPOSIT) == f"{tenant}/records/{deposit}/secrets"
    assert paths.tenant_key_path(TENANT) == f"{tenant}/key"
    assert paths.log_key_path(DEPOSIT) == f"logs/{deposit}/key"


@pytest.mark.parametrize("year", [0, -1, 10_000])
def test_year_without_four_digits_is_refused(year: int) -> None:
    """A year is four digits, so that listings sort."""
    with pytest.raises(ValueError, match="four digits"):
        paths.object_path(TENANT, year, RECORD, "original")
