"""Hostile documents and metadata, through the running archive: each gets its problem."""

from __future__ import annotations

import time

import pytest

from tests.hostile import CASES, HostileCase

from .conftest import Api, fresh_invoice

PREFIX = "urn:archive:problem:"
_QUICK = [case for case in CASES if not case.stalls]
_STALLING = [case for case in CASES if case.stalls]


def _problem(api: Api, case: HostileCase, *, within: float) -> str:
    answer = api.deposit(case.document(), case.metadata())
    deadline = time.monotonic() + within
    while answer.status_code == 202 or (answer.is_success and answer.json()["state"] == "received"):
        assert time.monotonic() < deadline, case.name
        time.sleep(1)
        answer = api.get(f"/v1/deposits/{answer.json()['deposit_id']}")
    found = answer.json()
    problem = found["problem"] if answer.is_success else found
    assert problem is not None, f"{case.name} was archived"
    return str(problem["type"])


@pytest.mark.parametrize("case", _QUICK, ids=lambda case: case.name)
def test_each_gets_its_problem(api: Api, case: HostileCase) -> None:
    """Pins the problem of each hostile case (why it matters stands with the case)."""
    assert _problem(api, case, within=30) == PREFIX + case.problem


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", _STALLING, ids=lambda case: case.name)
def test_what_stalls_a_checker_is_refused_in_the_end(api: Api, case: HostileCase) -> None:
    """Pins that a document that stalls a checker is tried again, then refused; the next goes through."""
    assert _problem(api, case, within=400) == PREFIX + case.problem
    assert api.deposit(fresh_invoice()).status_code == 201
