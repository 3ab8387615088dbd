"""The logs, exactly as C2SP tlog-tiles lays them out: any client of transparency logs can read them."""

from __future__ import annotations

import re
from uuid import UUID

from fastapi import APIRouter, Response

from archive_service.api.problems import ApiProblem
from archive_service.api.services import WithServices
from archive_service.pipeline.log_tiles import LogTiles, log_path

router = APIRouter(prefix="/logs/{log_id}", tags=["logs"])

_TILE = re.compile(r"(?:entries|[0-9]|[1-5][0-9]|6[0-3])(?:/x[0-9]{3})*/[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?")
_FOR_EVER = "public, max-age=31536000, immutable"


@router.get("/checkpoint")
def checkpoint(using: WithServices, log_id: UUID) -> Response:
    """Return the current checkpoint, a signed note."""
    body = using.vault.store.get(bucket=using.buckets.edge, path=log_path(log_id, "checkpoint"))
    return Response(body, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("/tile/{path:path}")
def tile(using: WithServices, log_id: UUID, path: str) -> Response:
    """Return a tile of hashes or a bundle of entries."""
    if not _TILE.fullmatch(path):
        raise ApiProblem("not-found", what=f"tile/{path}")
    tiles = LogTiles(using.vault.store, using.buckets, log_id)
    try:
        body = tiles.read(f"tile/{path}")
    except KeyError as error:
        raise ApiProblem("not-found", what=f"tile/{path}") from error
    return Response(body, media_type="application/octet-stream", headers={"Cache-Control": _FOR_EVER})
