"""The history: every run's outcome in one store, so that many runs can answer together.

    with open_history(None, out=Path("runs")) as history:
        history.outcomes(Filter(release="2026.11.0"))     # oldest first

SQLite beside the runs by default, PostgreSQL by a DSN when several machines share it.
Lives here: the store, its schema and migrations, import from run directories. May not live here:
judgement, statistics, anything that is printed.
"""

from harness.history.filter import Filter
from harness.history.store import History, open_history

__all__ = ["Filter", "History", "open_history"]
