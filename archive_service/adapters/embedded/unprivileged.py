"""PostgreSQL refuses to run as root. Where we are root, it runs as ``nobody``; else as ourselves.

A checkout or a data folder may lie below a folder that only root may enter (a home, a temporary folder). Then
``setpriv`` (util-linux) keeps one capability for the server, CAP_DAC_READ_SEARCH: to pass through folders and
read. Modes of folders that are not ours stay as they are.
"""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from archive_service.model import ArchiveError

_THROUGH = "dac_read_search"


class CannotDropRoot(ArchiveError):
    """We are root, and the part that refuses root cannot be started as anyone else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """As whom to run, and what to put before the command."""

    user: int | None = None
    group: int | None = None
    prefix: tuple[str, ...] = ()

    def own(self, path: Path) -> None:
        """Give a file or folder, not what is in it, to whom we run as."""
        if (user := self.owner) is not None:
            os.chown(path, *user)

    @property
    def owner(self) -> tuple[int, int] | None:
        """User and group number; None: ourselves."""
        if os.geteuid() != 0:
            return None
        nobody = pwd.getpwnam("nobody")
        return nobody.pw_uid, nobody.pw_gid


def choose(*paths: Path) -> Runner:
    """Return how to run a command that needs to reach these paths. Raises CannotDropRoot."""
    runner = Runner()
    if (owner := runner.owner) is None:
        return runner
    if all(_open_to_all(path) for path in paths):
        return Runner(user=owner[0], group=owner[1])
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise CannotDropRoot(
            f"PostgreSQL will not run as root, and the user nobody cannot enter {paths[0]}: "
            "choose folders that everyone may enter, run as another user, or install util-linux (setpriv)."
        )
    prefix = (
        setpriv,
        f"--reuid={owner[0]}",
        f"--regid={owner[1]}",
        "--clear-groups",
        f"--bounding-set=-all,+{_THROUGH}",
        f"--inh-caps=-all,+{_THROUGH}",
        f"--ambient-caps=-all,+{_THROUGH}",
        "--",
    )
    return Runner(prefix=prefix)


def _open_to_all(path: Path) -> bool:
    """Say whether every folder above this path may be entered by everyone."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
