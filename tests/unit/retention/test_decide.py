"""Until when a document is locked: worked by hand from the laws' words, at the edges of years and days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from retention.decide import Decision, add_years, decide, end_of_day
from retention.errors import DateImplausible, LockTooLong, NoRule, RetentionOver
from retention.rules import StartingEvent, load_rules

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _decide(issued: str, year_end: str, *, country: str = "FR", now: datetime = NOW, **more: Any) -> Decision:
    return decide(
        country=country,
        document_type=more.pop("document_type", "invoice"),
        issue_date=date.fromisoformat(issued),
        financial_year_end=date.fromisoformat(year_end),
        now=now,
    )


@pytest.mark.parametrize(
    ("country", "issued", "year_end", "expected"),
    [
        # ten years from the end of the financial year; Paris is at UTC+1 in winter, UTC+2 in summer
        ("FR", "2026-03-01", "2026-12-31", "2036-12-31T23:00:00+00:00"),
        ("FR", "2026-03-01", "2026-06-30", "2036-06-30T22:00:00+00:00"),
        ("FR", "2026-11-24", "2027-03-31", "2037-03-31T22:00:00+00:00"),
        # 29 February has no namesake ten years on: the last day of the month (CPC art. 641)
        ("FR", "2024-02-01", "2024-02-29", "2034-02-28T23:00:00+00:00"),
        ("FR", "2026-02-01", "2026-02-28", "2036-02-28T23:00:00+00:00"),
        # the last day is the one on which clocks change: it ends at UTC+1 in autumn, at UTC+2 in spring
        ("FR", "2026-10-01", "2026-10-26", "2036-10-26T23:00:00+00:00"),
        ("FR", "2026-03-01", "2026-03-30", "2036-03-30T22:00:00+00:00"),
        # overseas: the same law, another midnight
        ("GP", "2026-03-01", "2026-12-31", "2037-01-01T04:00:00+00:00"),
        ("GF", "2026-03-01", "2026-12-31", "2037-01-01T03:00:00+00:00"),
        ("RE", "2026-03-01", "2026-12-31", "2036-12-31T20:00:00+00:00"),
        ("YT", "2026-03-01", "2026-12-31", "2036-12-31T21:00:00+00:00"),
        # eight years from the end of the calendar year, whatever the financial year
        ("DE", "2026-01-01", "2026-06-30", "2034-12-31T23:00:00+00:00"),
        ("DE", "2025-12-31", "2026-06-30", "2033-12-31T23:00:00+00:00"),
        # eight also for what was issued before the law of 2024 and had not expired
        ("DE", "2019-05-05", "2019-12-31", "2027-12-31T23:00:00+00:00"),
    ],
)
def test_retain_until_is_the_end_of_the_last_day(
    country: str, issued: str, year_end: str, expected: str
) -> None:
    """The lock ends at the midnight that closes the last day, in the country's own time."""
    decision = _decide(issued, year_end, country=country)
    assert decision.retain_until == datetime.fromisoformat(expected)
    assert decision.retain_until.tzinfo is UTC


def test_six_years_from_the_last_operation_are_never_undercut() -> None:
    """A financial year that closed long before the document still leaves the six years of LPF L102 B.

    No such year is plausible for ten years less six: the floor is seen with a rule of a shorter period.
    """
    rules = load_rules()
    short = tuple(
        replace(rule, period=replace(rule.period, years=4)) if rule.id.startswith("fr-") else rule
        for rule in rules.rules
    )
    decision = decide(
        country="FR",
        document_type="invoice",
        issue_date=date(2026, 11, 1),
        financial_year_end=date(2026, 12, 31),
        now=NOW,
        rules=replace(rules, rules=short),
    )
    assert decision.retain_until == datetime(2032, 11, 1, 23, tzinfo=UTC)
    assert decision.governing.legal_source == "Livre des procédures fiscales, art. L102 B"
    assert decision.governing.starting_event is StartingEvent.ISSUE_DATE


def test_decision_says_which_law() -> None:
    """The record can name rule, version, legal source, and the very file."""
    decision = _decide("2026-03-01", "2026-12-31")
    assert (decision.rule.id, decision.rule.version, decision.rule.years) == ("fr-accounting-document", 1, 10)
    assert "L123-22" in decision.rule.legal_source
    assert "L102 B" in decision.rule.legal_source
    assert len(decision.rules_sha256) == 64


# --- Dates that must not lock ---------------------------------------------------------------------


