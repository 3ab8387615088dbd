"""Small documents that keep veraPDF busy for ever, or take its memory, or its stack.

All are what ISO 32000-1 allows. Measured with veraPDF 1.28.2 and 512 MB of heap: see ``why``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name

from .cases import HostileCase, append_content, changed, raw_stream

FORM_DEPTH, FORM_FAN = 12, 10  # the innermost form is drawn 10¹² times
STRUCTURE_DEPTH = 30  # 2³⁰ ways to the innermost element
OPERATORS = 30_000_000
NESTING = 2_000_000


def nested_forms(depth: int = FORM_DEPTH, fan: int = FORM_FAN) -> bytes:
    """Return an invoice that draws a form, which draws another ten times, and so on."""

    def change(pdf: pikepdf.Pdf) -> None:
        entries = {
            "/Type": Name.XObject,
            "/Subtype": Name.Form,
            "/BBox": Array([0, 0, 1, 1]),
            "/Resources": Dictionary(),
        }
        form = pdf.make_stream(b"0 0 1 1 re f\n", entries)
        for _ in range(depth):
            entries["/Resources"] = Dictionary(XObject=Dictionary(Next=form))
            form = pdf.make_stream(b"/Next Do\n" * fan, entries)
        pdf.pages[0].obj.Resources.XObject = Dictionary(First=form)
        append_content(pdf, pdf.make_stream(b"/First Do\n"))

    return changed(change)


def structure_lattice(depth: int = STRUCTURE_DEPTH) -> bytes:
    """Return an invoice whose structure elements each name the next one twice."""

    def change(pdf: pikepdf.Pdf) -> None:
        root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        element = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.P, P=root))
        for _ in range(depth):
            kids = Array([element, element])
            element = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.P, P=root, K=kids))
        root.K = element
        pdf.Root.StructTreeRoot = root

    return changed(change)


def structure_cycle() -> bytes:
    """Return an invoice with a structure element that is its own child."""

    def change(pdf: pikepdf.Pdf) -> None:
        root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        element = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.P, P=root))
        element.K = element
        root.K = element
        pdf.Root.StructTreeRoot = root

    return changed(change)


def _content(make: Callable[[], bytes]) -> Callable[[], bytes]:
    return lambda: changed(
        lambda pdf: append_content(pdf, raw_stream(pdf, zlib.compress(make(), 9), ("FlateDecode",)))
    )


many_operators = _content(lambda: b"n\n" * OPERATORS)
nested_arrays = _content(lambda: b"[" * NESTING + b"]" * NESTING + b" TJ\n")


def _stall(name: str, document: Callable[[], bytes], why: str) -> HostileCase:
    return HostileCase(name=name, document=document, problem="validation-impossible", why=why, stalls=True)


CASES = (
    _stall("verapdf-hangs-on-forms", nested_forms, "48 kB; no verdict after a minute, nor in a lifetime"),
    _stall("verapdf-hangs-on-structure", structure_lattice, "48 kB; the time doubles with each element"),
    _stall("verapdf-runs-out-of-memory", many_operators, "105 kB; 30 million operators, each an object"),
    _stall("verapdf-runs-out-of-stack", nested_arrays, "49 kB; it parses by recursion and its process ends"),
    _stall("verapdf-runs-in-a-circle", structure_cycle, "45 kB; it follows the child for ever, and ends"),
)
