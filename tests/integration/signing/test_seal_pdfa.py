"""Sealed copies stay what they were: veraPDF's verdict, and the published samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_service.adapters.verapdf import VeraPdf
from archive_service.model import Conformant
from signing.checks import OfflineChecks
from signing.errors import CannotSeal
from signing.pades import seal

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
CONFORMANT = {
    "EN16931_Einfach.pdf": "3b",
    "EN16931_Rabatte.pdf": "3b",
    "EN16931_Elektron.pdf": "3b",
    "Facture_FR_EN16931.pdf": "3b",
    "Facture_FR_BASICWL.pdf": "3b",
    "Facture_DOM_MINIMUM.pdf": "3b",
    "validAvoir_FR_type380_BASICWL.pdf": "3b",
    "Facture_F20180027.pdf": "3b",
    "XMLinvalidV2PDF.pdf": "3u",
}


@pytest.fixture(scope="module")
def validator(verapdf):
    """One warm veraPDF."""
    running = VeraPdf(*verapdf, workers=1, deadline=60.0)
    yield running
    running.close()


def test_a_sealed_pdfa_is_still_one(pki_for_signing, plain_pdf, now, validator, tmp_path) -> None:
    """The specimen is PDF/A-3B before and after, by veraPDF."""
    stamper = pki_for_signing.timestamper("good")
    copy = seal(plain_pdf, key=pki_for_signing.key("seal"), timestamper=stamper, at=now, reason="Deposit")
    for name, body in (("original.pdf", plain_pdf), ("sealed.pdf", copy.pdf)):
        (tmp_path / name).write_bytes(body)
        verdict = validator.validate(tmp_path / name)
        assert isinstance(verdict.outcome, Conformant)
        assert verdict.flavour == "3b"


@pytest.mark.samples
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder of sample invoices is not there")
@pytest.mark.parametrize(("name", "flavour"), CONFORMANT.items())
def test_every_conformant_sample_is_sealed_and_stays_conformant(
    pki_for_signing, now, validator, tmp_path, name, flavour
) -> None:
    """Real invoices are sealed, checked offline, and still PDF/A-3 (verdicts: the samples' README)."""
    original = (SAMPLES / name).read_bytes()
    stamper = pki_for_signing.timestamper("good")
    copy = seal(original, key=pki_for_signing.key("seal"), timestamper=stamper, at=now, reason="Deposit")
    facts = OfflineChecks(roots=pki_for_signing.roots).check_seal(copy.pdf, original)
    assert facts.token_time == copy.token_time
    (tmp_path / name).write_bytes(copy.pdf)
    verdict = validator.validate(tmp_path / name)
    assert isinstance(verdict.outcome, Conformant)
    assert verdict.flavour == flavour


@pytest.mark.samples
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder of sample invoices is not there")
def test_a_broken_sample_is_refused(pki_for_signing, now) -> None:
    """A PDF that cannot be parsed is not sealed."""
    broken = (SAMPLES / "corruptedV2PDF.pdf").read_bytes()
    stamper = pki_for_signing.timestamper("good")
    with pytest.raises(CannotSeal):
        seal(broken, key=pki_for_signing.key("seal"), timestamper=stamper, at=now, reason="Deposit")
