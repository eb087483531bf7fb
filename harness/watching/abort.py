"""The red button: stop the drill in progress, say who and why, and wait until the fault is gone.

The drill undoes its fault itself, as after Ctrl-C: it alone knows what it is in the middle of. A
runbook is finished first, because a platform that is half restored stays broken.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.core.timeline import MarkName, Timeline
from harness.errors import PeakdrillError, Refused
from harness.evidence import events, layout
from harness.platforms.embedded.process import ProcessId, held, is_alive, send
from harness.watching.live_state import (
    Asked,
    LiveState,
    in_progress,
    live_folder,
    read_live,
    write_asked,
)

ROLE = "operator"
_POLL_S = 0.05
_WHO_MAX, _WHY_MAX = 80, 300


@dataclass(frozen=True, slots=True)
class Pressed:
    """The button was pressed: the drill has been told."""

    run_id: str
    directory: Path
    process: ProcessId
    at_ns: int  # on the run's clock
    told: str  # what stands in the evidence
    phase: str  # what the drill was doing


@dataclass(frozen=True, slots=True)
class Aborted:
    """What was observed afterwards. Seconds since the button; None: not observed."""

    run_id: str
    told: str
    was_armed: bool  # something may have been broken: its undo was on disk, or nobody can say
    released_s: float | None  # the undo began to act
    healed_s: float | None  # the lost part was observed to be back
    ended: bool  # the drill's process is gone, or has told its end

    @property
    def is_over(self) -> bool:
        """Nothing of the fault is left, as far as was observed."""
        return self.healed_s is not None or (not self.was_armed and self.ended)


def press(who: str, why: str, *, role: str = ROLE, run_id: str | None = None) -> Pressed:
    """Tell the drill in progress to stop. Returns at once. Raises Refused when there is none."""
    asked = Asked(one_line(who, _WHO_MAX) or "somebody", role, one_line(why, _WHY_MAX))
    if not asked.why:
        raise Refused("an abort needs a reason", next_step="say it in one line: it is kept")
    folder = live_folder()
    state = _target(folder, run_id)
    write_asked(folder, state.run_id, asked)
    with held([state.process]) as found:  # a pid that was given to somebody else is not signalled
        if not found:
            raise _nothing()
        at_ns = time.monotonic_ns()
        send(found, signal.SIGTERM)
    run = Path(state.directory)
    return Pressed(state.run_id, run, state.process, at_ns, asked.told, state.phase)


def abort(
    who: str,
    why: str,
    *,
    role: str = ROLE,
    run_id: str | None = None,
    within_s: float = 180.0,
    say: Callable[[str], None] = lambda _: None,
) -> Aborted:
    """Press the button, and watch until the fault is gone, or for `within_s`."""
    pressed = press(who, why, role=role, run_id=run_id)
    say(f"the drill {pressed.run_id} was told to stop (it was: {pressed.phase or 'starting'})")
    return watch(pressed, within_s=within_s, say=say)


def watch(pressed: Pressed, *, within_s: float, say: Callable[[str], None]) -> Aborted:
    """Look on, and say each thing when it is first seen."""
    deadline = time.monotonic() + within_s
    seen = observed(pressed)
    told: set[str] = set()
    lines = _lines(pressed.run_id)
    while not seen.is_over and not seen.ended and time.monotonic() < deadline:
        for line in _lines(pressed.run_id)[len(lines) :]:  # such as: a runbook is finished first
            say(f"the drill: {line}")
            lines = (*lines, line)
        _say_once(seen, told, say)
        time.sleep(_POLL_S)
        seen = observed(pressed)
    _say_once(seen, told, say)
    return seen


def observed(pressed: Pressed) -> Aborted:
    """How far it has come, from the marks of the run."""
    ended = not is_alive(pressed.process) or _state_says_ended(pressed.run_id)
    timeline = _timeline(pressed.directory)  # read after: marks of a process that ended are all in
    return Aborted(
        run_id=pressed.run_id,
        told=pressed.told,
        was_armed=timeline is None or timeline.first(MarkName.FAULT_ARMED) is not None,
        released_s=_since(timeline, MarkName.FAULT_RELEASED, pressed.at_ns),
        healed_s=_since(timeline, MarkName.FAULT_HEALED, pressed.at_ns),
        ended=ended,
    )


def one_line(text: str, most: int) -> str:
    """What a person typed: printable, on one line, not endless."""
    spaced = "".join(" " if c.isspace() else c for c in text)
    return " ".join("".join(c for c in spaced if c.isprintable()).split())[:most].strip()


def _target(folder: Path, run_id: str | None) -> LiveState:
    if run_id is None:
        state = in_progress(folder)
    else:
        state = next((s for s in read_live(folder) if s.run_id == run_id and s.is_alive), None)
    if state is None:
        raise _nothing()
    return state


def _nothing() -> Refused:
    return Refused(
        "no drill is in progress: there is nothing to abort",
        next_step="`peakdrill undo` mends what a killed drill may have left; one that is still "
        "starting its platform has broken nothing, and stops at Ctrl-C",
    )


def _timeline(run: Path) -> Timeline | None:
    """None: it cannot be read, or the run's folder is away; that is no timeline without a mark."""
    try:
        return events.read(run / layout.EVENTS).timeline if run.is_dir() else None
    except PeakdrillError:
        return None


def _since(timeline: Timeline | None, name: MarkName, at_ns: int) -> float | None:
    """Seconds from the button to a mark; 0 when it had come already."""
    mark = timeline.first(name) if timeline is not None else None
    return None if mark is None else max(0, mark.latest_ns - at_ns) / 1e9


def _live(run_id: str) -> LiveState | None:
    return next((s for s in read_live(live_folder()) if s.run_id == run_id), None)


def _state_says_ended(run_id: str) -> bool:
    state = _live(run_id)
    return state is not None and state.has_ended


def _lines(run_id: str) -> tuple[str, ...]:
    state = _live(run_id)
    return () if state is None else tuple(said.text for said in state.said)


def _say_once(seen: Aborted, told: set[str], say: Callable[[str], None]) -> None:
    for what, after_s in (
        ("the undo of the fault has acted", seen.released_s),
        ("the lost part was observed to be back", seen.healed_s),
    ):
        if after_s is not None and what not in told:
            told.add(what)
            say(f"{what}, {after_s:.1f} s after the button")
