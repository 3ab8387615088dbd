"""Building a Cross Industry Invoice's elements: what has no content is left out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import IntEnum

from lxml import etree

NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}


class Level(IntEnum):
    """How much a profile says, from the least to the most."""

    MINIMUM = 0
    BASIC_WL = 1
    BASIC = 2
    EN16931 = 3
    EXTENDED = 4


def qualified(name: str) -> str:
    """Return ``ram:ID`` as lxml writes it, with its namespace."""
    prefix, local = name.split(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def node(name: str, *children: etree._Element | None) -> etree._Element | None:
    """Return an element with those of the children that exist; None when there is none."""
    present = [child for child in children if child is not None]
    if not present:
        return None
    element = etree.Element(qualified(name), nsmap=NAMESPACES)
    element.extend(present)
    return element


def leaf(name: str, text: str, **attributes: str) -> etree._Element | None:
    """Return an element with a text; None when the text is empty."""
    if not text:
        return None
    element = etree.Element(qualified(name), attributes, nsmap=NAMESPACES)
    element.text = text
    return element


def dated(name: str, day: date, prefix: str = "udt") -> etree._Element | None:
    """Return an element with a date in format 102, CCYYMMDD (UNTDID 2379)."""
    # not %Y: it leaves out the noughts of a year before 1000
    digits = day.isoformat().replace("-", "")
    return node(name, leaf(f"{prefix}:DateTimeString", digits, format="102"))


def amount_leaf(name: str, amount: Decimal, **attributes: str) -> etree._Element | None:
    """Return an element with an amount or a rate, two decimals."""
    return leaf(name, f"{amount:.2f}", **attributes)


def from_level(
    least: Level, level: Level, make: Callable[[], etree._Element | None]
) -> etree._Element | None:
    """Return what ``make`` returns for profiles that say at least that much, else None."""
    return make() if level >= least else None
