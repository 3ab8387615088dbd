"""``archive demo``: from an invoice to a proof, on a stack of its own that is stopped before the proof."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from archive_service.adapters.embedded.stack import Stack
from archive_service.cli.client import Archive, save
from archive_service.cli.deposit_command import deposit_all, files_of, table_of
from archive_service.cli.verify_command import print_report
from archive_service.cli.words import ExitCode, out, say
from archive_service.invoices.specimens import make_bad, make_invoice
from archive_service.verification import verify_file

FOLDER = Path("var/demo")
STAMPED_WITHIN_SECONDS = 30.0


def run(files: list[Path]) -> ExitCode:
    """Run the demonstration; well only if every outcome is as expected and every bundle verifies."""
    data = FOLDER / "data"
    shutil.rmtree(FOLDER, ignore_errors=True)
    expected = None if files else _make_specimens(FOLDER / "invoices")
    documents = files_of(files) if files else list(expected or {})
    out.print(say("Starting the archive…", "Démarrage de l'archive…"))
    variables = {"CHECKPOINT_STAMP_SECONDS": "1"}
    with Stack(data=data, variables=variables) as stack, Archive(stack.url, stack.token) as archive:
        out.print(say(f"It runs at {stack.url}\n", f"Elle tourne sur {stack.url}\n"))
        deposits = dict(deposit_all(archive, documents, None))
        bundles = [bundle for path in documents if (bundle := _show(archive, path, deposits[path]))]
    out.print(
        say(
            "The archive is stopped. What follows needs neither it nor a network.\n",
            "L'archive est arrêtée. Ce qui suit n'a besoin ni d'elle ni d'un réseau.\n",
        )
    )
    held = [_verify(path) for path in bundles]
    as_expected = all(
        deposits[path]["state"] == (expected[path] if expected else deposits[path]["state"]) != "failed"
        for path in documents
    )
    return ExitCode.WELL if as_expected and all(held) and len(held) == len(documents) else ExitCode.NOT_ALL


def _make_specimens(folder: Path) -> dict[Path, str]:
    """Write a good and two bad invoices; return what must become of each."""
    folder.mkdir(parents=True)
    issued = (datetime.now(UTC) - timedelta(days=30)).date()
    specimens = {
        "good.pdf": (make_invoice(number="F2026-0117", issue_date=issued), "archived"),
        "bad-totals.pdf": (make_bad("schematron"), "rejected"),
        "bad-not-pdfa.pdf": (make_bad("not-pdfa"), "rejected"),
    }
    for name, (body, _) in specimens.items():
        (folder / name).write_bytes(body)
    return {folder / name: outcome for name, (_, outcome) in specimens.items()}


def _show(archive: Archive, path: Path, deposit: dict[str, Any]) -> Path | None:
    """Print what became of a file, and write its bundle."""
    out.print(table_of(path, deposit))
    if "deposit_id" not in deposit:
        return None
    bundle = FOLDER / f"evidence-{deposit['deposit_id']}.zip"
    save(bundle, archive.evidence(deposit["deposit_id"], stamped_within=STAMPED_WITHIN_SECONDS))
    out.print(f"  [cyan]{say('Proof', 'Preuve')}[/]  {bundle}\n")
    return bundle


def _verify(path: Path) -> bool:
    report = verify_file(path)
    print_report(path, report, console=out)
    out.print()
    return report.held
