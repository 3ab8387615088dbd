"""``archive deposit``: files and folders, several at a time, each to its end."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from archive_service.cli.client import Archive
from archive_service.cli.outcomes import outcome_json, rows
from archive_service.cli.words import CannotRun, ExitCode, err, out, print_json, say

IN_FLIGHT = 4


def files_of(paths: list[Path]) -> list[Path]:
    """Return the files, and the PDFs in the folders, each once. Raises CannotRun for what is not there."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys(sorted(path.rglob("*.pdf"))))
        elif path.is_file():
            found[path] = None
        else:
            raise CannotRun(say(f"There is no file {path}.", f"Il n'y a pas de fichier {path}."))
    return list(found)


def deposit_all(
    archive: Archive, files: list[Path], metadata: bytes | None
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Deposit all; give each back as it ends, under a progress bar on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar, ThreadPoolExecutor(IN_FLIGHT) as pool:
        task = bar.add_task(say("depositing", "dépôt"), total=len(files))
        running = {pool.submit(_deposit, archive, path, metadata): path for path in files}
        for done in as_completed(running):
            bar.advance(task)
            yield running[done], done.result()


def _deposit(archive: Archive, path: Path, metadata: bytes | None) -> dict[str, Any]:
    try:
        return archive.deposit(path, metadata)
    except (CannotRun, OSError) as error:
        return {"state": "failed", "problem": {"title": str(error)}}


def table_of(path: Path, deposit: dict[str, Any]) -> Table:
    """Return what became of a file, readable."""
    table = Table(title=f"[bold]{path.name}[/]", title_justify="left", show_header=False, box=None)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows(deposit):
        table.add_row(*row)
    return table


def run(archive: Archive, paths: list[Path], *, metadata: Path | None, as_json: bool) -> ExitCode:
    """Deposit, print, and say how it went."""
    sent = metadata.read_bytes() if metadata else None
    states = set()
    for path, deposit in deposit_all(archive, files_of(paths), sent):
        states.add(deposit["state"])
        if as_json:
            print_json(outcome_json(path, deposit))
        else:
            out.print(table_of(path, deposit), "")
    if "failed" in states:
        return ExitCode.COULD_NOT_RUN
    return ExitCode.WELL if states <= {"archived"} else ExitCode.NOT_ALL
