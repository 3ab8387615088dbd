"""Finding elements by their local names: CII and ZUGFeRD 1 differ in namespaces and in some names.

A step is one name or several alternatives, ``ExchangedDocument|HeaderExchangedDocument``.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

MAX_TEXT = 500  # of a field we keep; the document itself holds the rest


def elements_at(root: etree._Element, *steps: str) -> Iterator[etree._Element]:
    """Yield every element at the end of the path."""
    if not steps:
        yield root
        return
    names = steps[0].split("|")
    for child in root.iterchildren("*"):
        if etree.QName(child).localname in names:
            yield from elements_at(child, *steps[1:])


def element_at(root: etree._Element, *steps: str) -> etree._Element | None:
    """Return the first element at the end of the path."""
    return next(elements_at(root, *steps), None)


def text_of(element: etree._Element | None) -> str | None:
    """Return an element's text, stripped and bounded; None when there is none."""
    if element is None or not element.text:
        return None
    return str(element.text).strip()[:MAX_TEXT] or None


def text_at(root: etree._Element, *steps: str) -> str | None:
    """Return the first non-empty text at the end of the path."""
    return next((text for element in elements_at(root, *steps) if (text := text_of(element))), None)
