"""Invoices that pass every check, and the same with one business rule broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from lxml import etree

from archive_service.invoices.specimens.assemble import Parts, assemble
from archive_service.invoices.specimens.cii import LEVELS, invoice_tree, to_bytes
from archive_service.invoices.specimens.companies import BUYERS, SELLERS
from archive_service.invoices.specimens.trade import Trade, make_trade

PROFILES = tuple(LEVELS)
SELLER_COUNTRIES = tuple(SELLERS)
MAX_LINES = 10_000
MIN_KILOBYTES, MAX_KILOBYTES = 60, 5_000  # less than 60 leaves no room for a picture


def make_invoice(
    *,
    number: str,
    issue_date: date,
    seed: int = 0,
    lines: int = 3,
    kilobytes: int | None = None,
    profile: str = "EN 16931",
    seller_country: str = "FR",
    break_rule: str | None = None,
) -> bytes:
    """Return a PDF/A-3B Factur-X invoice: veraPDF, XSD and Schematron find no error in it.

    ``seed`` chooses seller, buyer and goods; ``kilobytes`` (of 1,000 bytes; 60 to 5,000) sets the file's
    size within 5 % by the letterhead's picture; ``break_rule`` breaks one of BREAKABLE_RULES.
    A French seller's invoice also passes BR-FR, but for MINIMUM, which cannot hold what those ask.
    Raises ValueError for a profile, country, rule, size or number of lines that there is not.
    """
    _check(lines, kilobytes, profile, seller_country)
    trade = make_trade(
        number=number,
        issued=issue_date,
        seed=seed,
        lines=lines,
        sellers=SELLERS[seller_country],
        buyers=BUYERS,
    )
    root = invoice_tree(trade, LEVELS[profile])
    if break_rule is not None:
        break_business_rule(root, break_rule)
    parts = Parts(trade=trade, profile=profile, xml=to_bytes(root), level=profile, kilobytes=kilobytes)
    return assemble(parts)


def plain_trade(number: str, issued: date) -> Trade:
    """Return the trade that the bad specimens start from."""
    return make_trade(number=number, issued=issued, seed=0, lines=3, sellers=SELLERS["FR"], buyers=BUYERS)


def _check(lines: int, kilobytes: int | None, profile: str, seller_country: str) -> None:
    if profile not in LEVELS:
        raise ValueError(f"no specimen has the profile {profile!r}; there are {', '.join(PROFILES)}")
    if seller_country not in SELLERS:
        raise ValueError(f"no seller is in {seller_country!r}; there are {', '.join(SELLER_COUNTRIES)}")
    if not 1 <= lines <= MAX_LINES:
        raise ValueError(f"an invoice has 1 to {MAX_LINES} lines, not {lines}")
    if kilobytes is not None and not MIN_KILOBYTES <= kilobytes <= MAX_KILOBYTES:
        raise ValueError(f"a specimen has {MIN_KILOBYTES} to {MAX_KILOBYTES} kB, not {kilobytes}")


# --- Breaking business rules --------------------------------------------------------------------

_RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
_SUMMATION = f".//{_RAM}SpecifiedTradeSettlementHeaderMonetarySummation/{_RAM}"
_HEADER_TAX = f".//{_RAM}ApplicableHeaderTradeSettlement/{_RAM}ApplicableTradeTax/{_RAM}"


def _adding(*paths: str) -> Callable[[etree._Element], None]:
    """Return a change that adds a euro at each path: the sums agree no longer."""

    def change(root: etree._Element) -> None:
        for path in paths:
            element = root.find(path)
            if element is None:
                raise ValueError("this profile does not have the amount that the rule is about")
            element.text = str(Decimal(element.text or "0") + 1)

    return change


def _without_notes(root: etree._Element) -> None:
    for note in list(root.iter(f"{_RAM}IncludedNote")):
        parent = note.getparent()
        if parent is not None:
            parent.remove(note)


BREAKABLE_RULES: dict[str, Callable[[etree._Element], None]] = {
    "BR-CO-10": _adding(_SUMMATION + "LineTotalAmount"),
    "BR-CO-14": _adding(
        _SUMMATION + "TaxTotalAmount", _SUMMATION + "GrandTotalAmount", _SUMMATION + "DuePayableAmount"
    ),
    "BR-CO-15": _adding(_SUMMATION + "GrandTotalAmount", _SUMMATION + "DuePayableAmount"),
    "BR-CO-16": _adding(_SUMMATION + "DuePayableAmount"),
    "BR-S-08": _adding(_HEADER_TAX + "BasisAmount"),
    "BR-FR-05": _without_notes,
}


def break_business_rule(root: etree._Element, rule: str) -> None:
    """Change an invoice so that it breaks the rule, others perhaps with it.

    Raises ValueError for a rule that is not offered.
    """
    change = BREAKABLE_RULES.get(rule)
    if change is None:
        raise ValueError(f"no specimen breaks {rule!r}; there are {', '.join(BREAKABLE_RULES)}")
    change(root)
