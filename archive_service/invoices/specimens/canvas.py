"""Drawing on a page: a content stream written by hand (ISO 32000-1, 8 and 9). Points, from the top left."""

from __future__ import annotations

from collections.abc import Mapping

from archive_service.invoices.specimens.base import BOLD, REGULAR, Face

WIDTH, HEIGHT = 595.28, 841.89  # A4
Colour = tuple[float, float, float]
BLACK: Colour = (0.13, 0.14, 0.16)
GREY: Colour = (0.42, 0.44, 0.48)
PALE: Colour = (0.957, 0.961, 0.965)
RULE: Colour = (0.85, 0.86, 0.88)
WHITE: Colour = (1.0, 1.0, 1.0)


class Canvas:
    """Collects the operators of one page."""

    def __init__(self, faces: Mapping[str, Face]) -> None:
        self._faces = faces
        self._parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 8.5,
        bold: bool = False,
        colour: Colour = BLACK,
        right: bool = False,
    ) -> None:
        """Write one line with its baseline at ``y``; with ``right``, ``x`` is where it ends."""
        key = BOLD if bold else REGULAR
        face = self._faces[key]
        if right:
            x -= face.width(text, size)
        place = f"{x:.2f} {HEIGHT - y:.2f} Td"
        self._parts.append(f"BT {_paint(colour)} rg /{key} {size:g} Tf {place} <{face.encode(text)}> Tj ET")

    def rectangle(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill a rectangle whose upper left corner is at ``x``, ``y``."""
        self._parts.append(
            f"{_paint(colour)} rg {x:.2f} {HEIGHT - y - height:.2f} {width:.2f} {height:.2f} re f"
        )

    def rule(self, x: float, y: float, width: float, colour: Colour = RULE, thick: float = 0.5) -> None:
        """Draw a horizontal line."""
        self.rectangle(x, y - thick / 2, width, thick, colour)

    def polygon(self, points: tuple[tuple[float, float], ...], colour: Colour) -> None:
        """Fill a polygon."""
        (x, y), *others = points
        path = " ".join(f"{across:.2f} {HEIGHT - down:.2f} l" for across, down in others)
        self._parts.append(f"{_paint(colour)} rg {x:.2f} {HEIGHT - y:.2f} m {path} h f")

    def picture(self, name: str, x: float, y: float, width: float, height: float) -> None:
        """Place a picture of the page's resources."""
        self._parts.append(
            f"q {width:.2f} 0 0 {height:.2f} {x:.2f} {HEIGHT - y - height:.2f} cm /{name} Do Q"
        )

    def content(self) -> bytes:
        """Return the content stream."""
        return "\n".join(self._parts).encode("ascii")

    def fit(self, text: str, width: float, *, size: float, bold: bool = False) -> str:
        """Cut a text so that it fits, with an ellipsis where it was cut."""
        face = self._faces[BOLD if bold else REGULAR]
        if face.width(text, size) <= width:
            return text
        while text and face.width(text + "…", size) > width:
            text = text[:-1]
        return text.rstrip() + "…"


def _paint(colour: Colour) -> str:
    return " ".join(f"{part:.3f}" for part in colour)
