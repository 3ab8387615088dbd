"""Sealing a PDF with a real key and a real authority, and reading back what it proves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from signing.checks import OfflineChecks
from signing.pades import seal


@pytest.mark.parametrize("label", ["seal", "seal-rsa"])
def test_a_seal_holds_at_level_b_t(pki_for_signing, plain_pdf, now, label) -> None:
    """A sealed copy starts with the original, and its seal and token hold against the root alone."""
    before = datetime.now(UTC)
    copy = seal(
        plain_pdf,
        key=pki_for_signing.key(label),
        timestamper=pki_for_signing.timestamper("good"),
        at=now,
        reason="Deposit",
    )
    assert copy.pdf.startswith(plain_pdf)
    assert copy.not_qualified == ("seal key", "time-stamping authority")
    facts = OfflineChecks(roots=pki_for_signing.roots).check_seal(copy.pdf, plain_pdf)
    assert facts.level == copy.level == "PAdES B-T"
    assert "Test TSA" in facts.tsa
    assert facts.revocation_checked is False
    assert before - timedelta(seconds=1) <= facts.token_time == copy.token_time <= datetime.now(UTC)
