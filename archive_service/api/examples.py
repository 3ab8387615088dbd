"""Examples and answers for the OpenAPI document, and the one way JSON is sent."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Response

Answers = dict[int | str, dict[str, Any]]

_ID = "01a20d07-aa48-779c-b358-4a23ec1f67e5"
_DEPOSIT = {
    "deposit_id": _ID,
    "record_id": _ID,
    "kind": "document",
    "state": "archived",
    "received_at": "2026-11-24T10:00:00.000Z",
    "ended_at": "2026-11-24T10:00:00.412Z",
    "original": {"sha256": "9f…", "size": 97877, "file_name": "invoice.pdf"},
    "problem": None,
    "retain_until": "2036-12-31T23:00:00.000Z",
    "receipt": "eyJ…",
    "links": {"self": f"/v1/deposits/{_ID}", "record": f"/v1/records/{_ID}"},
}
_REJECTED = {
    "type": "urn:archive:problem:invoice-schematron",
    "title": "The embedded invoice breaks business rules.",
    "status": 422,
    "detail": "Rules not met: en16931:BR-IC-11. See the findings.",
    "deposit_id": _ID,
    "findings": [{"rule": "en16931:BR-IC-11", "severity": "error", "message": "…", "location": "/…"}],
}


def _json(description: str, example: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"example": example}}}


def _problem(description: str, example: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"example": example}}}


def _file(description: str, kind: str) -> Answers:
    schema = {"type": "string", "format": "binary"}
    return {200: {"description": description, "content": {kind: {"schema": schema}}}}


DEPOSIT_ANSWERS: Answers = {
    200: _json("Known already: the same bytes, or a replayed key", _DEPOSIT),
    201: _json("Archived; the receipt is in the answer", _DEPOSIT),
    202: _json(
        "Durable, and under way", {**_DEPOSIT, "state": "received", "record_id": None, "receipt": None}
    ),
    409: _problem("A deposit that this one repeats is under way, or its number is taken", {}),
    413: _problem("Over the limit; the body was not read to its end", {}),
    422: _problem("Rejected, when waited for; or the key was used for something else", _REJECTED),
}
DEPOSIT_STATE: Answers = {200: _json("As it stands", _DEPOSIT)}
DEPOSIT_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["document"],
                    "properties": {
                        "document": {"type": "string", "format": "binary", "description": "A PDF/A-3"},
                        "metadata": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "What the invoice does not say itself",
                        },
                    },
                },
                "example": {
                    "document": "(bytes)",
                    "metadata": '{"direction": "received", "piece_ref": "HA-2026-0117"}',
                },
            }
        },
    }
}
SEARCH: Answers = {200: _json("A page", {"records": [], "next": None})}
RECORD: Answers = {200: _json("The record", {"record_id": _ID, "revision": 0, "objects": []})}
PDF = _file("The document", "application/pdf")
ZIP = _file("The evidence bundle", "application/zip")


def json_response(shape: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    """Return JSON in UTF-8."""
    body = json.dumps(shape, ensure_ascii=False, indent=2).encode() + b"\n"
    return Response(body, status_code=status, media_type="application/json", headers=headers)
