"""Metadata that are not what the schema asks for, beside a good invoice."""

from __future__ import annotations

from collections.abc import Callable

from .cases import HostileCase, good_invoice

DEPTH = 100_000
HUGE_BYTES = 1_000_000


def _metadata(name: str, body: Callable[[], bytes] | bytes, why: str) -> HostileCase:
    build = (lambda: body) if isinstance(body, bytes) else body
    return HostileCase(name=name, document=good_invoice, metadata=build, problem="metadata-invalid", why=why)


CASES = (
    _metadata("metadata-array", b'[{"number": "F1"}]', "it has no members"),
    _metadata("metadata-string", b'"F2026-0001"', "it has no members"),
    _metadata("metadata-null", b"null", "null is not nothing"),
    _metadata("metadata-not-json", b"number=F2026-0001", "it would be taken for nothing"),
    _metadata("metadata-cut", b'{"number": "F2026', "half of it"),
    _metadata("metadata-trailing", b'{"number": "F1"} {"number": "F2"}', "parsers take one or the other"),
    _metadata("metadata-twice", b'{"number": "F1", "number": "F2"}', "parsers take one or the other"),
    _metadata(
        "metadata-twice-inside", b'{"seller": {"name": "A", "name": "B"}}', "parsers take one or the other"
    ),
    _metadata("metadata-deep", lambda: b"[" * DEPTH + b"]" * DEPTH, "parsers recurse"),
    _metadata(
        "metadata-deep-objects", lambda: b'{"seller":' * 200 + b"1" + b"}" * 200, "what walks it recurses"
    ),
    _metadata("metadata-huge", lambda: b'{"number": "' + b"9" * HUGE_BYTES + b'"}', "it fills rows and logs"),
    _metadata("metadata-nul", rb'{"number": "F1\u0000"}', "PostgreSQL's text has no NUL"),
    _metadata("metadata-nul-name", rb'{"num\u0000ber": "F1"}', "nor have the members of its jsonb"),
    _metadata("metadata-raw-nul", b'{"number": "F1\x00"}', "JSON has no control characters in strings"),
    _metadata("metadata-surrogate", rb'{"number": "F1\ud800"}', "it cannot be written in UTF-8"),
    _metadata("metadata-not-utf-8", b'{"number": "F\xe9vrier"}', "readers would guess other letters"),
    _metadata("metadata-nan", b'{"number": NaN}', "it is not JSON, and equal to nothing"),
    _metadata("metadata-huge-number", lambda: b'{"number": ' + b"9" * 5_000 + b"}", "it takes long to read"),
    _metadata("metadata-number", b'{"number": 1}', "1 and 01 are two invoices"),
    _metadata("metadata-unknown-member", b'{"numero": "F1"}', "a misspelt field would be lost in silence"),
    _metadata("metadata-no-such-day", b'{"issue_date": "2026-02-30"}', "there is no such day"),
    _metadata("metadata-direction", b'{"direction": "sideways"}', "there is no such direction"),
)
