"""The judges, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.specimens.judges import Saxon, saxon


@pytest.fixture(scope="session")
def schematron() -> Iterator[Saxon]:
    """Saxon, run directly."""
    with saxon() as running:
        yield running
