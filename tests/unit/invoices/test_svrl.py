"""Severities and places out of SVRL (ISO/IEC 19757-3, annex D); the documents are written here by hand."""

from __future__ import annotations

import pytest

from archive_service.adapters.schematron.svrl import MAX_FINDINGS, read_svrl, weigh

RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"


def _svrl(body: str) -> bytes:
    return (
        f'<s:schematron-output xmlns:s="http://purl.oclc.org/dsdl/svrl">{body}</s:schematron-output>'.encode()
    )


@pytest.mark.parametrize(
    ("kind", "flag", "weight"),
    [
        ("failed-assert", "", "error"),
        ("failed-assert", "fatal", "error"),
        ("failed-assert", "ERROR", "error"),
        ("failed-assert", "warning", "warning"),
        ("failed-assert", "information", "info"),
        ("failed-assert", "a-new-word", "error"),
        ("successful-report", "", "info"),
        ("successful-report", "warning", "warning"),
        ("successful-report", "fatal", "error"),
    ],
)
def test_the_map_of_severities(kind: str, flag: str, weight: str) -> None:
    """ADR 0010: an unknown word is an error, an unflagged report is information."""
    assert weigh(kind, flag) == weight


def test_a_finding_keeps_rule_text_and_a_short_place() -> None:
    """The rule is the id, or what stands in brackets before the text; namespaces become prefixes."""
    place = f"/*:A[namespace-uri()='{RAM}'][1]/*:B[namespace-uri()='{RAM}'][2]"
    first, second, third = read_svrl(
        _svrl(
            f'<s:failed-assert id="BR-1" flag="fatal" location="{place}"><s:text>\n one\t two</s:text>'
            "</s:failed-assert><s:failed-assert role='warning'><s:text>[BR-CO-25]-Text</s:text>"
            "</s:failed-assert><s:successful-report><s:text>Not used</s:text></s:successful-report>"
        )
    )
    assert (first.rule, first.weight, first.message) == ("BR-1", "error", "one two")
    assert first.location == "/ram:A/ram:B[2]"
    assert (second.rule, second.weight) == ("BR-CO-25", "warning")
    assert (third.rule, third.weight) == ("unnamed", "info")


def test_errors_survive_when_there_are_too_many_findings() -> None:
    """An error after thousands of warnings is kept, and the rest are counted."""
    warnings = '<s:failed-assert flag="warning"><s:text>w</s:text></s:failed-assert>' * (MAX_FINDINGS + 50)
    found = read_svrl(_svrl(warnings + '<s:failed-assert id="E"><s:text>e</s:text></s:failed-assert>'))
    assert len(found) == MAX_FINDINGS + 1
    assert (found[0].rule, found[0].weight) == ("E", "error")
    assert (found[-1].rule, found[-1].message) == ("more", "51 more findings, 0 of them errors.")


def test_what_is_no_svrl_is_not_taken_for_a_clean_bill() -> None:
    """Another root means that the run went wrong, not that nothing was found."""
    with pytest.raises(ValueError, match="not SVRL"):
        read_svrl(b"<html/>")
