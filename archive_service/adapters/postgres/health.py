"""What an operator asks the database: does it answer, and how much waits in it."""

from __future__ import annotations

import sqlalchemy as sa


class PostgresHealth:
    """Implements ``pipeline.parts.Health``."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def answers(self) -> bool:
        """Say whether a query comes back."""
        try:
            with self._engine.connect() as connection:
                connection.execute(sa.select(1))
        except (sa.exc.DBAPIError, sa.exc.TimeoutError):
            return False
        return True

    def deposits_by_state(self) -> dict[str, int]:
        """Count deposits, over all tenants."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.text("SELECT * FROM archive_count_deposits()"))
            return {row.state: row.deposits for row in found}

    def entries_waiting(self) -> int:
        """Count journal entries that are not published yet, over all logs."""
        pending = sa.text("SELECT coalesce(sum(pending), 0) FROM archive_list_logs()")
        with self._engine.connect() as connection:
            return int(connection.execute(pending).scalar_one())
