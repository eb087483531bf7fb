"""Stock Patroni, imported early: loads it, waits for a file, runs it.

    python -P patroni_runner.py CONFIG GO_FILE     (-P: patroni.py beside it is not Patroni)

Its imports take longer than its work at a start, so they happen while the data is still being
copied. Two of them share the processor with everything else that starts, so they are made cheap:
nothing is looked over for garbage meanwhile, and YAML (Patroni's lists of PostgreSQL's parameters)
is parsed by libyaml, which gives the same in a tenth of the time.

A script of its own because Patroni starts a helper process that imports its main module again, and
this one is light. Once the file is there it stays, and nothing waits.
"""

import gc
import importlib
import sys
import time
from pathlib import Path
from types import ModuleType

_EARLY = ("patroni.__main__", "patroni.api", "patroni.ha", "patroni.dcs.etcd3")
_POLL_S = 0.01


def _imported() -> list[ModuleType]:
    gc.disable()
    yaml = importlib.import_module("yaml")
    if yaml.__with_libyaml__:
        yaml.SafeLoader = yaml.CSafeLoader  # type: ignore[attr-defined]
    early = [importlib.import_module(name) for name in _EARLY]
    gc.enable()
    gc.freeze()  # what was imported stays
    return early


def main() -> None:
    """Never returns before Patroni does."""
    configuration, go_file = sys.argv[1:3]
    early = _imported()
    while not Path(go_file).exists():
        time.sleep(_POLL_S)
    sys.argv = ["patroni", configuration]
    early[0].main()


if __name__ == "__main__":
    main()
