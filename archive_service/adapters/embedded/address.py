"""Where a running stack is, for the CLI: ``<data>/run/address.json``, mode 0600."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from archive_service.adapters.embedded.state import recall, recall_port, recall_text, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """How to reach a running archive: its URL, an API key, its data folder."""

    url: str
    token: str
    data: Path


def write_address(address: Address) -> None:
    """Publish the address, with the pid of this supervisor."""
    facts = {"url": address.url, "token": address.token, "pid": os.getpid()}
    remember(address.data / "run" / "address.json", facts)


def remove_address(data: Path) -> None:
    """Take the address back; absent is fine."""
    (data / "run" / "address.json").unlink(missing_ok=True)


def read_address(data: Path, *, pid: int | None = None) -> Address | None:
    """Return the address of the stack that runs on this folder; None if none does.

    ``pid``: only that supervisor's. A killed supervisor's address counts as long as nobody took its place:
    the parts that it left go on serving.
    """
    facts = recall(data / "run" / "address.json")
    url, token, owner = recall_text(facts, "url"), recall_text(facts, "token"), recall_port(facts, "pid")
    if url is None or token is None or owner is None or (pid is not None and owner != pid):
        return None
    return Address(url=url, token=token, data=data)
