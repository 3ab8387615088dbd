"""The letterhead's picture: light on water, made of noise at several scales. It also sets a file's size."""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache

from PIL import Image, ImageChops, ImageOps

_QUALITY = 88
_SHAPE = 0.19  # height by width, as the letterhead has it
_DARK, _MIDDLE, _LIGHT = (10, 28, 42), (24, 62, 80), (86, 132, 142)  # white text must stay readable


def make_picture(size: int) -> bytes:
    """Return a JPEG of ``size`` bytes, give or take 3 %; the same for the same size."""
    low, high = 40, 12_000  # width in pixels; the size grows with the area
    best = b""
    while high - low > 1:
        middle = (low + high) // 2
        best = _jpeg(middle)
        if abs(len(best) - size) <= size * 0.005:
            break
        low, high = (middle, high) if len(best) < size else (low, middle)
    return best


def _jpeg(width: int) -> bytes:
    height = max(8, round(width * _SHAPE))
    grey = _layer(width, height, 5, "swell")
    for cells, name in ((14, "waves"), (60, "ripples"), (max(61, width // 2), "grain")):
        grey = ImageChops.overlay(grey, _layer(width, height, cells, name))
    picture = ImageOps.colorize(ImageOps.autocontrast(grey), _DARK, _LIGHT, mid=_MIDDLE)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def _layer(width: int, height: int, cells: int, name: str) -> Image.Image:
    """Noise whose cells are wide and low, as waves are."""
    across, down = cells, max(3, round(cells * _SHAPE * 2.5))
    noise = Image.frombytes("L", (across, down), _noise(name, across * down))
    return noise.resize((width, height), Image.Resampling.BICUBIC)


@lru_cache(maxsize=32)
def _noise(name: str, count: int) -> bytes:
    return hashlib.shake_128(name.encode()).digest(count)
