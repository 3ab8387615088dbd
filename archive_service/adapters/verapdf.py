"""PDF/A verdicts by veraPDF, whose command line is kept warm: a process per worker.

``--servermode`` reads a path per line and prints the path of a report per line (ADR 0010).
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from functools import cached_property
from pathlib import Path
from typing import Any

from archive_service.model import (
    Cause,
    Conformant,
    CouldNotRun,
    Finding,
    NonConformant,
    PdfaVerdict,
    Severity,
    Tool,
)
from archive_service.pdf.children import Child, ChildEnded, ChildSilent, ChildUnavailable, Pool

MAIN_CLASS = "org.verapdf.apps.GreenfieldCliWrapper"
START_SECONDS = 60.0  # a cold start takes about one on an idle machine
MAX_REPORT_BYTES = 16 * 1024 * 1024  # with the bounds below a report has some 100 kB
MAX_FINDINGS = 50  # rules, not checks; nobody reads more
MAX_FAILURES_SHOWN = 1  # per rule: we keep the first place only
RECYCLE_AFTER = 5000  # documents; warming a JVM up takes some hundred, so not often
OUT_OF_MEMORY = "Terminating due to java.lang.OutOfMemoryError"
EXIT_ON_OUT_OF_MEMORY = 3  # what -XX:+ExitOnOutOfMemoryError exits with


class ReportBroken(ValueError):
    """veraPDF's report is not what its version writes."""


class VeraPdf:
    """A PdfaValidator. Thread-safe; ``deadline`` (seconds) and ``max_heap_mb`` bound each document."""

    def __init__(self, java: Path, jar: Path, workers: int, deadline: float, max_heap_mb: int = 512) -> None:
        self._java, self._jar = java, jar
        self._deadline = deadline
        self._max_heap_mb = max_heap_mb
        self._pool = Pool(self._start, size=workers, recycle_after=RECYCLE_AFTER)
        self._version_lock = threading.Lock()
        self._version = "unknown"  # until a first report names it

    def validate(self, path: Path) -> PdfaVerdict:
        """Validate a file against the flavour it claims. Never raises for what a document does."""
        try:
            with self._pool.lease() as child:
                report = self._report(child, path)
        except ChildUnavailable as error:
            return self._could_not_run(Cause.UNAVAILABLE, str(error))
        except ChildSilent:
            return self._could_not_run(Cause.DEADLINE, f"no verdict within {self._deadline:g} s")
        except ChildEnded as error:
            memory = error.returncode == EXIT_ON_OUT_OF_MEMORY
            return self._could_not_run(Cause.MEMORY if memory else Cause.CRASH, str(error))
        except ReportBroken as error:
            return self._could_not_run(Cause.CRASH, str(error))
        return self._verdict(report)

    def close(self) -> None:
        """Stop every process that was started."""
        self._pool.close()

    def pids(self) -> tuple[int, ...]:
        """The veraPDF processes that run now."""
        return self._pool.pids()

    @property
    def tool(self) -> Tool:
        """veraPDF, its version as its reports state it, and the jar's SHA-256 (the rules are inside)."""
        return Tool(name="veraPDF", version=self._version, rules_sha256=self._jar_sha256)

    @cached_property
    def _jar_sha256(self) -> str:
        try:
            with self._jar.open("rb") as jar:
                return hashlib.file_digest(jar, "sha256").hexdigest()
        except OSError:
            return ""  # UNAVAILABLE says the rest

    def _command(self, folder: Path) -> tuple[str, ...]:
        return (
            str(self._java.resolve()),
            "-XX:+UseSerialGC",
            f"-Xmx{self._max_heap_mb}m",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-UsePerfData",
            "-Djava.awt.headless=true",
            "-Dstdin.encoding=UTF-8",
            f"-Djava.io.tmpdir={folder}",
            "-cp",
            str(self._jar.resolve()),
            MAIN_CLASS,
            *("--servermode", "--format", "json", "--loglevel", "0", "--nonpdfext"),
            *("--maxfailuresdisplayed", str(MAX_FAILURES_SHOWN)),
        )

    def _start(self) -> Child:
        """Start a process and wait for the empty report that it prints when it is ready."""
        child = Child(self._command)
        try:
            ready = child.read_line(until=time.monotonic() + START_SECONDS)
            Path(ready.decode()).unlink(missing_ok=True)
        except BaseException:
            child.kill()
            child.release()
            raise
        return child

    def _report(self, child: Child, path: Path) -> dict[str, Any]:
        until = time.monotonic() + self._deadline
        child.write(_line(path), until=until)
        line = child.read_line(until=until).decode("utf-8", "replace")
        if line.startswith(OUT_OF_MEMORY):  # the virtual machine says so on standard output, then ends
            raise ChildEnded(EXIT_ON_OUT_OF_MEMORY, line)
        answer = Path(line)
        if answer.parent != child.folder:
            raise ReportBroken(f"a report outside the process's folder: {answer}")
        try:
            return _read_report(answer)
        finally:
            answer.unlink(missing_ok=True)  # crash here: the folder goes with the process

    def _verdict(self, report: dict[str, Any]) -> PdfaVerdict:
        try:
            self._note_version(report)
            return judge(report, self.tool)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            return self._could_not_run(Cause.CRASH, f"a report of another shape: {error!r}")

    def _note_version(self, report: dict[str, Any]) -> None:
        with self._version_lock:
            self._version = str(report["buildInformation"]["releaseDetails"][0]["version"])

    def _could_not_run(self, cause: Cause, detail: str) -> PdfaVerdict:
        return PdfaVerdict(outcome=CouldNotRun(tool=self.tool, cause=cause, detail=detail), flavour=None)


