"""Reading PDFs in child processes, so that a hostile one costs a process and a deadline, nothing more."""

from __future__ import annotations

import base64
import json
import signal
import time
from pathlib import Path
from typing import Any

from archive_service.model import ArchiveError, Cause, Finding, Severity
from archive_service.pdf.children import (
    Child,
    ChildEnded,
    ChildSilent,
    ChildUnavailable,
    Pool,
    python_module,
)
from archive_service.pdf.embedded import MAX_EMBEDDED_FILES, MAX_XML_BYTES, Attachment
from archive_service.pdf.facts import PdfFacts, PdfRefused
from archive_service.pdf.xmp import FacturxXmp

MEMORY_BYTES = 1024 * 1024 * 1024  # of address space; an ordinary invoice takes 100 MB of it
START_SECONDS = 60.0
RECYCLE_AFTER = 1000
MAX_ANSWER_BYTES = MAX_EMBEDDED_FILES * (MAX_XML_BYTES // 3 * 4 + 4096)


class CheckInterrupted(ArchiveError):
    """A check has no result: nothing is known about the document."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(f"{cause.value}: {detail}")
        self.cause = cause
        self.detail = detail


class PdfReader:
    """Reads facts in ``workers`` child processes. Thread-safe; ``deadline`` in seconds per document."""

    def __init__(self, *, workers: int = 1, deadline: float = 20.0) -> None:
        self._deadline = deadline
        self._pool = Pool(_start, size=workers, recycle_after=RECYCLE_AFTER)

    def read(self, path: Path) -> PdfFacts:
        """Return the facts. Raises PdfRefused for what the document is, CheckInterrupted without a result."""
        try:
            with self._pool.lease() as child:
                until = time.monotonic() + self._deadline
                child.write(str(path.resolve()).encode() + b"\n", until=until)
                answer = _receive(child, until)
        except ChildUnavailable as error:
            raise CheckInterrupted(Cause.UNAVAILABLE, str(error)) from error
        except ChildSilent as error:
            raise CheckInterrupted(Cause.DEADLINE, f"not read within {self._deadline:g} s") from error
        except ChildEnded as error:
            killed = error.returncode == -signal.SIGKILL  # the kernel's answer to too little memory
            raise CheckInterrupted(Cause.MEMORY if killed else Cause.CRASH, str(error)) from error
        return _decode(answer)

    def close(self) -> None:
        """Stop every process that was started."""
        self._pool.close()

    def pids(self) -> tuple[int, ...]:
        """The reader processes that run now."""
        return self._pool.pids()


def _start() -> Child:
    child = Child(lambda _: python_module("archive_service.pdf.worker"), memory_bytes=MEMORY_BYTES)
    try:
        _receive(child, time.monotonic() + START_SECONDS)
    except BaseException:
        child.kill()
        child.release()
        raise
    return child


def _receive(child: Child, until: float) -> dict[str, Any]:
    try:
        size = int(child.read_line(until=until))
        if not 0 < size <= MAX_ANSWER_BYTES:
            raise ChildEnded(None, f"an answer of {size} bytes")
        value = json.loads(child.read_exactly(size, until=until))
    except ValueError as error:
        raise ChildEnded(None, f"not an answer: {error}") from error
    if not isinstance(value, dict):
        raise ChildEnded(None, "not an answer")
    return value


def _decode(answer: dict[str, Any]) -> PdfFacts:
    if "refused" in answer:
        raise PdfRefused(str(answer["refused"]), _decode_finding(answer["finding"]))
    if "facts" not in answer:
        raise CheckInterrupted(Cause.UNAVAILABLE, f"no file: {answer.get('missing')}")
    value = dict(answer["facts"])
    attachments = tuple(
        Attachment(**{**each, "data": base64.b64decode(each["data"])}) for each in value.pop("attachments")
    )
    claim = value.pop("facturx_xmp")
    return PdfFacts(
        attachments=attachments, facturx_xmp=FacturxXmp(**claim) if claim is not None else None, **value
    )


def _decode_finding(value: dict[str, Any]) -> Finding:
    arguments = tuple((str(name), str(text)) for name, text in value.pop("arguments"))
    return Finding(severity=Severity(value.pop("severity")), arguments=arguments, **value)
