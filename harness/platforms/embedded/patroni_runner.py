"""Stock Patroni, imported early: loads it, waits for a file, runs it.

    python -P patroni_runner.py CONFIG GO_FILE     (-P: patroni.py beside it is not Patroni)

Its imports take longer than its work at a start, so they happen while the data is still being
copied. A script of its own because Patroni starts a helper process that imports its main module
again, and this one is light. Once the file is there it stays, and nothing waits.
"""

import importlib
import sys
import time
from pathlib import Path

_EARLY = ("patroni.__main__", "patroni.api", "patroni.ha", "patroni.dcs.etcd3", "psycopg")
_POLL_S = 0.01


def main() -> None:
    """Never returns before Patroni does."""
    configuration, go_file = sys.argv[1:3]
    early = [importlib.import_module(name) for name in _EARLY]
    while not Path(go_file).exists():
        time.sleep(_POLL_S)
    sys.argv = ["patroni", configuration]
    early[0].main()


if __name__ == "__main__":
    main()