def judge(report: dict[str, Any], tool: Tool) -> PdfaVerdict:
    """Turn veraPDF's report on one file into our verdict. Raises KeyError and kin for another shape."""
    job = report["jobs"][0]
    if "taskException" in job:
        return PdfaVerdict(outcome=_exception(job["taskException"], tool), flavour=None)
    # A file that claims PDF/UA too is validated against both; only PDF/A is asked here.
    results = [result for result in job["validationResult"] if _flavour(result) is not None]
    if not results:
        return PdfaVerdict(outcome=NonConformant(tool=tool, findings=(_NO_CLAIM,)), flavour=None)
    result = results[0]
    findings = _findings(result)
    if _nothing_claimed(result):
        return PdfaVerdict(outcome=NonConformant(tool=tool, findings=(_NO_CLAIM, *findings)), flavour=None)
    flavour = _flavour(result)
    if result["compliant"] is True:
        return PdfaVerdict(outcome=Conformant(tool=tool), flavour=flavour)
    return PdfaVerdict(outcome=NonConformant(tool=tool, findings=findings or (_FAILED,)), flavour=flavour)


_NO_CLAIM = Finding(
    rule="verapdf:no-claim",
    severity=Severity.ERROR,
    message="The document does not say that it is PDF/A (no usable pdfaid part and conformance in its XMP).",
)
_FAILED = Finding(rule="verapdf:not-compliant", severity=Severity.ERROR, message="veraPDF names no rule.")


def _exception(exception: dict[str, Any], tool: Tool) -> NonConformant | CouldNotRun:
    message = str(exception.get("exceptionMessage", exception.get("exception", "")))[:500]
    if exception["type"] != "PARSE":
        return CouldNotRun(tool=tool, cause=Cause.CRASH, detail=f"{exception['type']}: {message}")
    return NonConformant(
        tool=tool, findings=(Finding(rule="verapdf:parse", severity=Severity.ERROR, message=message),)
    )


def _flavour(result: dict[str, Any]) -> str | None:
    """``3b`` of "PDF/A-3B validation profile"; None for a profile that is not PDF/A's."""
    name = str(result["profileName"]).split()[0]
    return name.removeprefix("PDF/A-").lower() if name.startswith("PDF/A-") else None


def _nothing_claimed(result: dict[str, Any]) -> bool:
    """Whether the file was held against 1b for want of a claim it understands.

    ISO 19005-1, 6.7.11 is the identification itself; 6.7.2/1 fails when there is no XMP at all.
    """
    rules = [(rule["clause"], rule["testNumber"]) for rule in result["details"]["ruleSummaries"]]
    missing = any(clause == "6.7.11" or (clause, test) == ("6.7.2", 1) for clause, test in rules)
    return _flavour(result) == "1b" and missing


def _findings(result: dict[str, Any]) -> tuple[Finding, ...]:
    rules = sorted(result["details"]["ruleSummaries"], key=lambda rule: (rule["clause"], rule["testNumber"]))
    shown = tuple(_finding(rule) for rule in rules[:MAX_FINDINGS])
    if len(rules) <= MAX_FINDINGS:
        return shown
    more = f"{len(rules) - MAX_FINDINGS} more rules failed."
    return (*shown, Finding(rule="verapdf:more", severity=Severity.ERROR, message=more))


def _finding(rule: dict[str, Any]) -> Finding:
    check = (rule.get("checks") or [{}])[0]
    times = f" ({rule['failedChecks']} times)" if rule["failedChecks"] > 1 else ""
    return Finding(
        rule=f"verapdf:{rule['specification']}/{rule['clause']}/{rule['testNumber']}",
        severity=Severity.ERROR,
        message=str(check.get("errorMessage") or rule["description"])[:500] + times,
        location=str(check["context"])[:500] if "context" in check else None,
    )


def _line(path: Path) -> bytes:
    text = str(path.resolve())
    if "\n" in text or "\r" in text:
        raise ValueError("a path with a line break cannot be sent to veraPDF")
    return text.encode() + b"\n"


def _read_report(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        body = file.read(MAX_REPORT_BYTES + 1)
    if not body or len(body) > MAX_REPORT_BYTES:
        raise ReportBroken("no report: the file is missing" if not body else "a report without end")
    try:
        return dict(json.loads(body)["report"])
    except (ValueError, KeyError, TypeError) as error:
        raise ReportBroken(f"not a report: {error!r}") from error
