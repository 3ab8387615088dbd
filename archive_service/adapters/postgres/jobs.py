"""The job queue: procrastinate on the same PostgreSQL, so that a deposit and its job are one transaction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import procrastinate
import sqlalchemy as sa
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

INGEST_TASK = "ingest"
INGEST_QUEUE = "ingest"
MAX_WAIT_SECONDS = 60  # the longest a deposit waits after a part came back


class RetryUntilDone(BaseRetryStrategy):
    """Try again for ever, ever more slowly up to a minute: an acknowledged deposit always ends."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """Wait 1, 2, 4… seconds, 60 at most."""
        del exception
        return RetryDecision(retry_in={"seconds": min(2 ** min(job.attempts, 6), MAX_WAIT_SECONDS)})


def make_app(url: str) -> procrastinate.App:
    """Return the queue's application; its connector opens nothing until a worker runs."""
    return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))


def defer_ingest(app: procrastinate.App, connection: sa.Connection, tenant: UUID, deposit_id: UUID) -> None:
    """Defer a deposit's job in the caller's transaction: both become durable, or neither."""
    driver: Any = connection.connection.driver_connection
    app.configure_task(INGEST_TASK, queue=INGEST_QUEUE, lock=str(deposit_id), connection=driver).defer(
        tenant=str(tenant), deposit_id=str(deposit_id)
    )
