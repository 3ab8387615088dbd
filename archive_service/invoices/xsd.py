"""The XSD of the declared profile, by libxml2; each schema is compiled once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from lxml import etree

from archive_service.invoices import rule_sets
from archive_service.model import Conformant, Finding, InvoiceProfile, NonConformant, Severity, Tool

MAX_FINDINGS = 50


class _Schema:
    """A compiled schema and its lock: lxml keeps the last run's errors in the schema object."""

    def __init__(self, profile: InvoiceProfile) -> None:
        path = rule_sets.schema(profile)
        parser = etree.XMLParser(no_network=True, resolve_entities=False)
        self._schema = etree.XMLSchema(etree.parse(str(path), parser))
        self._lock = threading.Lock()
        version = ".".join(str(part) for part in etree.LIBXML_VERSION)
        self.tool = Tool(
            name=f"XSD {profile.value}",
            version=f"libxml2 {version}; {rule_sets.distribution_version()}",
            rules_sha256=rule_sets.file_sha256(path),
        )

    def errors(self, root: etree._Element) -> tuple[Finding, ...]:
        """Validate; no findings: valid."""
        with self._lock:
            if self._schema.validate(root):
                return ()
            # the stubs do not know that the log can be iterated
            log = list(cast("Iterable[Any]", self._schema.error_log))
        shown = tuple(_finding(entry) for entry in log[:MAX_FINDINGS])
        if len(log) <= MAX_FINDINGS:
            return shown
        more = f"{len(log) - MAX_FINDINGS} more errors."
        return (*shown, Finding(rule="xsd:more", severity=Severity.ERROR, message=more))


_compiling = threading.Lock()


def check_xsd(root: etree._Element, profile: InvoiceProfile) -> Conformant | NonConformant:
    """Validate an invoice against the schema of a profile."""
    with _compiling:  # once per schema; lru_cache alone would let two threads compile the same
        schema = _schema(profile)
    findings = schema.errors(root)
    if findings:
        return NonConformant(tool=schema.tool, findings=findings)
    return Conformant(tool=schema.tool)


@lru_cache(maxsize=len(InvoiceProfile))
def _schema(profile: InvoiceProfile) -> _Schema:
    return _Schema(profile)


def _finding(entry: etree._LogEntry) -> Finding:
    kind = str(entry.type_name).removeprefix("SCHEMAV_").lower().replace("_", "-")
    return Finding(
        rule=f"xsd:{kind}",
        severity=Severity.ERROR,
        message=_shorter(str(entry.message)),
        location=f"line {entry.line}",
    )


def _shorter(message: str) -> str:
    """Leave out the namespaces that libxml2 writes before every name."""
    parts = message.split("{")
    return (parts[0] + "".join(part.split("}", 1)[-1] for part in parts[1:]))[:500]
