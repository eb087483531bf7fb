"""The history: every run's outcome in one store, so that many runs can answer together.

    with open_history(None, out=Path("runs")) as history:
        history.outcomes(Filter(release="2026.11.0"))     # oldest first

SQLite beside the runs by default, PostgreSQL by a DSN when several machines share it.
Lives here: the store, its schema and migrations, import from run directories. May not live here:
judgement, statistics, anything that is printed.

Names are loaded when first used, as in `harness` itself: a run needs its store at its end.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.history.filter import Filter as Filter
    from harness.history.store import History as History
    from harness.history.store import open_history as open_history

_HOME = {
    "Filter": "harness.history.filter",
    "History": "harness.history.store",
    "open_history": "harness.history.store",
}
__all__ = ["Filter", "History", "open_history"]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'harness.history' has no attribute {name!r}")
