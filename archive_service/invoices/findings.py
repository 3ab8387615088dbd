"""The sentences of our own rules, in English and in French: ``findings.json`` beside this file."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from archive_service.model import Finding, Severity


@lru_cache(maxsize=1)
def sentences() -> dict[str, dict[str, str]]:
    """Return rule → language → sentence, with ``{argument}`` places."""
    text = Path(__file__).with_name("findings.json").read_text(encoding="utf-8")
    return {str(rule): dict(texts) for rule, texts in json.loads(text).items()}


def finding(
    rule: str, *, severity: Severity = Severity.ERROR, location: str | None = None, **arguments: object
) -> Finding:
    """Make a finding of one of our rules. Raises KeyError for a rule without a sentence."""
    texts = tuple((name, str(value)) for name, value in arguments.items())
    message = sentences()[rule]["en"].format_map(dict(texts))
    return Finding(rule=rule, severity=severity, message=message, location=location, arguments=texts)
