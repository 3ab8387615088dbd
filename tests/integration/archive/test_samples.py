"""Published invoices through the whole archive, each with the verdict that its table gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Api

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"

ARCHIVED = {
    "EN16931_Einfach.pdf": "EN 16931",
    "EN16931_Rabatte.pdf": "EN 16931",
    "EN16931_Elektron.pdf": "EN 16931",
    "Facture_FR_EN16931.pdf": "EN 16931",
    "Facture_FR_BASICWL.pdf": "BASIC WL",
    "Facture_DOM_MINIMUM.pdf": "MINIMUM",
    "validAvoir_FR_type380_BASICWL.pdf": "BASIC WL",
    "Facture_F20180027.pdf": "EN 16931",
}
REJECTED = {
    "Facture_UE_EN16931.pdf": "invoice-schematron",
    "XMLinvalidV2PDF.pdf": "invoice-xsd",
    "invalidXMP.pdf": "invoice-container",
    "corruptedV2PDF.pdf": "unreadable-pdf",
    "python-factur-x.pdf": "not-pdfa",
    "plain_PDFA1.pdf": "pdfa-not-accepted",
    "plain_not_PDFA.pdf": "not-pdfa",
}

pytestmark = [
    pytest.mark.samples,
    # The samples stand beside the project and are not part of it (their README); the suite shows the skip.
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/samples is not there"),
]


@pytest.mark.parametrize(("name", "profile"), ARCHIVED.items())
def test_good_samples_are_archived(api: Api, name: str, profile: str) -> None:
    """Pins the verdict, the profile, and the flag on what is no invoice for VAT."""
    answer = api.deposit((SAMPLES / name).read_bytes())
    assert answer.status_code in (200, 201), answer.text
    verdict = answer.json()["verdict"]
    assert verdict["invoice"]["profile"] == profile
    assert verdict["pdfa"]["flavour"] == "3b"
    rules = {finding["rule"] for finding in verdict["findings"]}
    assert ("facturx.profile.not-a-vat-invoice" in rules) == (profile in ("MINIMUM", "BASIC WL"))


@pytest.mark.parametrize(("name", "slug"), REJECTED.items())
def test_bad_samples_are_rejected(api: Api, name: str, slug: str) -> None:
    """Pins the problem that each bad sample is rejected with."""
    answer = api.deposit((SAMPLES / name).read_bytes())
    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:archive:problem:{slug}")
