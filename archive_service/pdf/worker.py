"""The child process that reads PDFs: ``python -m archive_service.pdf.worker``.

It reads a path per line and answers with a line that holds the length of a JSON document, then that
document. JSON, not pickle: a parser that a document has taken over must not run code in its parent.
"""

from __future__ import annotations

import base64
import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from archive_service.pdf.facts import PdfFacts, PdfRefused, read_facts


def main() -> None:
    """Answer until standard input ends."""
    logging.disable(logging.CRITICAL)  # pikepdf logs what it repairs; nobody reads it here
    _answer({"ready": True})
    for line in sys.stdin.buffer:
        _answer(_read(Path(line.rstrip(b"\n").decode())))


def _read(path: Path) -> dict[str, Any]:
    try:
        return {"facts": _encode(read_facts(path))}
    except PdfRefused as refused:
        return {"refused": refused.slug, "finding": asdict(refused.finding)}
    except FileNotFoundError:
        return {"missing": str(path)}


def _encode(facts: PdfFacts) -> dict[str, Any]:
    value = asdict(facts)
    for attachment in value["attachments"]:
        attachment["data"] = base64.b64encode(attachment["data"]).decode("ascii")
    return value


def _answer(value: dict[str, Any]) -> None:
    body = json.dumps(value).encode()
    sys.stdout.buffer.write(b"%d\n" % len(body) + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