def test_a_date_31_days_ahead_is_taken_and_32_is_not() -> None:
    """The guard is where the design puts it, counted in days of the country."""
    _decide("2026-12-25", "2026-12-31")
    with pytest.raises(DateImplausible) as refused:
        _decide("2026-12-26", "2026-12-31")
    assert (refused.value.field, refused.value.value) == ("issue_date", date(2026, 12, 26))


def test_today_is_the_country_s_own() -> None:
    """At 23:30 UTC in summer it is tomorrow in Paris, and still today in Cayenne."""
    late = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
    _decide("2026-07-03", "2026-12-31", now=late)
    with pytest.raises(DateImplausible):
        _decide("2026-07-03", "2026-12-31", country="GF", now=late)


@pytest.mark.parametrize(("issued", "year_end"), [("2999-01-01", "2999-12-31"), ("9999-12-31", "9999-12-31")])
def test_a_date_far_ahead_is_implausible(issued: str, year_end: str) -> None:
    """The year 2999 is refused for what it is, also where adding years would overflow."""
    with pytest.raises(DateImplausible):
        _decide(issued, year_end)


@pytest.mark.parametrize("country", ["FR", "DE"])
def test_a_date_in_1950_is_refused_as_over(country: str) -> None:
    """What had to be kept until 1960 is not locked now."""
    with pytest.raises(RetentionOver) as refused:
        _decide("1950-05-05", "1950-12-31", country=country)
    assert refused.value.retain_until == datetime(1960, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize("year_end", ["2026-12-31", "1952-05-20", "1948-04-20"])
def test_an_old_date_is_not_rescued_by_another_financial_year(year_end: str) -> None:
    """An invoice of 1950 booked in 2026 is a mistake in one of the two: neither may decide a lock."""
    with pytest.raises(DateImplausible) as refused:
        _decide("1950-05-05", year_end)
    assert refused.value.field == "financial_year_end"


def test_retention_is_over_from_the_last_moment_on() -> None:
    """One second before the end a document is still locked; at the end it is refused."""
    end = datetime(2026, 12, 31, 23, tzinfo=UTC)
    issued = {"issued": "2016-03-01", "year_end": "2016-12-31"}
    assert _decide(**issued, now=end - timedelta(seconds=1)).retain_until == end
    with pytest.raises(RetentionOver):
        _decide(**issued, now=end)


def test_a_lock_of_over_twelve_years_is_refused() -> None:
    """Whatever the rules say, a lock beyond twelve years from now is not made: none could take it back."""
    with pytest.raises(LockTooLong) as refused:
        _decide("2026-12-24", "2028-12-25")
    assert refused.value.retain_until == datetime(2038, 12, 25, 23, tzinfo=UTC)
    assert _decide("2026-11-24", "2028-11-24").retain_until == datetime(2038, 11, 24, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "document_type"),
    [("XX", "invoice"), ("DE", "other"), ("FR", "love_letter"), ("fr", "invoice")],
)
def test_without_a_rule_nothing_is_decided(country: str, document_type: str) -> None:
    """No default: a document that no law was written down for is not locked for a guessed time."""
    with pytest.raises(NoRule):
        _decide("2026-03-01", "2026-12-31", country=country, document_type=document_type)


def test_a_moment_without_time_zone_is_refused() -> None:
    """``now`` must say where it is now."""
    with pytest.raises(ValueError, match="time zone"):
        _decide("2026-03-01", "2026-12-31", now=datetime(2026, 11, 24))  # noqa: DTZ001 -- what is refused


# --- Its parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "years", "expected"),
    [
        ("2024-02-29", 4, "2028-02-29"),
        ("2024-02-29", 1, "2025-02-28"),
        ("2092-02-29", 8, "2100-02-28"),  # 2100 is no leap year
        ("2026-12-31", 10, "2036-12-31"),
    ],
)
def test_add_years(day: str, years: int, expected: str) -> None:
    """The same day, or the last of February."""
    assert add_years(date.fromisoformat(day), years) == date.fromisoformat(expected)


def test_a_day_that_ends_between_seconds_is_rounded_up() -> None:
    """No zone has a fraction of a second; a whole second it is in any case, and never earlier."""
    for zone in ("Europe/Paris", "Africa/Monrovia", "Asia/Kathmandu"):
        end = end_of_day(date(1971, 1, 1), ZoneInfo(zone))
        assert end.microsecond == 0
    # Liberia was 44 min 30 s behind until 1972 (IANA tz database, file africa)
    assert end_of_day(date(1971, 1, 1), ZoneInfo("Africa/Monrovia")) == datetime(
        1971, 1, 2, 0, 44, 30, tzinfo=UTC
    )
