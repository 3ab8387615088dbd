"""The part of a specimen that is the same for all: fonts, colour profile, picture. Made once by fpdf2.

fpdf2 subsets fonts anew for each document, which takes 40 ms; here it does so once, for every character
that the fonts have, and each invoice starts from a copy.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import pikepdf
from fpdf import FPDF
from fpdf.fonts import TTFFont

from archive_service.invoices.specimens.picture import make_picture

_FONTS = Path(__file__).parent / "fonts"
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
REGULAR, BOLD = "F1", "F2"  # fpdf2 numbers fonts in the order in which they are added


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """An embedded font: the code and the width (1/1000 of the size) of each character."""

    codes: Mapping[str, int]
    widths: Mapping[str, float]

    def encode(self, text: str) -> str:
        """Return the hexadecimal string to show; a character that the font lacks becomes ``?``."""
        return "".join(f"{self.codes.get(sign, self.codes['?']):04X}" for sign in text)

    def width(self, text: str, size: float) -> float:
        """Return the width of a text in points."""
        return sum(self.widths.get(sign, self.widths["?"]) for sign in text) * size / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A PDF with one empty page that has the fonts and, where asked for, a picture named ``picture``."""

    pdf: bytes
    faces: Mapping[str, Face]
    picture: str | None


@lru_cache(maxsize=4)
def make_base(picture_bytes: int) -> Base:
    """Return the base, with a picture of about that many bytes; 0: none."""
    pdf = FPDF(format="A4", unit="pt", enforce_compliance="PDF/A-3B")
    pdf.set_creation_date(_EPOCH)
    pdf.add_page()
    faces = {
        key: _add_font(pdf, file)
        for key, file in ((REGULAR, "Inter-Regular.ttf"), (BOLD, "Inter-SemiBold.ttf"))
    }
    if picture_bytes:
        pdf.image(io.BytesIO(make_picture(picture_bytes)), x=0, y=0, w=100)
    body = bytes(pdf.output())
    with pikepdf.open(io.BytesIO(body)) as opened:
        pictures = [str(name) for name in opened.pages[0].obj.Resources.get("/XObject", {})]
        for needless in ("/OpenAction", "/PageLayout"):
            if needless in opened.Root:
                del opened.Root[needless]
        small = io.BytesIO()
        opened.save(small, deterministic_id=True)
    return Base(
        pdf=small.getvalue(), faces=faces, picture=pictures[0].removeprefix("/") if pictures else None
    )


def _add_font(pdf: FPDF, file: str) -> Face:
    pdf.add_font(file, fname=_FONTS / file)
    pdf.set_font(file, size=1)
    font = pdf.current_font
    if not isinstance(font, TTFFont):
        raise TypeError(f"{file} is no TrueType font")
    signs = [chr(code) for code in sorted(font.cmap) if code >= 0x20]
    pdf.text(0, 0, "".join(signs))
    codes = {sign: code for sign in signs if (code := font.subset.pick(ord(sign))) is not None}
    return Face(codes=codes, widths={sign: float(font.cw[ord(sign)]) for sign in signs})
