"""A pytest plugin: which test runs which line of the core, and how long that takes the processor.

PEAKDRILL_REACH=<file> python -m pytest -p tests.mutation.reach ...
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

_CORE = f"{Path(__file__).resolve().parents[2]}/harness/core/"
_reached: dict[str, set[tuple[str, int]]] = {}
_took_s: dict[str, float] = {}
_failed: set[str] = set()
_now: list[str] = [""]
_called: Counter[CodeType] = Counter()  # by the test that runs now
_OFTEN = 30  # a function's lines are looked at in so many of its calls of a test: looking is slow


def _trace(frame: FrameType, event: str, _: Any) -> Any:
    name = frame.f_code.co_filename
    if not name.startswith(_CORE):
        return None
    _called[frame.f_code] += 1
    if _called[frame.f_code] > _OFTEN:
        return None
    short = name.removeprefix(_CORE)
    lines = _reached.setdefault(_now[0], set())

    def each(inner: FrameType, what: str, _: Any) -> Any:
        if what == "line":
            lines.add((short, inner.f_lineno))
        return each

    return each


def pytest_configure() -> None:
    threading.settrace(_trace)
    sys.settrace(_trace)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _now[0], begun = item.nodeid, time.process_time()
    _called.clear()
    sys.settrace(_trace)
    try:
        return (yield)
    finally:
        _took_s[item.nodeid] = time.process_time() - begun
        _now[0] = ""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if not report.passed:
        _failed.add(report.nodeid)


def pytest_unconfigure() -> None:
    sys.settrace(None)
    told = {
        test: {"s": round(_took_s[test], 4), "lines": sorted(_reached.get(test, ()))}
        for test in _took_s
        if test not in _failed
    }
    Path(os.environ["PEAKDRILL_REACH"]).write_text(json.dumps(told))
