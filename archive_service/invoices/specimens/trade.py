"""What a specimen is about: who sells what to whom. All companies are invented; sums are exact decimals.

The SIREN begin with 000, so that they are known at sight, and have a right check digit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

CENT = Decimal("0.01")
PAYMENT_DAYS = 30
NOTES = (  # BT-21 and BT-22: what a French invoice between companies must say (C. com. L441-9, BR-FR-05)
    (
        "PMT",
        "En cas de retard de paiement, une indemnité forfaitaire de 40 € pour frais de recouvrement est due.",
    ),
    (
        "PMD",
        "Tout retard de paiement entraîne des pénalités au taux de trois fois l’intérêt légal.",
    ),
    ("AAB", "Aucun escompte n’est accordé pour paiement anticipé."),
)
INTRA_EU = "Livraison intracommunautaire exonérée, article 138 de la directive 2006/112/CE"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something sold. ``unit`` is UN/ECE Rec. 20, ``rate`` the French VAT rate in percent."""

    reference: str
    name: str
    unit: str
    label: str
    price: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A seller or a buyer. ``siren`` and ``siret`` are empty outside France; ``colour`` is RGB, 0 to 1."""

    name: str
    tagline: str = ""
    street: str
    postcode: str
    city: str
    country: str = "FR"
    siren: str = ""
    siret: str = ""
    vat_id: str
    contact: str
    phone: str
    email: str
    legal: str = ""
    iban: str = ""
    bic: str = ""
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)
    catalogue: tuple[Product, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an invoice; ``net`` is quantity times price, to the cent."""

    product: Product
    quantity: Decimal
    rate: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """One VAT rate's share: what it applies to, and the tax."""

    rate: Decimal
    category: str  # UNTDID 5305: S standard, K intra-community
    basis: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A discount on the whole invoice, taken from the lines of one VAT rate."""

    percent: Decimal
    basis: Decimal
    amount: Decimal
    rate: Decimal
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Everything an invoice says, before it has a form. Amounts are in euros."""

    number: str
    issued: date
    delivered: date
    due: date
    order: str
    order_date: date
    contract: str
    despatch: str
    seller: Company
    buyer: Company
    lines: tuple[Line, ...]
    allowance: Allowance | None
    taxes: tuple[Tax, ...]

    @property
    def line_total(self) -> Decimal:
        """BT-106."""
        return sum((line.net for line in self.lines), Decimal(0))

    @property
    def allowance_total(self) -> Decimal:
        """BT-107."""
        return self.allowance.amount if self.allowance else Decimal("0.00")

    @property
    def tax_basis(self) -> Decimal:
        """BT-109."""
        return self.line_total - self.allowance_total

    @property
    def tax_total(self) -> Decimal:
        """BT-110."""
        return sum((tax.amount for tax in self.taxes), Decimal(0))

    @property
    def grand_total(self) -> Decimal:
        """BT-112."""
        return self.tax_basis + self.tax_total


class Dice:
    """Numbers that depend on a text alone, on every machine and every Python."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._count = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit`` - 1."""
        self._count += 1
        digest = hashlib.sha256(f"{self._text}/{self._count}".encode()).digest()
        return int.from_bytes(digest[:8]) % limit

    def pick(self, items: Sequence[_T]) -> _T:
        """Return one of the items."""
        return items[self.below(len(items))]


def make_trade(
    *,
    number: str,
    issued: date,
    seed: int,
    lines: int,
    sellers: Sequence[Company],
    buyers: Sequence[Company],
) -> Trade:
    """Draw who, what and how much from ``number`` and ``seed``; the same arguments give the same trade."""
    dice = Dice(f"specimen/{seed}/{number}")
    seller, buyer = sellers[seed % len(sellers)], dice.pick(buyers)
    category = "S" if seller.country == buyer.country else "K"
    bought = tuple(_line(dice, seller.catalogue, category) for _ in range(lines))
    allowance = _allowance(dice, bought, category)
    delivered = issued - timedelta(days=dice.below(5))
    return Trade(
        number=number,
        issued=issued,
        delivered=delivered,
        due=issued + timedelta(days=PAYMENT_DAYS),
        order=f"CDE-{delivered.year}-{1000 + dice.below(9000)}",
        order_date=delivered - timedelta(days=3 + dice.below(12)),
        contract=f"CT-{delivered.year - 1}-{100 + dice.below(900)}",
        despatch=f"BL-{delivered:%y%m%d}-{10 + dice.below(90)}",
        seller=seller,
        buyer=buyer,
        lines=bought,
        allowance=allowance,
        taxes=_taxes(bought, allowance, category),
    )


def _line(dice: Dice, catalogue: tuple[Product, ...], category: str) -> Line:
    product = dice.pick(catalogue)
    whole = product.unit in ("C62", "MON")
    quantity = Decimal(1 + dice.below(24)) if whole else Decimal(2 + dice.below(40)) / 2
    return Line(
        product=product,
        quantity=quantity,
        rate=product.rate if category == "S" else Decimal(0),
        net=_cents(quantity * product.price),
    )


def _allowance(dice: Dice, lines: tuple[Line, ...], category: str) -> Allowance | None:
    """Every third invoice or so has a discount, on its first line's rate."""
    if dice.below(3):
        return None
    rate = lines[0].rate
    basis = sum((line.net for line in lines if line.rate == rate), Decimal(0))
    percent = Decimal(dice.pick((3, 5, 8)))
    amount = _cents(basis * percent / 100)
    return Allowance(percent=percent, basis=basis, amount=amount, rate=rate, category=category)


def _taxes(lines: tuple[Line, ...], allowance: Allowance | None, category: str) -> tuple[Tax, ...]:
    bases: dict[Decimal, Decimal] = {}
    for line in lines:
        bases[line.rate] = bases.get(line.rate, Decimal(0)) + line.net
    if allowance:
        bases[allowance.rate] -= allowance.amount
    return tuple(
        Tax(rate=rate, category=category, basis=basis, amount=_cents(basis * rate / 100))
        for rate, basis in sorted(bases.items(), reverse=True)
    )


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
