"""kill -9 at every named point: each deposit ends, once, and database, store and log agree afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_service.adapters.embedded.stack import Stack
from archive_service.cli.client import Archive
from archive_service.pipeline.crash_points import CrashPoint

from .harness import check_outcomes, fresh, fsck

# These stand for the kinds of place: before and after a row, an object, a signature, a swap. The others
# take their turn in `make test-long`.
IN_CI = (
    CrashPoint.RECEIVE_RECORDED,
    CrashPoint.SEAL_STAGED,
    CrashPoint.STORE_OBJECT_PUT,
    CrashPoint.JOURNAL_ENTERED,
    CrashPoint.SEQUENCE_STAGED,
    CrashPoint.SEQUENCE_SWAPPED,
    CrashPoint.RECEIPT_PUT,
)
DIED_WITHIN = 60.0


@pytest.fixture(scope="module")
def armed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Path]]:
    """Run an archive whose processes die where a file of the point's name stands."""
    crashes = tmp_path_factory.mktemp("crashes")
    variables = {"ARCHIVE_CRASH_DIR": str(crashes), "CHECKPOINT_STAMP_SECONDS": "1"}
    with Stack(data=tmp_path_factory.mktemp("armed"), variables=variables) as stack:
        yield stack, crashes


def _die_at(point: CrashPoint, armed: tuple[Stack, Path], folder: Path) -> None:
    stack, crashes = armed
    fuse = crashes / point.value
    with Archive(stack.url, stack.token) as archive:
        fuse.touch()
        outcomes = [{"expected": "archived", **archive.deposit(fresh(folder), None)}]
        deadline = time.monotonic() + DIED_WITHIN
        while fuse.exists():  # stamps come a little later than receipts
            assert time.monotonic() < deadline, f"nothing passed {point}"
            time.sleep(0.1)
        outcomes.append({"expected": "archived", **archive.deposit(fresh(folder), None)})
    check_outcomes(outcomes)


@pytest.mark.parametrize("point", IN_CI)
def test_a_deposit_survives_a_kill_at(point: CrashPoint, armed: tuple[Stack, Path], tmp_path: Path) -> None:
    """Pins that a process killed there loses nothing: this deposit and the next are archived."""
    _die_at(point, armed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("point", sorted(set(CrashPoint) - set(IN_CI)))
def test_a_deposit_survives_a_kill_at_the_others(
    point: CrashPoint, armed: tuple[Stack, Path], tmp_path: Path
) -> None:
    """Pins the same for every other point."""
    _die_at(point, armed, tmp_path)


def test_afterwards_everything_agrees(armed: tuple[Stack, Path]) -> None:
    """Pins that the kills above left no record without its entry, and no entry without its record."""
    assert fsck(armed[0]) == "exit 0\n"
