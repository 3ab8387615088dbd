"""What became of a file: as a JSON line for programs, as a row for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archive_service.cli.words import say

SHOWN = 3  # findings in a table; `--json` and the problem document have them all


def outcome_json(path: Path, deposit: dict[str, Any]) -> dict[str, object]:
    """Return what ``archive deposit --json`` prints for a file."""
    verdict = deposit.get("verdict") or {}
    pdfa, invoice = verdict.get("pdfa"), verdict.get("invoice")
    line: dict[str, object] = {"file": str(path), "status": deposit["state"]}
    if deposit.get("deposit_id"):
        line["deposit_id"] = deposit["deposit_id"]
    if deposit.get("record_id"):
        line["record_id"] = deposit["record_id"]
    if deposit.get("problem"):
        problem = deposit["problem"]
        line["problem"] = {name: problem[name] for name in ("type", "title", "detail") if name in problem}
    line["pdfa"] = pdfa and {
        "flavour": pdfa["flavour"],
        "conformant": pdfa["check"]["outcome"] == "conformant",
    }
    line["invoice"] = invoice and _invoice_json(invoice)
    return line


def _invoice_json(invoice: dict[str, Any]) -> dict[str, object]:
    xsd, schematron = invoice["xsd"], invoice["schematron"]
    errors = [item for item in (schematron or {}).get("findings", ()) if item["severity"] == "error"]
    return {
        "profile": invoice["profile"],
        "xsd_valid": xsd and xsd["outcome"] == "conformant",
        "schematron_errors": len(errors) if schematron else None,
    }


def status_text(deposit: dict[str, Any]) -> str:
    """Return the outcome as a coloured word."""
    return {
        "archived": f"[bold green]{say('archived', 'archivé')}[/]",
        "rejected": f"[bold red]{say('rejected', 'rejeté')}[/]",
    }.get(deposit["state"], f"[bold red]{say('failed', 'échec')}[/]")


def rows(deposit: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (what, how) for each thing that a person wants to know of a deposit."""
    verdict, sealed = deposit.get("verdict") or {}, None
    found = [(say("Outcome", "Issue"), status_text(deposit))]
    if problem := deposit.get("problem"):
        found.append((say("Reason", "Motif"), f"{problem['title']} {problem.get('detail', '')}"))
    if pdfa := verdict.get("pdfa"):
        flavour = f"PDF/A-{pdfa['flavour']}" if pdfa["flavour"] else "PDF/A"
        conformant = pdfa["check"]["outcome"] == "conformant"
        found.append(("veraPDF", f"{flavour} {_mark(conformant)}"))
    if verdict.get("invoice") and verdict["invoice"]["attachment"]:
        found.append((say("Invoice", "Facture"), _invoice_text(verdict["invoice"])))
    found.extend(
        ("", f"[dim]{item['severity']}[/] {item['rule']}  {item['message']}")
        for item in [f for f in verdict.get("findings", ()) if f["severity"] != "info"][:SHOWN]
    )
    if sealed := verdict.get("sealed_copy"):
        parts = ", ".join(sealed["not_qualified"])
        unqualified = f"  [yellow]{say('not qualified', 'non qualifié')} : {parts}[/]" if parts else ""
        found.append((say("Seal", "Sceau"), f"{sealed['level']}  {sealed['token_time']}{unqualified}"))
    if deposit.get("retain_until"):
        found.append((say("Locked until", "Verrouillé jusqu'au"), deposit["retain_until"]))
    if journal := deposit.get("journal"):
        size = journal["proof"].split("\n\n", 1)[-1].split("\n")[1]
        place = say(f"entry {journal['index']} of {size}", f"entrée {journal['index']} sur {size}")
        found.append((say("Journal", "Journal"), f"{place}  {journal['origin']}"))
    return found


def _invoice_text(invoice: dict[str, Any]) -> str:
    line = _invoice_json(invoice)
    errors = line["schematron_errors"]
    checks = [f"XSD {_mark(bool(line['xsd_valid']))}"]
    if errors is not None:
        checks.append(f"Schematron {_mark(not errors)}")
    return f"{invoice['profile'] or '?'}  " + "  ".join(checks)


def _mark(well: bool) -> str:
    return "[green]✓[/]" if well else "[red]✗[/]"
