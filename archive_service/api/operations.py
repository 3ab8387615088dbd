"""For whoever runs the service: does it live, is it ready, how is it doing."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from archive_service.api import examples
from archive_service.api.services import Services, WithServices
from archive_service.pipeline.log_tiles import log_path
from archive_service.ports import ObjectMissing, StagingFull, StoreUnavailable

router = APIRouter(tags=["operations"])

_NO_LOG = UUID(int=0)


@router.get("/healthz")
def healthz() -> Response:
    """Say that this process lives."""
    return examples.json_response({"status": "ok"}, 200, {})


@router.get("/readyz")
def readyz(using: WithServices) -> Response:
    """Say whether deposits can be received: database, store and staging, each by name."""
    parts = {
        "database": "ok" if using.health.answers() else "does not answer",
        "store": _store(using),
        "staging": _staging(using),
    }
    ready = all(state == "ok" for state in parts.values())
    shape = {"status": "ok" if ready else "failing", "parts": parts}
    return examples.json_response(shape, 200 if ready else 503, {})


def _store(using: Services) -> str:
    try:
        using.vault.store.get(bucket=using.buckets.edge, path=log_path(log_id=_NO_LOG, path="checkpoint"))
    except ObjectMissing:
        return "ok"  # it answered
    except StoreUnavailable:
        return "does not answer"
    return "ok"


def _staging(using: Services) -> str:
    try:
        using.staging.check_room(0)
    except StagingFull:
        return "full"
    return "ok"


@router.get("/metrics")
def metrics(using: WithServices) -> Response:
    """Return deposits by state and entries that wait, for Prometheus."""
    registry = CollectorRegistry()
    deposits = Gauge("archive_deposits", "Deposits by state", ["state"], registry=registry)
    waiting = Gauge("archive_entries_waiting", "Journal entries not yet published", registry=registry)
    for state, count in using.health.deposits_by_state().items():
        deposits.labels(state).set(count)
    waiting.set(using.health.entries_waiting())
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
