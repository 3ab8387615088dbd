"""Serve the development PKI over HTTP on loopback: ``python -m …pki_server FOLDER PORT``.

certomancer does the work, but for the tokens. Its registry is not made for threads: a request is read first,
then worked on under one lock.
"""

from __future__ import annotations

import io
import logging
import socketserver
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from asn1crypto import pem
from certomancer.integrations.animator import Animator, AnimatorArchStore
from werkzeug.wrappers import Request, Response

from archive_service.adapters.embedded.pki import load
from archive_service.adapters.embedded.ports import LOOPBACK
from archive_service.adapters.embedded.tsa import DevelopmentTsa

MAX_REQUEST_BYTES = 16 * 1024  # a time-stamp or OCSP request is about 100 bytes
_SECONDS_FOR_A_REQUEST = 10.0

Environ = dict[str, Any]  # WSGI's own open-ended mapping (PEP 3333)
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class DevelopmentAnimator(Animator):
    """certomancer's service, with a time-stamping unit of our own."""

    def __init__(self, architectures: AnimatorArchStore, tsa: DevelopmentTsa) -> None:
        """Without fake times by header, and without the page that hands out private keys."""
        super().__init__(architectures, with_web_ui=False, allow_time_override=False)
        self._tsa = tsa

    def at_time(self, request: Request) -> datetime:
        """Return whole seconds: revocation answers must not carry a fraction (RFC 5280 §4.1.2.5.2)."""
        del request
        return datetime.now(UTC).replace(microsecond=0)

    def serve_timestamp_response(self, request: Request, *, label: str, arch: str) -> Response:
        """Answer a time-stamp request; there is one unit, whatever the label."""
        del label, arch
        response = self._tsa.answer(request.get_data(), now=datetime.now(UTC))
        return Response(response, mimetype="application/timestamp-reply")


class OneAtATime:
    """A WSGI application: many clients may send at once, one request at a time is worked on."""

    def __init__(self, application: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        """Wrap an application that is not made for threads."""
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Read the request within its bound, then work on it alone."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > MAX_REQUEST_BYTES:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            start_response(f"{status.value} {status.phrase}", [("Content-Length", "0")])
            return [b""]
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))
        with self._lock:
            return list(self._application(environ, start_response))


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Bind without the look-up of a host name that the standard library's HTTP server makes."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = _SECONDS_FOR_A_REQUEST

    def log_message(self, *_: object) -> None:
        """Say nothing: a line per token would only fill the log."""


def make_server(folder: Path, port: int) -> WSGIServer:
    """Return a server that is bound and not yet serving; ``port`` 0: any."""
    described = (folder / "certomancer.yaml").read_text(encoding="utf-8")
    architectures = AnimatorArchStore(load(described, folder).pki_archs)
    animator = DevelopmentAnimator(architectures, _tsa(folder))
    server = _Server((LOOPBACK, port), _Handler)
    server.set_app(OneAtATime(animator))
    return server


def _tsa(folder: Path) -> DevelopmentTsa:
    unit, issuer = (
        pem.unarmor((folder / "certificates" / f"{label}.pem").read_bytes())[2] for label in ("tsa", "tsa-ca")
    )
    return DevelopmentTsa(key=(folder / "keys" / "tsa.pem").read_bytes(), certificate=unit, issuer=issuer)


def main() -> None:
    """Serve until a signal ends the process."""
    logging.getLogger("certomancer").setLevel(logging.ERROR)
    with make_server(Path(sys.argv[1]), int(sys.argv[2])) as server:
        print("ready", flush=True)  # noqa: T201 -- for whoever reads the log
        server.serve_forever()


if __name__ == "__main__":
    main()
