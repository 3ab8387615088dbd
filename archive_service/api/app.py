"""The application: routes, problems, and nothing else."""

from __future__ import annotations

from fastapi import FastAPI

from archive_service import __version__
from archive_service.api import deposits, keys, logs, operations, problems, records
from archive_service.api.services import Services


def make_api(services: Services) -> FastAPI:
    """Return the application over these services."""
    app = FastAPI(
        title="Invoice archive",
        version=__version__,
        description="Deposit invoices; get back receipts and evidence that stand without this service.",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
    )
    app.state.services = services
    problems.install(app)
    for module in (deposits, records, logs, keys, operations):
        app.include_router(module.router)
    return app
