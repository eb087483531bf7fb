"""Carries out a runbook: each step is done, then *seen*, then written down; never twice.

What a step leaves behind survives any death (facts.py), so that whoever comes next goes on with
the first step that was not seen. A step that fails, or is not seen in time, ends the runbook and
not the drill: what the customers then see decides the verdict. A mistake of ours is raised.
"""

from __future__ import annotations

import http.client
import math
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from harness.core.proofs import StepRecord
from harness.core.timeline import MarkName
from harness.errors import Interrupted, NotReady, PeakdrillError
from harness.platforms.capabilities import Instant
from harness.progress import Progress, Silent
from harness.recovery.ground import Ground
from harness.recovery.steps import Runbook, Step

POLL_S = 0.2
RECOVERY = (MarkName.RECOVERY_BEGUN, MarkName.RECOVERY_ENDED)
FAILBACK = (MarkName.FAILBACK_BEGUN, MarkName.FAILBACK_ENDED)
_CLIENTS = frozenset({"psycopg", "redis", "botocore", "boto3"})  # what they raise, a server did

Pulse = Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The sentence, and the interval in which its effect came about."""

    told: str
    instant: Instant


def carry_out(
    book: Runbook,
    ground: Ground,
    *,
    within_s: float = math.inf,
    progress: Progress | None = None,
    pulse: Pulse = lambda: None,
    between: tuple[MarkName, MarkName] = RECOVERY,
) -> str:
    """Every step that is not done yet. Returns "" when all were seen, else the reason.

    `pulse` is called while something is awaited; what it raises (the load has died) ends the
    step. Raises what is a mistake of ours, and Interrupted; a deed under way is waited for.
    """
    shown = progress or Silent()
    until_ns = math.inf if math.isinf(within_s) else time.monotonic_ns() + within_s * 1e9
    ground.mark(between[0], _now(), book.name)
    for number, step in enumerate(book.steps, start=1):
        if step.name in ground.facts.course.done:
            continue
        shown.phase(f"{book.name}, {number} of {len(book.steps)}: {step.title}", step.limit_s)
        ground.facts.begin(step.name)
        why = _carry_out_step(book, step, ground, until_ns, pulse)
        if why:
            return f"{step.name}: {why}"
    ground.mark(between[1], _now(), book.name)
    ground.facts.forget()
    return ""


def _carry_out_step(
    book: Runbook, step: Step, ground: Ground, until_ns: float, pulse: Pulse
) -> str:
    """One step with its record. Returns why it was not seen, "" when it was."""
    begun_ns = time.monotonic_ns()

    def record(ended_ns: int, told: str, *, done: bool) -> None:
        ground.record(
            StepRecord(
                book.name, step.name, step.title, step.decision, step.role,
                begun_ns, ended_ns, done, told,
            )
        )  # fmt: skip

    try:
        seen = _done_and_seen(step, ground, begun_ns, until_ns, pulse)
    except BaseException as error:
        of_the_world = isinstance(error, Exception) and is_of_the_world(error)
        why = _reason(error) if of_the_world else type(error).__name__
        record(time.monotonic_ns(), why, done=False)
        if isinstance(error, Interrupted) or not of_the_world:
            raise
        return why
    if step.mark is not None:
        ground.mark(step.mark, seen.instant, step.note or seen.told)
    ground.mark(MarkName.STEP, seen.instant, f"{book.name}: {step.name}")
    record(seen.instant.latest_ns, seen.told, done=True)
    ground.facts.end(step.name)
    took_s = (seen.instant.latest_ns - begun_ns) / 1e9
    ground.say(f"{step.name}: {seen.told} (after {took_s:.1f} s)")
    return ""


def _done_and_seen(
    step: Step, ground: Ground, begun_ns: int, until_ns: float, pulse: Pulse
) -> _Seen:
    """Raises NotReady when the effect was not seen in time; one look comes after it is done.

    A look that fails is a look that saw nothing yet: what recovers cannot always be asked.
    """
    _do(step, ground, pulse)
    until_ns = min(until_ns, begun_ns + step.limit_s * 1e9)
    unseen_ns, last = begun_ns, ""
    while True:
        asked_ns = time.monotonic_ns()
        try:
            told = step.seen(ground)
        except Exception as error:
            if isinstance(error, Interrupted) or not is_of_the_world(error):
                raise
            told, last = None, _reason(error)
        if told is not None:
            return _Seen(told, Instant(unseen_ns, time.monotonic_ns()))
        if asked_ns >= until_ns:
            limit_s = (until_ns - begun_ns) / 1e9
            raise NotReady(f"not observed within {limit_s:.3g} s{f': {last}' if last else ''}")
        unseen_ns = asked_ns
        pulse()
        time.sleep(POLL_S)


def _do(step: Step, ground: Ground, pulse: Pulse) -> None:
    """In a thread of its own, so that the load is watched, and shown, while a restore goes on.

    Whatever interrupts the waiting, the deed comes to its end: nothing is left half done.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix=step.name) as hand:
        doing = hand.submit(step.do, ground)
        while not wait([doing], timeout=POLL_S).done:
            pulse()
        doing.result()


def is_of_the_world(error: Exception) -> bool:
    """The platform's doing, not a mistake in a runbook."""
    outside = (PeakdrillError, OSError, subprocess.SubprocessError, http.client.HTTPException)
    return isinstance(error, outside) or any(
        kind.__module__.partition(".")[0] in _CLIENTS for kind in type(error).__mro__
    )


def _reason(error: BaseException) -> str:
    """One line; of a foreign error its kind and its first line."""
    if isinstance(error, PeakdrillError):
        return error.what
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


def _now() -> Instant:
    now_ns = time.monotonic_ns()
    return Instant(now_ns, now_ns)
