"""``archive``: the API's mirror for the terminal, and the offline verifier.

Each command's module is imported when it runs: ``archive verify`` needs the base dependencies only.
"""

# Typer reads the parameters' types when the commands are declared, so no postponed annotations here.
import sys
from pathlib import Path
from typing import Annotated

import typer

from archive_service.cli.words import CannotRun, ExitCode, err, print_json, say

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
keys_app = typer.Typer(no_args_is_help=True, help="API keys, and the master key's backup.")
app.add_typer(keys_app, name="keys")

Data = Annotated[Path, typer.Option("--data", help="The archive's data folder.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
DATA = Path("var/data")


def _end(code: ExitCode) -> None:
    raise typer.Exit(code)


@app.command()
def up(
    data: Data = DATA,
    port: Annotated[int | None, typer.Option(help="The API's port; a free one by default.")] = None,
    as_json: Json = False,
) -> None:
    """Run the whole archive in the foreground, until Ctrl-C."""
    from archive_service.cli import up_command

    _end(up_command.run(data, port, as_json=as_json))


@app.command()
def deposit(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders of PDFs.")],
    metadata: Annotated[Path | None, typer.Option(help="A JSON file that goes with each.")] = None,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Deposit invoices and wait for their end."""
    from archive_service.cli import deposit_command
    from archive_service.cli.client import Archive

    _end(deposit_command.run(Archive.find(data), paths, metadata=metadata, as_json=as_json))


@app.command()
def show(
    deposit_id: Annotated[str, typer.Argument(help="A deposit, or a record.")],
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Show a deposit or a record."""
    from archive_service.cli import read_commands
    from archive_service.cli.client import Archive

    _end(read_commands.show(Archive.find(data), deposit_id, as_json=as_json))


@app.command()
def search(
    number: Annotated[str | None, typer.Option(help="The invoice's number.")] = None,
    issued_from: Annotated[str | None, typer.Option("--from", help="Issued on that day or later.")] = None,
    issued_to: Annotated[str | None, typer.Option("--to", help="Issued on that day or earlier.")] = None,
    seller: Annotated[str | None, typer.Option(help="Part of the name, a SIREN or a VAT number.")] = None,
    piece_ref: Annotated[str | None, typer.Option(help="FEC: PieceRef.")] = None,
    piece_date: Annotated[str | None, typer.Option(help="FEC: PieceDate.")] = None,
    sha256: Annotated[str | None, typer.Option(help="Of the original.")] = None,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Find archived records."""
    from archive_service.cli import read_commands
    from archive_service.cli.client import Archive

    given = {
        "number": number,
        "issued_from": issued_from,
        "issued_to": issued_to,
        "seller": seller,
        "piece_ref": piece_ref,
        "piece_date": piece_date,
        "sha256": sha256,
    }
    criteria = {name: value for name, value in given.items() if value is not None}
    _end(read_commands.search(Archive.find(data), criteria, as_json=as_json))


@app.command()
def fetch(
    record: Annotated[str, typer.Argument(help="A record.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    original: Annotated[bool, typer.Option("--original", help="The document as it was deposited.")] = False,
    sealed: Annotated[bool, typer.Option("--sealed", help="The sealed copy.")] = False,
    verdict: Annotated[bool, typer.Option("--verdict", help="What the checks found.")] = False,
    receipt: Annotated[bool, typer.Option("--receipt", help="The signed receipt.")] = False,
    evidence: Annotated[bool, typer.Option("--evidence", help="The evidence bundle.")] = False,
    data: Data = DATA,
) -> None:
    """Write one thing of a record to a file."""
    from archive_service.cli import read_commands
    from archive_service.cli.client import Archive

    given = {
        "original": original,
        "sealed": sealed,
        "verdict": verdict,
        "receipt": receipt,
        "evidence": evidence,
    }
    chosen = [name for name, wanted in given.items() if wanted]
    if len(chosen) != 1:
        raise CannotRun(
            say(f"Choose one of --{', --'.join(given)}.", f"Choisissez parmi --{', --'.join(given)}.")
        )
    _end(read_commands.fetch(Archive.find(data), record, chosen[0], output))


@app.command()
def verify(
    bundles: Annotated[list[Path], typer.Argument(help="Evidence bundles.")],
    roots: Annotated[Path | None, typer.Option(help="PEM of the roots that you trust.")] = None,
    log_vkey: Annotated[str | None, typer.Option(help="The log's key as you know it.")] = None,
    as_json: Json = False,
) -> None:
    """Check evidence bundles offline: every link, and what cannot be checked."""
    from archive_service.cli.verify_command import print_report, report_json
    from archive_service.verification import verify_file
    from signing.errors import SigningError

    held = True
    for path in bundles:
        try:
            report = verify_file(path, roots=roots, log_vkey=log_vkey)
        except (OSError, SigningError) as error:
            raise CannotRun(str(error)) from error
        held = held and report.held
        if as_json:
            print_json(report_json(path, report))
        else:
            print_report(path, report)
    _end(ExitCode.WELL if held else ExitCode.NOT_ALL)


@app.command()
def fsck(as_json: Json = False, data: Data = DATA) -> None:
    """Compare database, store and logs, on the archive's own machine."""
    from archive_service.cli import fsck_command

    _end(fsck_command.run(data, as_json=as_json))


@app.command()
def demo(files: Annotated[list[Path] | None, typer.Argument(help="Invoices of your own.")] = None) -> None:
    """Go from an invoice to a proof, on an archive of its own under var/demo."""
    from archive_service.cli import demo_command

    _end(demo_command.run(files or []))


@keys_app.command("create")
def keys_create(
    name: Annotated[str, typer.Argument(help="Who will use it.")],
    scope: Annotated[list[str], typer.Option(help="deposit, read, admin; several may be given.")],
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Make an API key."""
    from archive_service.cli import keys_commands
    from archive_service.cli.client import Archive

    _end(keys_commands.create(Archive.find(data), name, scope, as_json=as_json))


@keys_app.command("list")
def keys_list(as_json: Json = False, data: Data = DATA) -> None:
    """List the API keys."""
    from archive_service.cli import keys_commands
    from archive_service.cli.client import Archive

    _end(keys_commands.show_all(Archive.find(data), as_json=as_json))


@keys_app.command("revoke")
def keys_revoke(key_id: Annotated[str, typer.Argument()], data: Data = DATA) -> None:
    """Revoke an API key, at once and for ever."""
    from archive_service.cli import keys_commands
    from archive_service.cli.client import Archive

    _end(keys_commands.revoke(Archive.find(data), key_id))


@keys_app.command("backup")
def keys_backup(to: Annotated[Path, typer.Option(help="The file to write.")], data: Data = DATA) -> None:
    """Back up the master key, encrypted under a passphrase (or ARCHIVE_PASSPHRASE)."""
    from archive_service.cli import keys_commands

    _end(keys_commands.backup(data, to))


@keys_app.command("restore")
def keys_restore(
    source: Annotated[Path, typer.Option("--from", help="The backup.")], data: Data = DATA
) -> None:
    """Put the master key back from its backup."""
    from archive_service.cli import keys_commands

    _end(keys_commands.restore(data, source))


def main() -> None:
    """Run, and end with the exit code that the command means."""
    try:
        app()
    except CannotRun as error:
        err.print(f"[bold red]{say('Cannot run', 'Impossible')}:[/] {error}", markup=True)
        sys.exit(ExitCode.COULD_NOT_RUN)
