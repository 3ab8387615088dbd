"""Print what a verification found, in French or English."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from audit.reports import Check, CheckStatus, Report
from audit.texts import Language, link_texts

_COLOURS = {
    CheckStatus.HELD: "green",
    CheckStatus.FAILED: "bold red",
    CheckStatus.NOT_CHECKED: "yellow",
}
_STATUSES: dict[Language, dict[CheckStatus, str]] = {
    "fr": {
        CheckStatus.HELD: "prouvé",
        CheckStatus.FAILED: "ÉCHEC",
        CheckStatus.NOT_CHECKED: "non vérifié",
    },
    "en": {
        CheckStatus.HELD: "held",
        CheckStatus.FAILED: "FAILED",
        CheckStatus.NOT_CHECKED: "not checked",
    },
}
_VERDICTS: dict[Language, dict[bool, str]] = {
    "fr": {
        True: "La preuve tient : {held} liens prouvés, {open} non vérifiés (voir ci-dessus).",
        False: "LA PREUVE NE TIENT PAS : {failed} lien(s) en échec.",
    },
    "en": {
        True: "The evidence holds: {held} links proved, {open} not checked (see above).",
        False: "THE EVIDENCE DOES NOT HOLD: {failed} link(s) failed.",
    },
}
_ADVICE: dict[Language, str] = {"fr": "À faire", "en": "What to do"}


def language(environment: Mapping[str, str]) -> Language:
    """Return the language for people: LC_ALL, LC_MESSAGES, then LANG, as POSIX orders them."""
    chosen = next(
        (environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), ""
    )
    return "fr" if chosen.lower().startswith("fr") else "en"


def print_report(path: Path, report: Report, *, console: Console | None = None) -> None:
    """Print every check of a bundle, with what to do for each that failed, and the verdict."""
    tongue, console = language(os.environ), console or Console()
    table = Table(title=_plain(path.name), title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in report.checks:
        table.add_row(*_row(check, tongue))
    console.print(table)
    counts = {status: sum(check.status is status for check in report.checks) for status in CheckStatus}
    verdict = _VERDICTS[tongue][report.held].format(
        held=counts[CheckStatus.HELD],
        open=counts[CheckStatus.NOT_CHECKED],
        failed=counts[CheckStatus.FAILED],
    )
    console.print(verdict, style="bold green" if report.held else "bold red", highlight=False)


def _row(check: Check, tongue: Language) -> tuple[str, str, str]:
    text = link_texts()[check.name]
    detail = _plain(check.said.text(tongue))
    if check.status is CheckStatus.FAILED:
        detail += f"\n{_ADVICE[tongue]}: {escape(text.advice[tongue])}"
    colour = _COLOURS[check.status]
    return f"[{colour}]{_STATUSES[tongue][check.status]}[/]", escape(text.title[tongue]), detail


def _plain(text: str) -> str:
    """Return a stranger's words so that a terminal shows them and does nothing else."""
    return escape("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text))


def report_json(path: Path, report: Report) -> dict[str, object]:
    """Return a report as the JSON object that ``archive verify --json`` prints, one a line."""
    return {
        "file": str(path),
        "status": "verified" if report.held else "not-verified",
        "checks": [
            {"name": check.name, "status": check.status.value, "detail": check.detail, "advice": check.advice}
            for check in report.checks
        ],
    }
