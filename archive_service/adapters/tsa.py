"""Time-stamping authorities over HTTP (RFC 3161 §3.4)."""

from __future__ import annotations

import time

import httpx

from signing.timestamps import TransportFailed

MAX_ANSWER_BYTES = 128 * 1024  # a token with its chain takes 2 to 8 kB
_HEADERS = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
    "User-Agent": "invoice-archive",
}


class HttpTsa:
    """A TsaTransport that keeps connections open. Follows no redirects. Safe to share between threads."""

    def __init__(self) -> None:
        self._client = httpx.Client(headers=_HEADERS, follow_redirects=False, trust_env=False)

    def post(self, url: str, body: bytes, *, timeout: float) -> bytes:
        """Return the body of the answer, read within ``timeout`` seconds in all. Raises TransportFailed."""
        deadline = time.monotonic() + timeout
        try:
            with self._client.stream("POST", url, content=body, timeout=timeout) as response:
                return _read(response, deadline)
        except httpx.HTTPError as error:
            raise TransportFailed(f"{type(error).__name__}: {error}") from error
        except httpx.InvalidURL as error:
            raise TransportFailed(f"not an address: {error}") from error

    def close(self) -> None:
        """Close every connection."""
        self._client.close()


def _read(response: httpx.Response, deadline: float) -> bytes:
    """Collect the body within bounds: an authority that drips a byte at a time meets the deadline too."""
    if response.status_code != httpx.codes.OK:
        raise TransportFailed(f"HTTP {response.status_code}")
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/timestamp-reply":
        raise TransportFailed(f"the answer is {kind or 'of no type'}, not application/timestamp-reply")
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise TransportFailed(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
        if time.monotonic() > deadline:
            raise TransportFailed("the answer took too long")
    return bytes(body)
