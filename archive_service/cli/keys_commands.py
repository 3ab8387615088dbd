"""``archive keys``: API keys of the tenant, and the master key's backup."""

from __future__ import annotations

import os
from pathlib import Path

import typer
from rich.table import Table

from archive_service.adapters import master_key
from archive_service.adapters.embedded.state import recall
from archive_service.cli.client import Archive, problem_text
from archive_service.cli.words import CannotRun, ExitCode, out, print_json, say
from archive_service.keys.errors import KeysError


def create(archive: Archive, name: str, scopes: list[str], *, as_json: bool) -> ExitCode:
    """Make an API key and print its token, once."""
    answer = archive.request("POST", "/v1/api-keys", json={"name": name, "scopes": scopes})
    if answer.is_error:
        raise CannotRun(problem_text(answer))
    key = answer.json()
    if as_json:
        print_json(key)
    else:
        out.print(f"[bold]{key['token']}[/]")
        out.print(say("It is shown once: keep it now.", "Elle n'est montrée qu'une fois : gardez-la."))
    return ExitCode.WELL


def show_all(archive: Archive, *, as_json: bool) -> ExitCode:
    """List the tenant's API keys."""
    keys = archive.get("/v1/api-keys").json()["keys"]
    if as_json:
        for key in keys:
            print_json(key)
        return ExitCode.WELL
    table = Table("id", say("name", "nom"), say("scopes", "portées"), say("state", "état"), box=None)
    for key in keys:
        state = say("revoked", "révoquée") if key["revoked_at"] else say("valid", "valide")
        table.add_row(key["key_id"], key["name"], " ".join(key["scopes"]), state)
    out.print(table)
    return ExitCode.WELL


def revoke(archive: Archive, key_id: str) -> ExitCode:
    """Revoke an API key."""
    answer = archive.request("DELETE", f"/v1/api-keys/{key_id}")
    if answer.is_error:
        raise CannotRun(problem_text(answer))
    out.print(say("Revoked.", "Révoquée."))
    return ExitCode.WELL


def _master_key(data: Path) -> Path:
    """Return where the master key is, or goes: as the environment says, or in the data folder."""
    named = os.environ.get("MASTER_KEY") or recall(data / "run" / "environment.json").get("MASTER_KEY")
    return Path(str(named)) if named else data / "master-key"


def _passphrase(*, confirm: bool) -> str:
    given = os.environ.get("ARCHIVE_PASSPHRASE")
    prompt = say("Passphrase of the backup", "Phrase secrète de la sauvegarde")
    return given or str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm))


def backup(data: Path, target: Path) -> ExitCode:
    """Write the master key, encrypted under a passphrase, to a file."""
    try:
        master_key.backup(_master_key(data), to=target, passphrase=_passphrase(confirm=True))
    except (KeysError, OSError, ValueError) as error:
        raise CannotRun(str(error)) from error
    out.print(say(f"Written: {target}. Keep it apart.", f"Écrit : {target}. Gardez-le à part."))
    return ExitCode.WELL


def restore(data: Path, source: Path) -> ExitCode:
    """Put the master key back from its backup; a different key that is there stays."""
    try:
        master_key.restore(source, path=_master_key(data), passphrase=_passphrase(confirm=False))
    except (KeysError, OSError, ValueError) as error:
        raise CannotRun(str(error)) from error
    out.print(say("Restored.", "Restaurée."))
    return ExitCode.WELL
