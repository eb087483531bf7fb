"""Around every step: stamp it, and stop after one that failed or was ended by a signal.

Without this control the Chaos Toolkit plays the rest of a method whose fault was never made, and
holds it. A failed rollback stops nothing: the others still have to be played.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from chaoslib.exceptions import InterruptExecution

from harness.chaos import signals
from harness.chaos.standing import run_directory, write_mark
from harness.core.timeline import Mark, MarkName

_begun_ns: dict[str, int] = {}


def configure_control() -> None:
    signals.end_method_on_signal()


def before_activity_control(context: Mapping[str, Any], **_: object) -> None:
    _begun_ns[str(context.get("name"))] = time.monotonic_ns()


def after_activity_control(
    context: Mapping[str, Any],
    experiment: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
    **_: object,
) -> None:
    """Stamp the step with its interval and status. `state` is None when it was cut short."""
    name = str(context.get("name"))
    status = str((state or {}).get("status", "cut short"))
    answer = (state or {}).get("output")
    note = f"{name}: {status}" + (f" ({answer})" if isinstance(answer, bool) else "")
    now_ns = time.monotonic_ns()
    failed = status != "succeeded" and _is_of_method(context, experiment)
    try:
        mark = Mark(MarkName.STEP, _begun_ns.pop(name, now_ns), now_ns, note)
        write_mark(run_directory(), mark)
    finally:
        if failed:
            raise InterruptExecution(f"step {name}: {status}; the rest of the method is left out")


def before_rollback_control(context: Mapping[str, Any], **_: object) -> None:  # noqa: ARG001  its caller names it
    signals.ignore_from_now_on()


def _is_of_method(context: Mapping[str, Any], experiment: Mapping[str, Any]) -> bool:
    return any(step.get("name") == context.get("name") for step in experiment.get("method", []))
