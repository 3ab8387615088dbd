"""``archive up``: the whole stack in the foreground."""

from __future__ import annotations

from pathlib import Path

from archive_service.adapters.embedded import Address, serve
from archive_service.adapters.embedded.processes import DidNotStart
from archive_service.adapters.embedded.state import DataInUse
from archive_service.adapters.embedded.up import IncompleteSettings
from archive_service.cli.words import CannotRun, ExitCode, err, out, print_json, say


def run(data: Path, port: int | None, *, as_json: bool) -> ExitCode:
    """Serve until Ctrl-C. Raises CannotRun."""

    def announce(address: Address) -> None:
        if as_json:
            print_json({"url": address.url, "token": address.token, "data": str(address.data)})
            return
        out.print(
            say(
                f"\nThe archive runs at   [bold]{address.url}[/]\n"
                f"First API key         [bold]{address.token}[/]\n"
                f"Its data lie in       {address.data}\n\n"
                "Try: .venv/bin/archive deposit invoice.pdf      Stop: Ctrl-C\n",
                f"\nL'archive tourne sur  [bold]{address.url}[/]\n"
                f"Première clé d'API    [bold]{address.token}[/]\n"
                f"Ses données sont dans {address.data}\n\n"
                "Essayez : .venv/bin/archive deposit facture.pdf   Arrêt : Ctrl-C\n",
            )
        )

    try:
        return ExitCode(serve(data=data, port=port, announce=announce, report=lambda text: err.print(text)))
    except (DataInUse, DidNotStart, IncompleteSettings) as error:
        raise CannotRun(str(error)) from error
