"""kill -9 at random, of every part, while clients deposit: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from archive_service.adapters.embedded.stack import Stack
from archive_service.cli.client import Archive

from .harness import CHECKERS, PARTS, Load, check_outcomes, fsck, pids_of


def _kill(stack: Stack, name: str) -> bool:
    pids = pids_of(stack, name)
    if not pids:
        return False  # it is being started again
    os.kill(random.choice(pids), signal.SIGKILL)  # noqa: S311 - no secret
    return True


def _survive(stack: Stack, folder: Path, shown: pytest.CaptureFixture[str], *, kills: int) -> None:
    killed: Counter[str] = Counter()
    names = (*PARTS, *CHECKERS)
    with Load(Archive(stack.url, stack.token), folder) as load:
        while killed.total() < kills:
            time.sleep(random.uniform(0.3, 3.0))  # noqa: S311 - no secret
            name = names[killed.total() % len(names)]
            killed[name] += _kill(stack, name)
        time.sleep(5)
        outcomes = load.finish()
    check_outcomes(outcomes)
    with shown.disabled():
        print(
            f"\nsurvived {killed.total()} kills ({dict(killed)}): {len(outcomes)} deposits, each ended once"
        )
    assert fsck(stack) == "exit 0\n"


@pytest.mark.long
def test_a_few_kills_of_every_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pins recovery from the death of each part in turn, under load."""
    folder = tmp_path / "invoices"
    folder.mkdir()
    with Stack(data=tmp_path / "data", variables={"CHECKPOINT_STAMP_SECONDS": "1"}) as stack:
        _survive(stack, folder, capsys, kills=len(PARTS) + len(CHECKERS))


@pytest.mark.long
def test_a_second_start_after_the_supervisor_s_death(tmp_path: Path) -> None:
    """Pins kill -9 of the supervisor: the next start stops what was left, and finds everything as it was."""
    folder = tmp_path / "invoices"
    folder.mkdir()
    stack = Stack(data=tmp_path / "data").start()
    with Load(Archive(stack.url, stack.token), folder, clients=1) as load:
        time.sleep(3)
        url = stack.url
        stack.kill("supervisor")
        with Stack(data=tmp_path / "data") as again:
            assert again.url == url
            outcomes = load.finish()
            assert outcomes
            check_outcomes(outcomes)
            assert fsck(again) == "exit 0\n"


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_five_hundred_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pins the same at length."""
    folder = tmp_path / "invoices"
    folder.mkdir()
    with Stack(data=tmp_path / "data", variables={"CHECKPOINT_STAMP_SECONDS": "1"}) as stack:
        _survive(stack, folder, capsys, kills=500)
