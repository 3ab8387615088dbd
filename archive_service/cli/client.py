"""The archive over HTTP: find the one that runs, and speak to it."""

from __future__ import annotations

import hashlib
import io
import os
import time
import zipfile
from pathlib import Path
from typing import Any, Self

import httpx

from archive_service.adapters.embedded.address import read_address
from archive_service.cli.words import CannotRun, say

DEFAULT_DATA = Path("var/data")
TRIES = 12  # about 25 seconds: as long as a part may take to be started again
WAIT_SECONDS = 50  # longest wait that one request asks for; the answer to a longer one is asked for again
_PASSING = {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT}


class Archive:
    """A client that tries again where trying again is safe: every deposit carries an idempotency key."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers={
                "Authorization": f"Bearer {token}",
                "Accept-Language": say("en", "fr"),
            },
            timeout=httpx.Timeout(WAIT_SECONDS + 30),
            trust_env=False,
        )

    @classmethod
    def find(cls, data: Path) -> Archive:
        """Return the archive of ARCHIVE_URL, or the one that runs on a data folder. Raises CannotRun."""
        url, token = os.environ.get("ARCHIVE_URL"), os.environ.get("ARCHIVE_TOKEN")
        if url and token:
            return cls(url, token)
        address = read_address(data)
        if address is None:
            raise CannotRun(
                say(
                    f"No archive runs on {data}. Start one with `make serve`, or set ARCHIVE_URL and "
                    "ARCHIVE_TOKEN.",
                    f"Aucune archive ne tourne sur {data}. Lancez `make serve`, ou définissez ARCHIVE_URL et "
                    "ARCHIVE_TOKEN.",
                )
            )
        return cls(address.url, address.token)

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request, again where a part did not answer. Raises CannotRun."""
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                if last:
                    words = say("The archive does not answer", "L'archive ne répond pas")
                    raise CannotRun(f"{words} ({error}).") from error
            else:
                if answer.status_code not in _PASSING or last:
                    return answer
            time.sleep(min(0.2 * 2**attempt, 3.0))
        raise AssertionError  # the last try has returned or raised

    def get(self, path: str, **parameters: str) -> httpx.Response:
        """Get something that must be there. Raises CannotRun with the problem's own words."""
        answer = self.request("GET", path, params={k: v for k, v in parameters.items() if v is not None})
        if answer.is_error:
            raise CannotRun(problem_text(answer))
        return answer

    def deposit(self, path: Path, metadata: bytes | None) -> dict[str, Any]:
        """Deposit a file and wait for its end; return the deposit, or ``{"problem": …}`` for a refusal."""
        body = path.read_bytes()
        key = hashlib.sha256(body + b"\n" + (metadata or b"")).hexdigest()
        files: dict[str, Any] = {"document": (path.name, body, "application/pdf")}
        if metadata is not None:
            files["metadata"] = (None, metadata, "application/json")
        while True:
            answer = self.request(
                "POST",
                "/v1/deposits",
                files=files,
                headers={"Prefer": f"wait={WAIT_SECONDS}", "Idempotency-Key": f"cli-{key}"},
            )
            shape: dict[str, Any] = answer.json()
            if answer.status_code != httpx.codes.CONFLICT or "deposit_id" not in shape:
                break
            self.ended(shape["deposit_id"])
        if answer.is_success:
            return self.ended(shape["deposit_id"]) if shape["state"] == "received" else shape
        if "deposit_id" in shape:
            return self.ended(shape["deposit_id"])
        return {"problem": shape, "state": "failed"}

    def ended(self, deposit_id: str) -> dict[str, Any]:
        """Return a deposit once it has ended."""
        while True:
            shape: dict[str, Any] = self.get(f"/v1/deposits/{deposit_id}").json()
            if shape["state"] != "received":
                return shape
            time.sleep(0.2)

    def evidence(self, deposit_id: str, *, stamped_within: float) -> bytes:
        """Return a bundle, once its checkpoint carries a token or the seconds are over."""
        deadline = time.monotonic() + stamped_within
        while True:
            body = self.get(f"/v1/deposits/{deposit_id}/evidence").content
            with zipfile.ZipFile(io.BytesIO(body)) as bundle:
                stamped = "checkpoint-statement.tst" in bundle.namelist()
            if stamped or time.monotonic() > deadline:
                return body
            time.sleep(0.5)


def problem_text(answer: httpx.Response) -> str:
    """Return what a problem document says, or the status of an answer that has none."""
    try:
        problem = answer.json()
        return f"{problem['title']} {problem.get('detail', '')}".strip()
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"


def save(path: Path, body: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(body)
    partial.replace(path)
