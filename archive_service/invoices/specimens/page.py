"""What an invoice looks like: French, one column of lines, as many pages as they need."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from archive_service.invoices.specimens.base import Face
from archive_service.invoices.specimens.canvas import GREY, PALE, WHITE, WIDTH, Canvas, Colour
from archive_service.invoices.specimens.trade import INTRA_EU, NOTES, Company, Line, Trade

_LEFT, _RIGHT = 44.0, WIDTH - 44.0
_BANNER = 84.0
_ROW = 17.0
_FIRST_ROW, _NEXT_ROW, _LAST_ROW = 306.0, 136.0, 772.0  # where lines may stand on the first and later pages
_SUMMARY = 196.0  # what totals, payment and notes need
_NBSP = "\u00a0"
_COLUMNS = (  # title, right edge or left edge, whether that is the right one
    ("Référence", _LEFT + 8, False),
    ("Désignation", _LEFT + 84, False),
    ("Qté", 350.0, True),
    ("Unité", 358.0, False),
    ("P.U. HT", 440.0, True),
    ("TVA", 478.0, True),
    ("Montant HT", _RIGHT - 8, True),
)


def money(amount: Decimal) -> str:
    """``1 234,50 €`` as French writes it."""
    return f"{amount:,.2f}".replace(",", _NBSP).replace(".", ",") + f"{_NBSP}€"


def day(value: date) -> str:
    """``02/11/2026``."""
    return f"{value:%d/%m/%Y}"


def percent(rate: Decimal) -> str:
    """``5,5 %``."""
    return f"{rate.normalize():f}".replace(".", ",") + f"{_NBSP}%"


def draw_pages(
    trade: Trade, *, faces: Mapping[str, Face], picture: str | None, profile: str
) -> tuple[bytes, ...]:
    """Return the content stream of each page."""
    portions = _paginate(trade.lines)
    pages = []
    for place, portion in enumerate(portions, start=1):
        canvas = Canvas(faces)
        _banner(canvas, trade, picture)
        if place == 1:
            _head(canvas, trade)
        bottom = _table(canvas, portion, trade, _FIRST_ROW if place == 1 else _NEXT_ROW)
        if place == len(portions):
            _summary(canvas, trade, bottom + 14)
        _footer(canvas, trade, f"Page {place}/{len(portions)}", profile)
        pages.append(canvas.content())
    return tuple(pages)


def _paginate(lines: tuple[Line, ...]) -> tuple[tuple[Line, ...], ...]:
    """Share the lines out; the last page keeps room for the summary, and at least one line."""
    portions: list[tuple[Line, ...]] = []
    rest = lines
    top = _FIRST_ROW
    while len(rest) * _ROW + top + _SUMMARY > _LAST_ROW:
        room = min(int((_LAST_ROW - top) / _ROW), len(rest) - 1)  # a summary never stands alone
        portions.append(rest[:room])
        rest = rest[room:]
        top = _NEXT_ROW
    return (*portions, rest)


def _banner(canvas: Canvas, trade: Trade, picture: str | None) -> None:
    seller = trade.seller
    canvas.rectangle(0, 0, WIDTH, _BANNER, seller.colour)
    if picture:
        canvas.picture(picture, 0, 0, WIDTH, _BANNER)
    _logo(canvas, _LEFT, 24, seller.colour if not picture else (0.08, 0.16, 0.22))
    canvas.text(_LEFT + 50, 42, seller.name, size=16, bold=True, colour=WHITE)
    canvas.text(_LEFT + 50, 57, seller.tagline, size=8.5, colour=WHITE)
    canvas.text(_RIGHT, 42, "FACTURE", size=16, bold=True, colour=WHITE, right=True)
    canvas.text(_RIGHT, 57, f"N° {trade.number}", size=9.5, colour=WHITE, right=True)


def _logo(canvas: Canvas, x: float, y: float, colour: Colour) -> None:
    canvas.rectangle(x, y, 36, 36, WHITE)
    canvas.polygon(((x + 7, y + 29), (x + 18, y + 7), (x + 29, y + 29)), colour)
    canvas.polygon(((x + 13.5, y + 29), (x + 18, y + 19), (x + 22.5, y + 29)), WHITE)


def _head(canvas: Canvas, trade: Trade) -> None:
    _address(canvas, _LEFT, 112, "Émetteur", trade.seller)
    _address(canvas, 228, 112, "Facturé et livré à", trade.buyer)
    facts = (
        ("Date de facture", day(trade.issued)),
        ("Date de livraison", day(trade.delivered)),
        ("Échéance", day(trade.due)),
        ("Commande", trade.order),
        ("Contrat", trade.contract),
        ("Bon de livraison", trade.despatch),
    )
    canvas.rectangle(410, 104, _RIGHT - 410, 116, PALE)
    for place, (name, value) in enumerate(facts):
        y = 121 + place * 18
        canvas.text(418, y, name, size=7.5, colour=GREY)
        canvas.text(_RIGHT - 8, y, value, size=8, bold=True, right=True)
    canvas.text(_LEFT, 252, f"Votre contact : {trade.seller.contact}", colour=GREY, size=8)
    canvas.text(_LEFT, 264, f"{trade.seller.phone} – {trade.seller.email}", colour=GREY, size=8)


def _address(canvas: Canvas, x: float, y: float, title: str, company: Company) -> None:
    canvas.text(x, y, title.upper(), size=6.8, bold=True, colour=GREY)
    canvas.text(x, y + 16, company.name, size=10, bold=True)
    lines = [company.street, f"{company.postcode} {company.city}", _country(company)]
    if company.siret:
        lines.append(f"SIRET {company.siret}")
    lines.append(f"TVA {company.vat_id}")
    for place, line in enumerate(lines):
        canvas.text(x, y + 30 + place * 12.5, line)


def _country(company: Company) -> str:
    return {"FR": "France", "DE": "Allemagne", "BE": "Belgique"}[company.country]


def _table(canvas: Canvas, lines: tuple[Line, ...], trade: Trade, top: float) -> float:
    """Draw the lines and return where they end."""
    if lines:
        canvas.rectangle(_LEFT, top - 18, _RIGHT - _LEFT, 18, trade.seller.colour)
        for title, x, right in _COLUMNS:
            canvas.text(x, top - 6, title, size=7.5, bold=True, colour=WHITE, right=right)
    for place, line in enumerate(lines):
        y = top + place * _ROW
        if place % 2:
            canvas.rectangle(_LEFT, y, _RIGHT - _LEFT, _ROW, PALE)
        for (_, x, right), text in zip(_COLUMNS, _cells(canvas, line), strict=True):
            canvas.text(x, y + 11.5, text, size=8, right=right)
    bottom = top + len(lines) * _ROW
    canvas.rule(_LEFT, bottom, _RIGHT - _LEFT)
    return bottom


def _cells(canvas: Canvas, line: Line) -> tuple[str, ...]:
    product = line.product
    return (
        product.reference,
        canvas.fit(product.name, 350 - 28 - _LEFT - 84, size=8),
        f"{line.quantity.normalize():f}".replace(".", ","),
        product.label,
        money(product.price),
        percent(line.rate),
        money(line.net),
    )


def _summary(canvas: Canvas, trade: Trade, top: float) -> None:
    _totals(canvas, trade, top)
    _payment(canvas, trade, top + 12)
    y = top + 132
    notes = [text for _, text in NOTES]
    if trade.taxes[0].category == "K":
        notes.append(f"{INTRA_EU}.")
    for place, note in enumerate(notes):
        canvas.text(_LEFT, y + place * 11, note, size=7, colour=GREY)


def _totals(canvas: Canvas, trade: Trade, top: float) -> None:
    rows = [("Total des lignes HT", trade.line_total)]
    if trade.allowance:
        rows.append((f"Remise commerciale {percent(trade.allowance.percent)}", -trade.allowance.amount))
    rows.append(("Total HT", trade.tax_basis))
    rows.extend((f"TVA {percent(tax.rate)} sur {money(tax.basis)}", tax.amount) for tax in trade.taxes)
    for place, (name, amount) in enumerate(rows):
        y = top + 12 + place * 14
        canvas.text(360, y, name, size=8, colour=GREY)
        canvas.text(_RIGHT - 8, y, money(amount), size=8.5, right=True)
    y = top + 12 + len(rows) * 14
    canvas.rectangle(352, y - 4, _RIGHT - 352, 24, trade.seller.colour)
    canvas.text(360, y + 11.5, "Net à payer TTC", size=9.5, bold=True, colour=WHITE)
    canvas.text(
        _RIGHT - 8, y + 11.5, money(trade.grand_total), size=10.5, bold=True, colour=WHITE, right=True
    )


def _payment(canvas: Canvas, trade: Trade, top: float) -> None:
    seller = trade.seller
    iban = " ".join(seller.iban[place : place + 4] for place in range(0, len(seller.iban), 4))
    canvas.text(_LEFT, top, "RÈGLEMENT", size=6.8, bold=True, colour=GREY)
    rows = (
        ("Mode", "Virement SEPA, 30 jours date de facture"),
        ("IBAN", iban),
        ("BIC", seller.bic),
        ("Référence", trade.number),
    )
    for place, (name, value) in enumerate(rows):
        y = top + 15 + place * 13
        canvas.text(_LEFT, y, name, size=8, colour=GREY)
        canvas.text(_LEFT + 54, y, value, size=8.5)


def _footer(canvas: Canvas, trade: Trade, page: str, profile: str) -> None:
    seller = trade.seller
    facts = [seller.name, seller.legal]
    if seller.siren:
        facts.append(f"SIREN {seller.siren}")
    facts.append(f"TVA {seller.vat_id}")
    canvas.rule(_LEFT, 794, _RIGHT - _LEFT)
    canvas.text(_LEFT, 807, " – ".join(facts), size=7, colour=GREY)
    canvas.text(_LEFT, 818, f"Factur-X {profile}. Spécimen : sociétés fictives.", size=7, colour=GREY)
    canvas.text(_RIGHT, 818, page, size=7, colour=GREY, right=True)
