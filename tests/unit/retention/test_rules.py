"""The rules' file is read strictly: a slip in it must not decide a lock."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import retention.rules
from retention.errors import BadRules
from retention.rules import StartingEvent, load_rules, parse_rules

GOOD = """
format = "archive-retention-rules/v1"
version = 7
[time_zones]
FR = "Europe/Paris"
[[rule]]
id = "one"
version = 1
countries = ["FR"]
document_types = ["invoice"]
issued_from = 2000-01-01
years = 10
starting_event = "issue_date"
legal_source = "a law"
"""
SECOND = GOOD[GOOD.index("[[rule]]") :].replace('"one"', '"two"')


def test_the_file_that_ships_is_good_and_complete() -> None:
    """Every rule has a legal source, and every country its time zone; France covers all document types."""
    rules = load_rules()
    assert all(rule.legal_source and rule.years for rule in rules.rules)
    assert set(rules.time_zones) == {country for rule in rules.rules for country in rule.countries}
    french = next(rule for rule in rules.rules if "FR" in rule.countries)
    assert french.period.starting_event is StartingEvent.FINANCIAL_YEAR_END
    # the service's own document types; this leaf does not import them
    assert set(french.document_types) == {
        "invoice",
        "credit_note",
        "corrective_invoice",
        "prepayment_invoice",
        "self_billed_invoice",
        "other",
    }


def test_the_digest_is_of_the_file() -> None:
    """A record names the very file that decided."""
    data = Path(retention.rules.__file__).with_name("rules.toml").read_bytes()
    assert load_rules().sha256 == hashlib.sha256(data).hexdigest()
    assert parse_rules(GOOD.encode()).version == 7


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("/v1", "/v2"),
        GOOD.replace("version = 7\n", ""),
        GOOD.replace('legal_source = "a law"\n', ""),
        GOOD.replace("years = 10", "years = 0"),
        GOOD.replace("years = 10", "years = true"),
        GOOD.replace("years = 10", 'years = "10"'),
        GOOD.replace("issued_from = 2000-01-01", "issued_from = 2000-01-01T00:00:00Z"),
        GOOD.replace('"issue_date"', '"birthday"'),
        GOOD.replace("years = 10", "years = 10\nyeers = 8"),
        GOOD.replace("version = 7", "version = 7\nmore = 1"),
        GOOD.replace("Europe/Paris", "Europe/Atlantis"),
        GOOD.replace('FR = "Europe/Paris"', 'DE = "Europe/Berlin"'),
        GOOD + SECOND,
        GOOD + "[[rule.floors]]\nyears = 6\nstarting_event = 'issue_date'\n",
        "\0",
        "",
    ],
)
def test_a_file_with_a_slip_is_refused(text: str) -> None:
    """Missing, unknown, doubled or senseless: nothing of the file is used."""
    with pytest.raises(BadRules):
        parse_rules(text.encode())


def test_text_that_is_not_utf8_is_refused() -> None:
    """Nor is anything read that is no text."""
    with pytest.raises(BadRules):
        parse_rules(b"\xff" + GOOD.encode())
