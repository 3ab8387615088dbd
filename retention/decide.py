"""Until when a document is locked. Pure: no clock, no store; a wrong date must never become a lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from retention.errors import DateImplausible, LockTooLong, NoRule, RetentionOver
from retention.rules import Period, Rule, RuleSet, StartingEvent, load_rules

MAX_AHEAD = timedelta(days=31)  # invoices are dated ahead by days; further is a slip of the pen
MAX_LOCK_YEARS = 12  # ten years, after a first financial year of up to two (CGI art. 37)
MAX_YEAR_GAP = timedelta(days=2 * 366)  # between a document and the end of its financial year, either way


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Lock until ``retain_until`` (UTC, whole second, the first moment at which it may end)."""

    retain_until: datetime
    rule: Rule
    governing: Period  # the period that ends last: the rule's own, or a floor of it
    rules_version: int
    rules_sha256: str  # hex, of the rules' file


def decide(
    *,
    country: str,
    document_type: str,
    issue_date: date,
    financial_year_end: date,
    now: datetime,
    rules: RuleSet | None = None,
) -> Decision:
    """Return until when a document must be kept: the end of its last day, where it is kept.

    ``country`` is ISO 3166-1 alpha-2, ``document_type`` a name as in the rules, ``now`` has a time zone.
    Raises DateImplausible, NoRule, LockTooLong (over twelve years from now), RetentionOver; ValueError for a
    ``now`` without time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now has no time zone")
    rules = rules or load_rules()
    zone = rules.time_zones.get(country)
    if zone is None:
        raise NoRule(f"no rules for {country}")
    check_dates(
        issue_date=issue_date, financial_year_end=financial_year_end, today=now.astimezone(zone).date()
    )
    rule = rules.find(country=country, document_type=document_type, issue_date=issue_date)
    last_day, governing = max(
        (
            (_last_day(period, issue_date, financial_year_end), period)
            for period in (rule.period, *rule.floors)
        ),
        key=lambda candidate: candidate[0],  # of equal ends, the rule's own period comes first
    )
    retain_until = end_of_day(last_day, zone)
    _check_lock(retain_until, now)
    return Decision(
        retain_until=retain_until,
        rule=rule,
        governing=governing,
        rules_version=rules.version,
        rules_sha256=rules.sha256,
    )


def check_dates(*, issue_date: date, financial_year_end: date, today: date) -> None:
    """Refuse dates that cannot be right. Raises DateImplausible."""
    if issue_date - today > MAX_AHEAD:
        raise DateImplausible(
            field="issue_date", value=issue_date, reason=f"more than {MAX_AHEAD.days} days ahead"
        )
    # a first financial year may last two years; and a document booked long after its year is a mistake
    if abs(financial_year_end - issue_date) > MAX_YEAR_GAP:
        raise DateImplausible(
            field="financial_year_end",
            value=financial_year_end,
            reason=f"more than two years from the issue date {issue_date.isoformat()}",
        )


def add_years(day: date, years: int) -> date:
    """Return the day of the same number, years later; for 29 February without one, the 28th.

    Code de procédure civile art. 641; BGB § 188 Abs. 3. Raises OverflowError after the year 9999.
    """
    year = day.year + years
    if year > date.max.year:
        raise OverflowError(f"{day.isoformat()} + {years} years")
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return, in UTC, the moment at which that day has ended there, rounded up to a whole second."""
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    moment = midnight.astimezone(UTC)
    # zones had fractions of a minute once, never of a second; S3 keeps whole seconds
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)


def _last_day(period: Period, issue_date: date, financial_year_end: date) -> date:
    match period.starting_event:
        case StartingEvent.FINANCIAL_YEAR_END:
            start = financial_year_end
        case StartingEvent.CALENDAR_YEAR_END:
            start = date(issue_date.year, 12, 31)
        case StartingEvent.ISSUE_DATE:
            start = issue_date
    return add_years(start, period.years)


def _check_lock(retain_until: datetime, now: datetime) -> None:
    if retain_until <= now:
        raise RetentionOver(retain_until=retain_until)
    latest = datetime.combine(add_years(now.astimezone(UTC).date(), MAX_LOCK_YEARS), time.max, tzinfo=UTC)
    if retain_until > latest:
        raise LockTooLong(retain_until=retain_until, latest=latest)
