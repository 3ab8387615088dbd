"""A stand-in for the service's processes, run by the tests of the supervisor: ``stand_in.py WHAT``.

``api`` answers /readyz on HOST:PORT, ``worker`` says "ready", both until SIGTERM; a worker also starts a
child that sleeps and does not end by itself. ``bootstrap`` prints a token the first time. ``broken`` fails
at once.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


class _Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer 200 to /readyz, 404 to all else."""
        self.send_response(200 if self.path == "/readyz" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _api() -> None:
    server = http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), _Ready)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


def _worker() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        signal.signal(signal.SIGTERM, lambda *_: child.kill())
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        child.wait()


def _bootstrap() -> None:
    seen = Path(os.environ["DATA"], "bootstrapped")
    if not seen.exists():
        seen.touch()
        sys.stdout.write(json.dumps({"token": "first-token"}) + "\n")


def _broken() -> None:
    sys.exit(3)


if __name__ == "__main__":
    {"api": _api, "worker": _worker, "bootstrap": _bootstrap, "broken": _broken}[sys.argv[1]]()
