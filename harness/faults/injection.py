"""One injection, from the harness's side: start the child, watch the marks, release, see it heal.

    with injection(file, {"node": "primary"}, platform, run) as fault:
        fault.inject()
        if fault.await_effect(within_s=30): ...
        fault.release()
        fault.await_healed(within_s=120)

Leaving the block by any way releases the fault; what the child could not undo is undone here, from
the journal on disk. Even a harness that is killed leaves a platform that mends itself: the child
sees its pipe close.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.core.timeline import Mark, MarkName, Timeline
from harness.errors import FaultError
from harness.evidence import events, layout
from harness.faults import lacking, undo
from harness.faults.child import Child
from harness.faults.experiment import resolved_experiment
from harness.faults.state import State, state_of
from harness.platforms.capabilities import Platform

_POLL_S = 0.02
_GRACE_S = 15.0  # for the child's own start and end, beyond the wait that it performs


@dataclass(frozen=True, slots=True)
class Bounds:
    """The child's own limits: it obeys them when nobody is there to release it."""

    hold_max_s: int = 1800
    heal_s: int = 180
    whole_s: int = 20  # what the platform lacks may pass within; then no fault goes in


class Injection:
    """Made by `injection`; its state is what the marks in events.jsonl add up to."""

    def __init__(self, platform: Platform, run: Path, bounds: Bounds) -> None:
        self._platform, self._run, self._bounds = platform, run, bounds
        self._events = run / layout.EVENTS
        self._child: Child | None = None
        self._spoil_reported = False

    @property
    def state(self) -> State:
        return state_of(self._timeline())

    @property
    def pid(self) -> int | None:
        """The child's process, None before `inject`."""
        return self._child.pid if self._child else None

    @property
    def why(self) -> str:
        """What the marks and the child's journal say against this injection; "" if nothing."""
        timeline = self._timeline()
        told = [
            mark.note
            for mark in timeline.marks
            if mark.name in {MarkName.FAULT_SPOILED, MarkName.NO_EFFECT}
        ]
        against = [*lacking.told_by(timeline)]
        if self._child is not None and not self._child.is_alive():
            against += self._child.account().failures
        told += [each for each in against if not any(each in note for note in told)]
        return "; ".join(told)

    def is_attended(self) -> bool:
        """Whether the child that would undo it lives; also when there is nothing to undo yet."""
        return self._child is None or self._child.is_alive()

    def inject(self) -> None:
        """Start the experiment. Returns at once: `await_effect` observes."""
        if self._child is not None:
            raise FaultError("an injection is made once; this one was begun already")
        self._child = Child(self._run, environment=self._environment())

    def await_effect(self, within_s: float) -> bool:
        """True once the effect was observed; False when it was not, in time or at all."""
        self._await(lambda: self.state not in {State.IDLE, State.ARMED}, within_s)
        if self.state in {State.IDLE, State.ARMED} and self._child_is_alive():
            self._stamp(MarkName.NO_EFFECT, f"no effect was observed within {within_s:g} s")
        self._note_death()
        return self._timeline().first(MarkName.FAULT_ACTIVE) is not None and (
            self.state is not State.SPOILED
        )

    def release(self) -> None:
        """Let the rollbacks play. Returns at once: `await_healed` observes. May be repeated."""
        if self._child is not None:
            self._child.release()

    def await_healed(self, within_s: float) -> bool:
        """True once the lost part was observed to be back; also when nothing was ever armed."""
        self._await(lambda: self._healed() is not None, within_s)
        self._note_death()
        return self._healed() or False

    def close(self) -> None:
        """Release, wait with a limit, and undo from the journal what is still broken.

        Raises FaultError when something could not be mended; the journal keeps it.
        """
        if self._child is None:
            return
        self.release()
        try:
            self._child.wait(self._bounds.heal_s + _GRACE_S)
        finally:
            self._child.end()
        try:
            self._note_death()
        finally:  # mending comes before telling
            undo.replay(
                self._platform,
                run_id=self._run.name,
                within_s=self._bounds.heal_s,
                witness=self._witness,
            )

    def _healed(self) -> bool | None:
        """None while that is still open."""
        timeline = self._timeline()
        if timeline.first(MarkName.FAULT_HEALED) is not None:
            return True
        if self._child_is_alive():
            return None
        return timeline.first(MarkName.FAULT_ARMED) is None

    def _await(self, reached: Callable[[], bool], within_s: float) -> None:
        """Until it is reached, the child is gone, or time is up."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            alive = self._child_is_alive()  # asked first: a mark of a child that died now counts
            if reached() or not alive:
                return
            time.sleep(_POLL_S)

    def _note_death(self) -> None:
        """A child that is gone before the end it was made for spoils the injection."""
        if self._child is None or self._child.is_alive() or self._spoil_reported:
            return
        self._spoil_reported = True
        state = self.state
        if state in {State.HEALED, State.SPOILED}:
            return
        account = self._child.account()
        against = (*lacking.told_by(self._timeline()), *account.failures)
        told = "; ".join(against) or "no step failed"
        self._stamp(
            MarkName.FAULT_SPOILED,
            f"the experiment ended ({account.status or 'killed'}) in state {state}: {told}",
        )

    def _child_is_alive(self) -> bool:
        return self._child is not None and self._child.is_alive()

    def _timeline(self) -> Timeline:
        return events.read(self._events).timeline

    def _stamp(self, name: MarkName, note: str) -> None:
        events.stamp(self._events, name, note)

    def _witness(self, mark: Mark) -> None:
        events.append(self._events, mark)

    def _environment(self) -> dict[str, str]:
        return {
            "PEAKDRILL_PLATFORM": os.fspath(self._platform.directory.absolute()),
            "PEAKDRILL_RUN": os.fspath(self._run.absolute()),
            "PEAKDRILL_HARNESS": str(os.getpid()),
            "PEAKDRILL_HOLD": "stdin",
            "PEAKDRILL_HOLD_MAX_S": str(self._bounds.hold_max_s),
            "PEAKDRILL_HEAL_S": str(self._bounds.heal_s),
            "PEAKDRILL_WHOLE_S": str(self._bounds.whole_s),
        }


@contextmanager
def injection(
    experiment_file: Path,
    parameters: Mapping[str, str],
    platform: Platform,
    run_directory: Path,
    *,
    bounds: Bounds | None = None,
) -> Iterator[Injection]:
    """An injection of `experiment_file`, resolved; nothing is broken before `.inject()`.

    The exact text that runs is `<run>/experiment.yaml`: written here unless phase 0 has done so.
    Raises BadInput for a parameter that the experiment does not take, FaultError when the file
    that phase 0 saved is another experiment.
    """
    text = experiment_file.read_text(encoding="utf-8")
    text = resolved_experiment(text, parameters, file=experiment_file)
    saved = run_directory / layout.EXPERIMENT
    if not saved.exists():
        saved.write_text(text, encoding="utf-8")
    elif saved.read_text(encoding="utf-8") != text:
        raise FaultError(
            f"{saved} is not what {experiment_file} resolves to: the plan and the fault differ",
            next_step="plan the run again",
        )
    fault = Injection(platform, run_directory, bounds or Bounds())
    try:
        yield fault
    finally:
        fault.close()
