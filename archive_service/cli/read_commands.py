"""``archive show``, ``search`` and ``fetch``: what is in the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table

from archive_service.cli.client import Archive, save
from archive_service.cli.deposit_command import table_of
from archive_service.cli.words import ExitCode, out, print_json, say


def show(archive: Archive, deposit_id: str, *, as_json: bool) -> ExitCode:
    """Show a deposit; a record has the identifier of the deposit that made it."""
    deposit: dict[str, Any] = archive.get(f"/v1/deposits/{deposit_id}").json()
    if as_json:
        print_json(deposit)
    else:
        out.print(table_of(Path(deposit["original"]["file_name"] or deposit_id), deposit))
    return ExitCode.WELL


def search(archive: Archive, criteria: dict[str, str], *, as_json: bool) -> ExitCode:
    """List every record that fits."""
    table = Table(box=None)
    for title in (
        say("Number", "Numéro"),
        say("Date", "Date"),
        say("Seller", "Vendeur"),
        say("Kept until", "Conservé jusqu'au"),
        say("Record", "Enregistrement"),
    ):
        table.add_column(title, overflow="fold")
    cursor: dict[str, str] = {}
    while True:
        page = archive.get("/v1/records", **criteria, **cursor).json()
        for record in page["records"]:
            if as_json:
                print_json(record)
            else:
                table.add_row(*_row(record))
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    if not as_json:
        out.print(table if table.row_count else say("Nothing fits.", "Rien ne correspond."))
    return ExitCode.WELL


def _row(record: dict[str, Any]) -> tuple[str, ...]:
    metadata = record["metadata"]
    seller = metadata["seller"].get("name", "")
    return (
        metadata["number"],
        metadata["issue_date"],
        seller,
        record["retain_until"][:10],
        record["record_id"],
    )


def fetch(archive: Archive, record_id: str, what: str, target: Path) -> ExitCode:
    """Write one thing of a record to a file, whole or not at all."""
    save(target, archive.get(f"/v1/records/{record_id}/{what}").content)
    return ExitCode.WELL
