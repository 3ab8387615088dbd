"""Problems (RFC 9457): a stable type, and a sentence in the reader's language from ``problems.json``."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_problem.error import Problem
from fastapi_problem.handler import ExceptionHandler, add_exception_handler, new_exception_handler
from starlette.exceptions import HTTPException

from archive_service.invoices.findings import sentences
from archive_service.pipeline.clients import UnknownKey
from archive_service.pipeline.evidence import NotEndedYet
from archive_service.pipeline.ledger import KeyReused, StillUnderWay, UnknownDeposit
from archive_service.pipeline.metadata import MetadataInvalid
from archive_service.pipeline.records import UnknownRecord
from archive_service.ports import ObjectMissing, StagingFull, StoreRefused, StoreUnavailable

TYPE_PREFIX = "urn:archive:problem:"
LANGUAGES = ("en", "fr")
RETRY_AFTER_SECONDS = 5


class ApiProblem(Exception):
    """An answer that is not what was asked for. ``members`` are added to the problem document."""

    def __init__(self, slug: str, *, members: dict[str, Any] | None = None, **arguments: str) -> None:
        super().__init__(slug)
        self.slug, self.arguments, self.members = slug, arguments, members or {}


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, Any]]:
    """Return slug → status and sentences."""
    found: dict[str, dict[str, Any]] = json.loads(
        Path(__file__).with_name("problems.json").read_text(encoding="utf-8")
    )
    return found


def language(request: Request) -> str:
    """Return the language to answer in: the best of ours in ``Accept-Language`` (RFC 9110 §12.5.4)."""
    weights: list[tuple[float, int, str]] = []
    for place, part in enumerate(request.headers.get("accept-language", "").split(",")[:20]):
        tag, _, parameter = part.partition(";")
        name = tag.strip().lower().partition("-")[0]
        if name in LANGUAGES:
            weights.append((-_weight(parameter), place, name))
    return min(weights)[2] if weights else LANGUAGES[0]


def _weight(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=")) if parameter.strip() else 1.0
    except ValueError:
        return 0.0


def document(slug: str, arguments: dict[str, str], reader: str) -> dict[str, Any]:
    """Return a problem document's members."""
    entry = catalogue()[slug]
    title, detail = entry[reader]
    places = _Arguments(arguments)
    return {
        "type": TYPE_PREFIX + slug,
        "title": title.format_map(places),
        "status": entry["status"],
        "detail": detail.format_map(places),
    }


class _Arguments(dict[str, str]):
    """A place without an argument stays visible rather than failing the answer."""

    def __missing__(self, name: str) -> str:
        return f"({name})"


def finding(members: dict[str, Any], reader: str) -> dict[str, Any]:
    """Return a finding with its sentence in the reader's language, where the rule is one of ours."""
    texts = sentences().get(members["rule"])
    shown = {name: value for name, value in members.items() if name != "arguments"}
    if texts and reader in texts:
        shown["message"] = texts[reader].format_map(_Arguments(members.get("arguments", [])))
    return shown


def _problem(request: Request, slug: str, arguments: dict[str, str], members: dict[str, Any]) -> Problem:
    reader = language(request)
    shown = document(slug, arguments, reader)
    headers = {"Content-Language": reader}
    if slug == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    if shown["status"] == 503:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return Problem(
        shown["title"],
        type_=shown["type"],
        detail=shown["detail"],
        status=shown["status"],
        headers=headers,
        **members,
    )


def _translate(error: Exception) -> tuple[str, dict[str, str], dict[str, Any]]:
    match error:
        case ApiProblem():
            return error.slug, error.arguments, error.members
        case StillUnderWay():
            return (
                "still-under-way",
                {"deposit": str(error.deposit_id)},
                {"deposit_id": str(error.deposit_id)},
            )
        case KeyReused():
            return "key-reused", {}, {}
        case MetadataInvalid():
            return "metadata-invalid", {"mismatches": str(error)}, {}
        case UnknownDeposit() | UnknownRecord() | UnknownKey() | ObjectMissing():
            return "not-found", {"what": str(error)}, {}
        case NotEndedYet():
            return "not-ended", {}, {}
        case StagingFull():
            return "no-room", {}, {}
        case HTTPException() if error.status_code == 404:
            return "not-found", {"what": ""}, {}
        case HTTPException():
            return "request-malformed", {"reason": str(error.detail)}, {}
        case RequestValidationError():
            places = [
                {"location": ".".join(map(str, item["loc"])), "message": item["msg"]}
                for item in error.errors()
            ]
            reason = "; ".join(f"{place['location']}: {place['message']}" for place in places)
            return "request-malformed", {"reason": reason}, {"errors": places}
        case _:
            return "part-unavailable", {}, {}


def _handle(_: ExceptionHandler, request: Request, error: Exception) -> Problem:
    return _problem(request, *_translate(error))


_TRANSLATED = (
    ApiProblem, StillUnderWay, KeyReused, MetadataInvalid, UnknownDeposit, UnknownRecord, UnknownKey,
    ObjectMissing, NotEndedYet, StagingFull, StoreUnavailable, StoreRefused,
    sa.exc.DBAPIError, sa.exc.TimeoutError,
)  # fmt: skip


def install(app: FastAPI) -> None:
    """Answer every error of this application with a problem document."""
    handler = new_exception_handler(
        handlers=dict.fromkeys(_TRANSLATED, _handle),
        http_exception_handler=_handle,
        request_validation_handler=_handle,
    )
    add_exception_handler(app, handler)
    # By name as well: what is only caught as Exception is answered, and then logged as a crash of ours.
    for kind in _TRANSLATED:
        app.add_exception_handler(kind, handler)
