"""The supervisor over the real servers, with a stand-in for the service's own processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from archive_service.adapters.embedded.processes import DidNotStart, identify
from archive_service.adapters.embedded.stack import Stack
from archive_service.adapters.embedded.supervisor import MARK, mark

RUN_STACK = (sys.executable, str(Path(__file__).with_name("run_stack.py")))
PARTS = {"postgres", "seaweedfs", "pki", "api", "worker-1", "supervisor"}


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until it holds; say whether it came to."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive_with_mark(data: Path) -> list[int]:
    """Find every process that belongs to the data folder, its grandchildren too, by its environment."""
    wanted, found = f"{MARK}={mark(data)}".encode(), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if wanted in environment and identify(int(entry.name)):
                found.append(int(entry.name))
    return found


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Stack]:
    """A stack that is not started yet, and is stopped at the end whatever the test did to it."""
    stack = Stack(data=tmp_path, command=(*RUN_STACK, str(tmp_path)))
    yield stack
    stack.stop()


def test_it_starts_everything_and_stops_everything(small: Stack) -> None:
    """Ready: requests are answered. Stopped: no process is left, grandchildren included."""
    small.start()
    assert set(small.pids()) == PARTS
    assert httpx.get(f"{small.url}/readyz").status_code == httpx.codes.OK
    assert small.token == "first-token"
    pids = list(small.pids().values())
    assert len(alive_with_mark(small.data)) > len(PARTS) - 1  # the worker's own child as well
    assert small.stop() == 0
    assert [pid for pid in pids if identify(pid)] == []
    assert alive_with_mark(small.data) == []


def test_what_dies_is_started_again_at_the_same_address(small: Stack) -> None:
    """Every part, in turn of its name, and the clients' settings stay true."""
    small.start()
    before = small.pids()
    for name in sorted(PARTS - {"supervisor"}):
        small.kill(name)
    assert eventually(
        lambda: (
            set(small.pids()) == PARTS
            and not set(before.values()) - {before["supervisor"]} & set(small.pids().values())
        )
    )
    owner = small.environment["DATABASE_OWNER_URL"]
    assert eventually(lambda: _connects(owner))
    assert eventually(lambda: _answers(f"{small.url}/readyz"))


def test_after_a_kill_of_the_supervisor_the_next_start_cleans_up(small: Stack) -> None:
    """Nothing of the killed run goes on, nothing is lost, and the address is the same."""
    small.start()
    url, left = small.url, small.pids()
    del left["supervisor"]
    small.kill("supervisor")
    marked = set(alive_with_mark(small.data))
    assert set(left.values()) <= marked
    small.start()
    assert small.url == url
    assert small.token == "first-token"
    assert [pid for pid in marked if identify(pid)] == []
    assert set(small.pids()) == PARTS


def test_what_was_started_and_not_yet_recorded_is_found_too(small: Stack) -> None:
    """A kill between the start of a part and its record leaves it to its mark in the environment."""
    small.start()
    small.kill("supervisor")
    marked = alive_with_mark(small.data)
    (small.data / "run" / "processes.json").unlink()
    small.start()
    assert [pid for pid in marked if identify(pid)] == []
    assert set(small.pids()) == PARTS


def test_two_supervisors_on_one_folder_refuse(small: Stack) -> None:
    """The second says so and touches nothing of the first."""
    small.start()
    before = small.pids()
    second = subprocess.run(
        (*RUN_STACK, str(small.data)), capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode != 0
    assert "already runs" in second.stderr
    assert small.pids() == before


def test_a_program_that_does_not_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """And what had been started for it is stopped."""
    stack = Stack(data=tmp_path, command=(*RUN_STACK, str(tmp_path), "broken"))
    with pytest.raises(DidNotStart, match="ended with 3"):
        stack.start()
    assert alive_with_mark(tmp_path) == []


def test_a_signal_during_the_start_stops_it_cleanly(tmp_path: Path) -> None:
    """Ctrl-C is honoured before everything runs, too."""
    with subprocess.Popen((*RUN_STACK, str(tmp_path)), stdout=subprocess.DEVNULL) as process:
        assert eventually((tmp_path / "run" / "processes.json").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert alive_with_mark(tmp_path) == []


def test_a_part_given_from_outside_is_not_started(small: Stack, pki_variables: dict[str, str]) -> None:
    """With TSA_URLS and its companions set, the stack runs no PKI and hands the given settings on."""
    with Stack(data=small.data, command=(*RUN_STACK, str(small.data)), variables=pki_variables) as stack:
        assert set(stack.pids()) == PARTS - {"pki"}
        assert "TSA_URLS" not in stack.environment  # it is in the environment already


def test_a_part_given_by_halves_is_refused(tmp_path: Path) -> None:
    """S3_ENDPOINT without keys is a mistake to name, not one to find out later."""
    stack = Stack(
        data=tmp_path, command=(*RUN_STACK, str(tmp_path)), variables={"S3_ENDPOINT": "http://127.0.0.1:9"}
    )
    with pytest.raises(DidNotStart, match="S3_ACCESS_KEY, S3_SECRET_KEY must be set"):
        stack.start()


@pytest.fixture
def pki_variables(tmp_path: Path) -> dict[str, str]:
    """Settings of a PKI elsewhere; the stand-in never asks it for anything."""
    names = ("TRUST_ROOTS", "SEAL_KEY", "SEAL_CERTIFICATES")
    return {"TSA_URLS": "http://127.0.0.1:9/tsa", **{name: os.fspath(tmp_path / name) for name in names}}


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
