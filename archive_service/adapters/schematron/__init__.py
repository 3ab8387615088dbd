"""Schematron by SaxonC, in child processes: one processor each (ADR 0010)."""

from __future__ import annotations

import json
import signal
import threading
import time
import weakref
from typing import Any

from archive_service.invoices import rule_sets
from archive_service.model import (
    Cause,
    Conformant,
    CouldNotRun,
    Finding,
    NonConformant,
    Outcome,
    Severity,
    Tool,
)
from archive_service.pdf.children import (
    Child,
    ChildEnded,
    ChildSilent,
    ChildUnavailable,
    Pool,
    python_module,
)

START_SECONDS = 60.0
COMPILE_SECONDS = 10.0  # added to the deadline of a rule set's first use; the largest takes about one
RECYCLE_AFTER = 1000
MAX_ANSWER_BYTES = 4 * 1024 * 1024

__all__ = ["Schematron"]


class Schematron:
    """A SchematronValidator. Thread-safe; ``deadline`` in seconds bounds each document."""

    def __init__(self, workers: int, deadline: float) -> None:
        self._deadline = deadline
        self._pool = Pool(self._start, size=workers, recycle_after=RECYCLE_AFTER)
        self._lock = threading.Lock()
        self._saxon = "SaxonC"  # until a process names its version
        # the rule sets that each process has compiled: a first use may take longer
        self._compiled: weakref.WeakKeyDictionary[Child, set[str]] = weakref.WeakKeyDictionary()

    def check(self, xml: bytes, rule_set: str) -> Outcome:
        """Run one rule set over well-formed XML. Never raises for its content; KeyError: no such set."""
        tool = self._tool(rule_set)
        try:
            with self._pool.lease() as child:
                answer = self._ask(child, xml, rule_set)
        except ChildUnavailable as error:
            return CouldNotRun(tool=tool, cause=Cause.UNAVAILABLE, detail=str(error))
        except ChildSilent:
            detail = f"no result within {self._deadline:g} s"
            return CouldNotRun(tool=tool, cause=Cause.DEADLINE, detail=detail)
        except ChildEnded as error:
            killed = error.returncode == -signal.SIGKILL  # the kernel's answer to too little memory
            return CouldNotRun(tool=tool, cause=Cause.MEMORY if killed else Cause.CRASH, detail=str(error))
        if "findings" not in answer:
            return CouldNotRun(tool=tool, cause=Cause.CRASH, detail=str(answer.get("error", "no answer")))
        return _outcome(tool, answer["findings"], rule_sets.RULE_SETS[rule_set].prefix)

    def close(self) -> None:
        """Stop every process that was started."""
        self._pool.close()

    def pids(self) -> tuple[int, ...]:
        """The Schematron processes that run now."""
        return self._pool.pids()

    def _start(self) -> Child:
        child = Child(lambda _: python_module("archive_service.adapters.schematron.worker"))
        try:
            version = _receive(child, time.monotonic() + START_SECONDS)["ready"]
        except BaseException:
            child.kill()
            child.release()
            raise
        with self._lock:
            self._saxon = str(version)
            self._compiled[child] = set()
        return child

    def _ask(self, child: Child, xml: bytes, rule_set: str) -> dict[str, Any]:
        with self._lock:
            compiled = self._compiled[child]  # only whoever holds the child touches its set
        extra = 0.0 if rule_set in compiled else COMPILE_SECONDS
        until = time.monotonic() + self._deadline + extra
        child.write(f"{len(xml)} {rule_set}\n".encode() + xml, until=until)
        answer = _receive(child, until)
        compiled.add(rule_set)
        return answer

    def _tool(self, rule_set: str) -> Tool:
        return Tool(
            name=f"Schematron {rule_set}",
            version=f"{self._saxon}; {rule_sets.distribution_version()}",
            rules_sha256=rule_sets.file_sha256(rule_sets.stylesheet(rule_set)),
        )


def _outcome(tool: Tool, raw: list[dict[str, str]], prefix: str) -> Outcome:
    findings = tuple(
        Finding(
            rule=f"{prefix}:{one['rule']}",
            severity=Severity(one["weight"]),
            message=one["message"],
            location=one["location"] or None,
        )
        for one in raw
    )
    if any(finding.severity is Severity.ERROR for finding in findings):
        return NonConformant(tool=tool, findings=findings)
    return Conformant(tool=tool, findings=findings)


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
