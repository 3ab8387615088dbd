"""What a Schematron run found: SVRL (ISO/IEC 19757-3, annex D) read into plain findings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

SVRL = "http://purl.oclc.org/dsdl/svrl"
MAX_FINDINGS = 200  # a page or two; the number of errors beyond it is still told
MAX_TEXT = 500

# ISO 19757-3 leaves the words of @flag and @role open; these are the ones that the rule sets use.
_WEIGHTS = {
    "fatal": "error",
    "error": "error",
    "warning": "warning",
    "warn": "warning",
    "information": "info",
    "info": "info",
}
_PREFIXES = {
    "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100": "rsm",
    "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100": "ram",
    "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100": "udt",
    "urn:un:unece:uncefact:data:standard:QualifiedDataType:100": "qdt",
}
_STEP = re.compile(r"\*:([\w.-]+)\[namespace-uri\(\)=['\"]([^'\"]*)['\"]\]")
_NAMED = re.compile(r"^\[?([A-Z][A-Za-z0-9]*(?:-[A-Za-z0-9_.]+)+(?:/BT-\d+)?)\]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFinding:
    """One assertion that failed or report that applied. ``weight`` is error, warning or info."""

    rule: str
    weight: str
    message: str
    location: str


def read_svrl(svrl: bytes) -> tuple[RawFinding, ...]:
    """Return the findings in document order; errors first where there are too many. Raises ValueError."""
    root = etree.fromstring(svrl, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    if root.tag != f"{{{SVRL}}}schematron-output":
        raise ValueError(f"not SVRL: {root.tag}")
    found = [_finding(item) for item in root.iter(f"{{{SVRL}}}failed-assert", f"{{{SVRL}}}successful-report")]
    if len(found) <= MAX_FINDINGS:
        return tuple(found)
    found.sort(key=lambda one: ("error", "warning", "info").index(one.weight))  # stable
    return (*found[:MAX_FINDINGS], _more(found[MAX_FINDINGS:]))


def weigh(kind: str, flag: str) -> str:
    """Map SVRL's element and flag to a weight.

    A failed assertion without a flag is an error: what most rule sets mean. A *report* without one is
    information: in the Factur-X sets it says that an element is not used in this profile. An unknown word
    is an error, lest a new one let documents through.
    """
    if flag:
        return _WEIGHTS.get(flag.lower(), "error")
    return "error" if kind == "failed-assert" else "info"


def _finding(item: etree._Element) -> RawFinding:
    text = " ".join("".join(str(part) for part in item.itertext()).split())[:MAX_TEXT]
    named = _NAMED.match(text)
    rule = item.get("id") or (named.group(1) if named else "unnamed")
    return RawFinding(
        rule=str(rule),
        weight=weigh(etree.QName(item).localname, str(item.get("flag") or item.get("role") or "")),
        message=text,
        location=_location(str(item.get("location") or "")),
    )


def _location(xpath: str) -> str:
    """``/rsm:A/ram:B[2]`` of Schematron's long form; ``[1]`` is left out."""

    def step(match: re.Match[str]) -> str:
        prefix = _PREFIXES.get(match.group(2), "*")
        return f"{prefix}:{match.group(1)}"

    return _STEP.sub(step, xpath).replace("[1]", "")[:MAX_TEXT]


def _more(rest: list[RawFinding]) -> RawFinding:
    errors = sum(one.weight == "error" for one in rest)
    text = f"{len(rest)} more findings, {errors} of them errors."
    return RawFinding(rule="more", weight="error" if errors else "info", message=text, location="")
