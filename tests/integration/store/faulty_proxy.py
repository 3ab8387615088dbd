"""A proxy between the S3 adapter and a real server, which spoils one exchange at a time."""

from __future__ import annotations

import enum
import http.client
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

_BUSY = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Reduce your request rate.'
    b"</Message><Resource>/</Resource><RequestId>1</RequestId></Error>"
)
_INTERNAL = _BUSY.replace(b"SlowDown", b"InternalError")


class Spoil(enum.Enum):
    """What happens to the next exchange."""

    REFUSE = "the connection is closed before the server sees anything"
    BUSY = "503 SlowDown, and the server sees nothing"
    LOSE = "the server does it, and the connection is closed instead of its answer"
    INTERNAL = "the server does it, and 500 comes instead of its answer"
    HANG = "the server does it, and no answer ever comes"
    FLIP = "the answer's last byte is another"


class FaultyProxy:
    """Listens on a free loopback port. ``spoil(method, …)`` sets what its next requests meet."""

    def __init__(self, upstream: str) -> None:
        self.seen: list[str] = []
        self._spoils: dict[str, deque[Spoil]] = {}
        self._release = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(urlsplit(upstream).netloc))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def spoil(self, method: str, *spoils: Spoil) -> None:
        """Spoil the next requests of that method, one each."""
        self._spoils.setdefault(method, deque()).extend(spoils)

    def next_spoil(self, method: str) -> Spoil | None:
        """Take what the next request meets."""
        waiting = self._spoils.get(method)
        return waiting.popleft() if waiting else None

    def hang(self) -> None:
        """Wait until the test is over."""
        self._release.wait(30)

    def __enter__(self) -> FaultyProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self, upstream: str) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                self._exchange()

            def do_GET(self) -> None:
                self._exchange()

            def do_HEAD(self) -> None:
                self._exchange()

            def do_DELETE(self) -> None:
                self._exchange()

            def _exchange(self) -> None:
                proxy.seen.append(self.command)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                spoil = proxy.next_spoil(self.command)
                if spoil is Spoil.REFUSE:
                    self.close_connection = True
                elif spoil is Spoil.BUSY:
                    self._answer(503, {"Content-Type": "application/xml"}, _BUSY)
                else:
                    self._forward(body, spoil)

            def _forward(self, body: bytes, spoil: Spoil | None) -> None:
                connection = http.client.HTTPConnection(upstream, timeout=30)
                try:
                    connection.request(self.command, self.path, body, dict(self.headers))
                    response = connection.getresponse()
                    answer = response.read()
                finally:
                    connection.close()
                if spoil in (Spoil.LOSE, Spoil.HANG):
                    if spoil is Spoil.HANG:
                        proxy.hang()
                    self.close_connection = True
                elif spoil is Spoil.INTERNAL:
                    self._answer(500, {"Content-Type": "application/xml"}, _INTERNAL)
                else:
                    if spoil is Spoil.FLIP:
                        answer = answer[:-1] + bytes([answer[-1] ^ 1])
                    self._answer(response.status, dict(response.headers), answer)

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response_only(status)
                kept = {"content-length": str(len(body))} if self.command != "HEAD" else {}
                for name, value in {**{k.lower(): v for k, v in headers.items()}, **kept}.items():
                    if name not in ("transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
                pass

        return Handler
