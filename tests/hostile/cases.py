"""What a hostile case is, and how its PDF is put together."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pikepdf

from archive_service.invoices.specimens import make_invoice
from archive_service.invoices.specimens.bad import good_xml, make_with_xml
from archive_service.invoices.specimens.good import plain_trade

ISSUED = date(2026, 9, 30)
NO_METADATA = b"{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileCase:
    """What a stranger may send, and the problem that it must get.

    ``document`` and ``metadata`` make the two parts of the deposit; ``problem`` is the slug; ``why`` says
    what would go wrong in a service that does not look. ``stalls``: a checker has to be stopped, each time
    it is tried, so that the answer takes some deadlines.
    """

    name: str
    document: Callable[[], bytes]
    problem: str
    why: str
    metadata: Callable[[], bytes] = lambda: NO_METADATA
    stalls: bool = False


def good_invoice() -> bytes:
    """Return an invoice without a fault."""
    return make_invoice(number="F2026-0001", issue_date=ISSUED)


def with_xml(xml: bytes) -> bytes:
    """Return a sound PDF/A-3 around that XML."""
    return make_with_xml(plain_trade("F2026-0001", ISSUED), xml)


def invoice_xml() -> bytes:
    """Return the XML of an invoice without a fault."""
    return good_xml(plain_trade("F2026-0001", ISSUED))


def changed(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    """Return an invoice after a change; streams stay as the change made them."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(good_invoice())) as pdf:
        change(pdf)
        pdf.save(
            out,
            deterministic_id=True,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            fix_metadata_version=False,
        )
    return out.getvalue()


def append_content(pdf: pikepdf.Pdf, stream: pikepdf.Stream) -> None:
    """Let the first page draw one more stream."""
    page = pdf.pages[0].obj
    page.Contents = pikepdf.Array([page.Contents, stream])


def raw_stream(
    pdf: pikepdf.Pdf, data: bytes, filters: tuple[str, ...], entries: dict[str, object] | None = None
) -> pikepdf.Stream:
    """Return a stream of bytes that are encoded already; ``filters`` in the order in which they decode."""
    stream = pdf.make_stream(b"", entries or {})
    names = [pikepdf.Name(f"/{name}") for name in filters]
    stream.write(data, filter=names[0] if len(names) == 1 else pikepdf.Array(names))
    return stream
