"""Staging on a real folder: whole files or none, and room kept free."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive_service.adapters.staging import FolderStaging
from archive_service.ports import StagingFull

NEVER_ENOUGH = 2**62


@pytest.fixture
def staging(tmp_path: Path) -> FolderStaging:
    """Return staging in a new folder."""
    return FolderStaging(tmp_path / "staging")


def _left(staging: FolderStaging) -> list[str]:
    return sorted(path.name for path in staging.root.iterdir())


def test_what_is_written_is_there_under_its_name(staging: FolderStaging) -> None:
    """The file is where ``path`` says, and nothing else is left in the folder, which is private."""
    path = staging.write("one.pdf", b"bytes")
    assert path == staging.path("one.pdf")
    assert path.read_bytes() == b"bytes"
    assert _left(staging) == ["one.pdf"]
    assert stat.S_IMODE(staging.root.stat().st_mode) == 0o700


def test_write_replaces_whole(staging: FolderStaging) -> None:
    """A second write of a name replaces the file at once, and a reader of the first keeps the first."""
    path = staging.write("one", b"first, and longer")
    with path.open("rb") as reader:
        staging.write("one", b"second")
        assert reader.read() == b"first, and longer"
    assert path.read_bytes() == b"second"


def test_discard_twice_is_fine(staging: FolderStaging) -> None:
    """A deposit that ends twice (after a crash) cleans up twice."""
    staging.write("one", b"")
    staging.discard("one")
    staging.discard("one")
    assert _left(staging) == []


def test_an_upload_in_chunks_exists_only_after_commit(staging: FolderStaging) -> None:
    """Nobody sees half a document under its name."""
    with staging.open_upload("one") as upload:
        for chunk in (b"a", b"", b"bc"):
            upload.write(chunk)
            assert not staging.path("one").exists()
        upload.commit()
        assert staging.path("one").read_bytes() == b"abc"
    assert staging.path("one").read_bytes() == b"abc"


def _give_up(staging: FolderStaging) -> None:
    with staging.open_upload("one") as upload:
        upload.write(b"half")
        raise RuntimeError


def test_an_upload_given_up_leaves_nothing(staging: FolderStaging) -> None:
    """Leaving without commit, or by an error, removes what was written."""
    with staging.open_upload("one") as upload:
        upload.write(b"half")
    with pytest.raises(RuntimeError):
        _give_up(staging)
    assert _left(staging) == []


def test_two_uploads_of_one_name_do_not_mix(staging: FolderStaging) -> None:
    """Each writes its own file; the last to commit stands, whole."""
    with staging.open_upload("one") as first, staging.open_upload("one") as second:
        first.write(b"first")
        second.write(b"second")
        first.commit()
        second.commit()
    assert staging.path("one").read_bytes() == b"second"
    assert _left(staging) == ["one"]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/etc/x", ".hidden", "a\0b", "a\nb", "é", "x" * 201, "-rf"]
)
def test_a_name_that_could_lead_elsewhere_is_refused(staging: FolderStaging, name: str) -> None:
    """No name leaves the folder, hides in it, or is taken for an unfinished file."""
    for act in (
        lambda: staging.path(name),
        lambda: staging.write(name, b""),
        lambda: staging.discard(name),
    ):
        with pytest.raises(ValueError, match="not a name"):
            act()
    assert _left(staging) == []


def test_without_the_floor_nothing_is_taken(tmp_path: Path) -> None:
    """When the disk has less free than the floor, an upload is refused before its first byte."""
    staging = FolderStaging(tmp_path / "staging", keep_free=NEVER_ENOUGH)
    with pytest.raises(StagingFull):
        staging.write("one", b"bytes")
    assert _left(staging) == []


def test_a_chunk_that_would_break_the_floor_is_refused(staging: FolderStaging) -> None:
    """The floor counts while a document streams in, too; what had come is removed."""
    with staging.open_upload("one") as upload:
        upload.write(b"fits")
        staging._keep_free = NEVER_ENOUGH  # as if the disk had filled up meanwhile
        with pytest.raises(StagingFull):
            upload.write(b"does not")
    assert _left(staging) == []


def _upload_to_full_disk(staging: FolderStaging, size: int) -> None:
    with staging.open_upload("one") as upload:
        upload._file.close()
        upload._file = Path("/dev/full").open("wb")  # noqa: SIM115 -- the upload closes it
        upload.write(bytes(size))
        upload.commit()


@pytest.mark.parametrize("size", [10, 10_000_000], ids=["at commit", "at write"])
def test_a_disk_that_fills_up_is_staging_full(staging: FolderStaging, size: int) -> None:
    """ENOSPC, the kernel's own from ``/dev/full``, is StagingFull, and the part written is removed."""
    with pytest.raises(StagingFull):
        _upload_to_full_disk(staging, size)
    assert _left(staging) == []


_HALF = """
import os, sys, time
from pathlib import Path
from archive_service.adapters.staging import FolderStaging
with FolderStaging(Path(sys.argv[1])).open_upload("one") as upload:
    upload.write(b"half" * 100_000)
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_process_killed_while_it_writes_leaves_what_sweep_removes(staging: FolderStaging) -> None:
    """After kill -9 there is no file of that name, only an unfinished one, which goes when it is old."""
    with subprocess.Popen(
        [sys.executable, "-c", _HALF, str(staging.root)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        os.kill(writer.pid, signal.SIGKILL)
    whole = staging.write("two", b"whole")
    assert not staging.path("one").exists()
    assert len(_left(staging)) == 2
    now = time.time()
    assert staging.sweep(older_than=now - 3600) == 0
    assert staging.sweep(older_than=now + 3600) == 1
    assert _left(staging) == [whole.name]
