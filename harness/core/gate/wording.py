"""How a gate's figures are put into sentences. A share is rounded down: never to its own favour."""

from __future__ import annotations

import math

from harness.core.operation import Workload
from harness.core.wording import seconds

PLATFORM = "platform-wide checks"


def percent(share: float) -> str:
    """A share in percent, one decimal, rounded down.

    >>> percent(0.8), percent(0.80739), percent(0.99), percent(0.9999)
    ('80%', '80.7%', '99%', '99.9%')
    """
    tenths = math.floor(share * 1000 + 1e-9)
    return f"{tenths // 10}.{tenths % 10}%".replace(".0%", "%")


def drills(number: int) -> str:
    """A number of drills.

    >>> drills(1), drills(14)
    ('1 drill', '14 drills')
    """
    return f"{number} drill{'' if number == 1 else 's'}"


def clean_runs(number: int) -> str:
    """What is lacking.

    >>> clean_runs(1), clean_runs(4)
    ('1 more clean run', '4 more clean runs')
    """
    return f"{number} more clean run{'' if number == 1 else 's'}"


def place(scenario: str, workload: Workload | None) -> str:
    return f"{scenario}, {workload or PLATFORM}"


def time(ns: float | None, *, up: bool = True) -> str:
    """A recovery time, rounded away from its own favour.

    >>> time(20_410_000_000), time(20_410_000_000, up=False), time(math.inf), time(None)
    ('20.5 s', '20.4 s', 'not recovered', '-')
    """
    if ns is None:
        return "-"
    return "not recovered" if math.isinf(ns) else f"{seconds(round(ns), up=up)} s"
