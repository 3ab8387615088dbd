"""What holds of every retention decision, whatever the dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from retention.decide import MAX_LOCK_YEARS, add_years, decide
from retention.errors import DateImplausible, LockTooLong, RetentionOver
from retention.rules import load_rules

COUNTRIES = st.sampled_from(sorted(load_rules().time_zones))
DAYS = st.dates(date(2017, 1, 1), date(2031, 12, 31))
ANY_DAY = st.dates()
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2034, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
GAPS = st.integers(-700, 700)


def _outcome(country: str, issued: date, year_end: date, now: datetime) -> datetime | None:
    try:
        return decide(
            country=country,
            document_type="invoice",
            issue_date=issued,
            financial_year_end=year_end,
            now=now,
        ).retain_until
    except (DateImplausible, LockTooLong, RetentionOver):
        return None


@given(COUNTRIES, ANY_DAY, ANY_DAY, MOMENTS)
def test_every_pair_of_dates_is_decided_or_refused(
    country: str, issued: date, year_end: date, now: datetime
) -> None:
    """No date ends in another error, and no lock is in the past or over twelve years (and a day) long."""
    until = _outcome(country, issued, year_end, now)
    if until is not None:
        longest = datetime.combine(
            add_years(now.date(), MAX_LOCK_YEARS) + timedelta(days=1), time(), tzinfo=UTC
        )
        assert now < until <= longest
        assert until.microsecond == 0


@given(COUNTRIES, DAYS, GAPS, MOMENTS)
def test_the_end_is_a_midnight_there(country: str, issued: date, gap: int, now: datetime) -> None:
    """A lock ends when a day ends where the document is kept."""
    until = _outcome(country, issued, issued + timedelta(days=gap), now)
    assume(until is not None)
    assert until is not None
    assert until.astimezone(load_rules().time_zones[country]).time() == time()


@given(COUNTRIES, DAYS, GAPS, st.integers(0, 60), st.integers(0, 60), MOMENTS)
def test_later_dates_never_end_earlier(
    country: str, issued: date, gap: int, later_issue: int, later_end: int, now: datetime
) -> None:
    """Moving either date later never moves the end of the lock earlier (documents of one rule)."""
    year_end = issued + timedelta(days=gap)
    first = _outcome(country, issued, year_end, now)
    second = _outcome(
        country, issued + timedelta(days=later_issue), year_end + timedelta(days=later_end), now
    )
    assume(first is not None and second is not None)
    assert first is not None
    assert second is not None
    assert second >= first


@given(COUNTRIES, DAYS, GAPS, MOMENTS, MOMENTS)
def test_the_clock_decides_whether_never_until_when(
    country: str, issued: date, gap: int, now: datetime, other: datetime
) -> None:
    """Two decisions on one document at different times agree on the end, or one is refused."""
    found = {_outcome(country, issued, issued + timedelta(days=gap), moment) for moment in (now, other)}
    assert len(found - {None}) <= 1


@given(DAYS, GAPS, MOMENTS)
def test_france_keeps_at_least_ten_and_six_years(issued: date, gap: int, now: datetime) -> None:
    """Counted in days by another way: ten years hold 3652 days at least, six 2191 (one leap day or two)."""
    year_end = issued + timedelta(days=gap)
    until = _outcome("FR", issued, year_end, now)
    assume(until is not None)
    assert until is not None
    midnight = datetime.combine(year_end + timedelta(days=1), time(), tzinfo=UTC)
    assert until - midnight >= timedelta(days=3652) - timedelta(hours=26)
    issued_midnight = datetime.combine(issued + timedelta(days=1), time(), tzinfo=UTC)
    assert until - issued_midnight >= timedelta(days=2191) - timedelta(hours=26)
