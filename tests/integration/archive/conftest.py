"""A client of the running archive, and invoices that no other test has deposited."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import pytest

from archive_service.adapters.embedded.stack import Stack
from archive_service.invoices.specimens import make_invoice

_numbers = itertools.count(1)
ISSUED = date(2026, 9, 30)


def fresh_number() -> str:
    """Return an invoice number that no other test uses."""
    return f"T-{uuid.uuid4().hex[:8]}-{next(_numbers)}"


def fresh_invoice(*, issue_date: date = ISSUED, **options: Any) -> bytes:
    """Return a good invoice that no other test has deposited."""
    return make_invoice(number=options.pop("number", fresh_number()), issue_date=issue_date, **options)


@dataclass(frozen=True)
class Api:
    """The archive over HTTP, as its users see it."""

    http: httpx.Client

    def deposit(
        self, document: bytes, metadata: object = None, *, wait: int = 60, **headers: str
    ) -> httpx.Response:
        """Deposit a document; ``metadata`` is sent as JSON, or as it is when it is bytes already."""
        files: dict[str, Any] = {"document": ("invoice.pdf", document, "application/pdf")}
        if metadata is not None:
            body = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
            files["metadata"] = (None, body, "application/json")
        prefer = {"Prefer": f"wait={wait}"} if wait else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post("/v1/deposits", files=files, headers={**prefer, **named}, timeout=90)

    def get(self, path: str, **parameters: str) -> httpx.Response:
        """Get a path."""
        return self.http.get(path, params=parameters, timeout=60)


@pytest.fixture(scope="session")
def api(stack: Stack) -> Iterator[Api]:
    """Speak to the running archive with the first key."""
    headers = {"Authorization": f"Bearer {stack.token}"}
    with httpx.Client(base_url=stack.url, headers=headers, trust_env=False) as http:
        yield Api(http)
