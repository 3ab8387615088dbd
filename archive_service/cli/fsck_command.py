"""``archive fsck``: on the machine of the archive, with its own settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from archive_service.adapters.embedded.state import recall
from archive_service.cli.words import CannotRun, ExitCode, out, print_json, say


def run(data: Path, *, as_json: bool) -> ExitCode:
    """Compare database, store and logs, and print what does not fit. Raises CannotRun."""
    settings = {name: str(value) for name, value in recall(data / "run" / "environment.json").items()}
    done = subprocess.run(
        [sys.executable, "-m", "archive_service.main", "fsck"],
        env={**settings, **os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1) or (done.returncode and not done.stdout):
        raise CannotRun(done.stderr.strip()[-2000:])
    for line in done.stdout.splitlines():
        finding = json.loads(line)
        if as_json:
            print_json(finding)
        else:
            out.print(f"[red]✗[/] {finding['place']}: {finding['problem']}")
    if done.returncode == 0 and not as_json:
        out.print(say("[green]✓[/] Nothing is amiss.", "[green]✓[/] Tout est en ordre."))
    return ExitCode.NOT_ALL if done.returncode else ExitCode.WELL
