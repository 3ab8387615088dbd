"""The rules as values, read from ``rules.toml``: country × document type → period, start, legal source."""

from __future__ import annotations

import enum
import functools
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from retention.errors import BadRules, NoRule

FORMAT = "archive-retention-rules/v1"


class StartingEvent(enum.StrEnum):
    """The day at whose end a period begins to run."""

    FINANCIAL_YEAR_END = "financial_year_end"
    CALENDAR_YEAR_END = "calendar_year_end"  # of the year the document was issued in
    ISSUE_DATE = "issue_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """So many years from the end of that day, because that law says so."""

    years: int
    starting_event: StartingEvent
    legal_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one law says. ``period`` is its main statement, ``floors`` are never undercut."""

    id: str
    version: int
    countries: tuple[str, ...]  # ISO 3166-1 alpha-2
    document_types: tuple[str, ...]
    issued_from: date
    period: Period
    floors: tuple[Period, ...] = ()

    @property
    def years(self) -> int:
        """Years of the main period."""
        return self.period.years

    @property
    def legal_source(self) -> str:
        """Legal sources of the main period and of the floors, separated by semicolons."""
        return "; ".join(period.legal_source for period in (self.period, *self.floors))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """All rules of one file, and which file it was."""

    version: int
    sha256: str  # hex, of the file
    time_zones: Mapping[str, ZoneInfo]
    rules: tuple[Rule, ...]

    def find(self, *, country: str, document_type: str, issue_date: date) -> Rule:
        """Return the rule in force for a document. Raises NoRule."""
        fitting = [
            rule
            for rule in self.rules
            if country in rule.countries
            and document_type in rule.document_types
            and rule.issued_from <= issue_date
        ]
        if not fitting:
            raise NoRule(f"{country}, {document_type}, issued {issue_date.isoformat()}")
        return max(fitting, key=lambda rule: rule.issued_from)


@functools.cache
def load_rules() -> RuleSet:
    """Return the rules that ship with this package."""
    return parse_rules(Path(__file__).with_name("rules.toml").read_bytes())


def parse_rules(data: bytes) -> RuleSet:
    """Read a rules' file. Raises BadRules for anything missing, unknown, doubled or senseless."""
    try:
        document = tomllib.loads(data.decode("utf-8"))
        rules = _parse_document(document, hashlib.sha256(data).hexdigest())
    except (TypeError, ValueError, KeyError, ZoneInfoNotFoundError) as broken:
        raise BadRules(str(broken)) from broken
    _check_together(rules)
    return rules


def _parse_document(document: dict[str, Any], digest: str) -> RuleSet:
    if document.pop("format") != FORMAT:
        raise ValueError("another format")
    rules = RuleSet(
        version=int(document.pop("version")),
        sha256=digest,
        time_zones=MappingProxyType(
            {country: ZoneInfo(zone) for country, zone in document.pop("time_zones").items()}
        ),
        rules=tuple(_parse_rule(table) for table in document.pop("rule")),
    )
    _refuse_rest(document)
    return rules


def _parse_rule(table: dict[str, Any]) -> Rule:
    issued_from = table.pop("issued_from")
    if type(issued_from) is not date:  # a datetime is a date too
        raise ValueError("issued_from is not a date")
    return Rule(
        id=table.pop("id"),
        version=int(table.pop("version")),
        countries=tuple(table.pop("countries")),
        document_types=tuple(table.pop("document_types")),
        issued_from=issued_from,
        floors=tuple(_parse_period(floor) for floor in table.pop("floors", ())),
        period=_parse_period(table),
    )


def _parse_period(table: dict[str, Any]) -> Period:
    years = table.pop("years")
    if type(years) is not int or not 0 < years < 100:
        raise ValueError(f"not a number of years: {years!r}")
    period = Period(
        years=years,
        starting_event=StartingEvent(table.pop("starting_event")),
        legal_source=table.pop("legal_source"),
    )
    _refuse_rest(table)
    return period


def _refuse_rest(table: dict[str, Any]) -> None:
    if table:
        raise ValueError(f"unknown members: {', '.join(sorted(table))}")


def _check_together(rules: RuleSet) -> None:
    """Every country has its time zone, and no two rules claim the same documents from the same date."""
    claimed: set[tuple[str, str, date]] = set()
    for rule in rules.rules:
        for country in rule.countries:
            if country not in rules.time_zones:
                raise BadRules(f"{rule.id}: no time zone for {country}")
            for document_type in rule.document_types:
                claim = (country, document_type, rule.issued_from)
                if claim in claimed:
                    raise BadRules(f"{rule.id}: {claim} is claimed twice")
                claimed.add(claim)
