"""The day itself: go or no-go, then one step after another, until it is over.

What comes next is asked of the records before every step, so that a day whose process was killed
goes on where it was. Nothing is kept in memory that the records do not say.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from harness import session
from harness.core.gameday import records as said
from harness.core.gameday.plan import QUESTION, GameDay, PlannedScenario, Timing
from harness.core.gameday.rules import (
    measured_checks,
    missing_for_go,
    missing_for_step,
    told_key,
    untold,
)
from harness.core.gameday.state import DayState, Do, Next, Phase, StepState, next_of
from harness.core.verdict import Verdict
from harness.errors import PeakdrillError, Refused
from harness.evidence.seal import digest_of
from harness.gameday import answers, approvals, findings, orders, stage
from harness.gameday.records import PLAN, Book, put
from harness.gameday.scene import Scene
from harness.inputs.targets_file import find_targets
from harness.many_runs.gate_runs import estimate_s
from harness.platforms import find
from harness.tenancy import mending

_ATTEMPTS_MAX = 3  # of one scenario whose process was killed


def conduct(scene: Scene) -> DayState:
    """Go on until nothing is left to do. Raises Refused when something holds it up."""
    with scene.book.conducting():
        if scene.book.state().phase is Phase.GOING:
            refuse_another_plan(scene.book, scene.day)
            scene.add(said.Resumed(scene.by))
        _go_on(scene)
    return scene.book.state()


def wind_down(scene: Scene) -> None:
    """An abort was recorded, and nobody conducts the day: mend, look, stop, whatever the plan."""
    with scene.book.conducting():
        _go_on(scene)


def _go_on(scene: Scene) -> None:
    while (following := next_of(scene.day, scene.book.state())).do is not Do.NOTHING:
        try:
            _DEEDS[following.do](scene, following)
        except KeyboardInterrupt:  # between two drills; within one it undoes the fault itself
            state = scene.book.state()
            if state.aborts or state.phase is not Phase.GOING:
                raise
            scene.add(said.AbortAsked(scene.by, "Ctrl-C"))


def refuse_another_plan(book: Book, day: GameDay) -> None:
    """A day goes on by the plan that it was begun with. Raises Refused."""
    started = book.state().started
    if started is not None and started.plan_digest != day.digest:
        raise Refused(
            f"gameday.yaml is not the plan that {day.name} was begun with",
            next_step=f"restore it from {book.folder / PLAN}, or abort the day",
        )


def _start(scene: Scene, _: Next) -> None:
    """Go or no-go: people first, then what is measured on a platform that is up."""
    day, book = scene.day, scene.book
    disposable = stage.is_disposable(day)
    _ask_questions(scene)
    _ask_told(scene, Timing.BEFORE_DAY)
    state = book.state()
    lacking = missing_for_go(day, scene.policy, state, now=scene.clock(), disposable=disposable)
    if lacking:
        _hold(scene, lacking, "no go")
    approvals.refuse_altered(state.approvals)
    findings.carry_over(book, scene.clock())
    _have_platform(scene)
    _measure(scene)
    if book.state().aborts:
        return  # somebody thought better of it while the platform came up
    put(book.folder / PLAN, scene.file.read_bytes())
    scene.add(said.Started(day.digest, _targets_digest(day), scene.by))
    scene.say(f"go: {day.name} begins with {day.scenarios[0].step}")


def _measure(scene: Scene) -> None:
    failed = []
    for check in measured_checks(scene.day):
        seen = stage.measure(check, scene.clock(), scene.say)
        scene.add(said.Measured(check.check, seen.holds, seen.told))
        if not seen.holds:
            failed.append(f"{check.check}: {seen.told}")
    if failed:
        _hold(scene, tuple(failed), "no go")


def _hold(scene: Scene, why: tuple[str, ...], word: str) -> None:
    """Recorded; a platform of the day's own does not wait for people."""
    scene.add(said.Held(why))
    _end_platform(scene)
    raise Refused(
        f"{word}: {scene.day.name}: {'; '.join(why)}",
        next_step="peakdrill gameday plan shows what is missing; then start it again",
    )


def _run(scene: Scene, following: Next) -> None:
    """One drill, through the same door as `peakdrill run`."""
    day, book = scene.day, scene.book
    planned = day.step(following.step)
    assert planned is not None
    _ask_told(scene, Timing.BEFORE_SCENARIO, planned.step)
    state = book.state()
    lacking = missing_for_step(
        day, scene.policy, state, planned,
        now=scene.clock(), disposable=stage.is_disposable(day), lasts_s=_lasts_s(scene, planned),
    )  # fmt: skip
    if lacking := (*lacking, *_other_targets(scene, state)):
        _hold(scene, lacking, "held")
    approvals.refuse_altered(state.approvals)
    _have_platform(scene)
    _renew_platform(scene, state, planned)
    attempt = state.step(planned.step).attempts + 1
    seed = secrets.randbelow(2**31)
    scene.add(said.ScenarioBegun(planned.step, attempt, seed))
    scene.say(f"{planned.step} begins")
    try:
        record, _ = session.execute(
            orders.order_of(day, planned, scene.out, seed), scene.progress()
        )
    except Exception as error:
        left = orders.left_by(scene.out, seed)
        proof = orders.judged_in(left) if left is not None else None
        if proof is not None and proof.judgement.verdict is Verdict.MISSED:
            _keep(scene, orders.ended_of(planned.step, attempt, proof))  # proven, whatever then
        else:
            _lose(scene, planned.step, attempt, _worded(error), again=False)
        if not isinstance(error, PeakdrillError):
            raise  # ours: recorded first, then told
        return
    _keep(scene, orders.ended_of(planned.step, attempt, record))


def _other_targets(scene: Scene, state: DayState) -> tuple[str, ...]:
    """A day whose targets changed on the way would be met by others than it was begun with."""
    if state.started is None or state.started.targets_digest == _targets_digest(scene.day):
        return ()
    return ("the targets are not those that the day began with: restore them, or abort the day",)


def _targets_digest(day: GameDay) -> str:
    return digest_of(find_targets(Path(day.targets_file) if day.targets_file else None))


def _lasts_s(scene: Scene, planned: PlannedScenario) -> float:
    """How long the drill may break something. Asked only where a freeze could come too soon."""
    if not scene.policy.freezes:
        return 0.0
    plan = session.plan_only(orders.order_of(scene.day, planned, scene.out, 0))
    limits = plan.limits
    return estimate_s(limits) + limits.effect_s + limits.heal_s + plan.scenario.recovery.within_s


def _worded(error: Exception) -> str:
    told = error.what if isinstance(error, PeakdrillError) else "an error of peakdrill"
    return f"{type(error).__name__}: {told}"


def _keep(scene: Scene, ended: said.ScenarioEnded) -> None:
    scene.add(ended)
    findings.after_run(scene.book, ended, scene.clock())
    scene.say(f"{ended.step}: {ended.verdict.value}: {ended.reason}")


def _lose(scene: Scene, step: str, attempt: int, why: str, *, again: bool) -> None:
    scene.add(said.ScenarioLost(step, attempt, why, again))
    scene.say(f"{step}: lost: {why}")


def _settle(scene: Scene, following: Next) -> None:
    """A scenario began, and its process is gone: its verdict counts if it came to one."""
    begun = scene.book.state().step(following.step).begun
    assert begun is not None
    left = orders.left_by(scene.out, begun.seed)
    record = orders.judged_in(left) if left is not None else None
    if record is not None:
        _keep(scene, orders.ended_of(begun.step, begun.attempt, record))
        return
    what = "before it left anything" if left is None else f"; what it left lies in {left.name}"
    why = f"its process was killed{'' if left else ' '}{what}"
    _lose(scene, begun.step, begun.attempt, why, again=begun.attempt < _ATTEMPTS_MAX)


def _look(scene: Scene, following: Next) -> None:
    """Between scenarios the platform must be whole, or the day stops."""
    state = scene.book.state()
    if state.own_platform and find.running() is None and _was_killed(state.step(following.step)):
        _have_platform(scene)  # it went with the process that was killed
    seen = stage.whole(scene.say)
    scene.add(said.Looked(following.step, seen.whole, seen.missing))
    scene.say("the platform is whole" if seen.whole else f"not whole: {'; '.join(seen.missing)}")
    _ask_told(scene, Timing.AFTER_SCENARIO, following.step)


def _was_killed(step: StepState) -> bool:
    return bool(step.lost) and step.lost[-1].attempt == step.attempts


def _stop(scene: Scene, following: Next) -> None:
    scene.add(said.Stopped(following.why))
    scene.say(f"the day stops: {following.why}")
    _wind_up(scene)


def _finish(scene: Scene, _: Next) -> None:
    _ask_told(scene, Timing.AFTER_DAY)
    scene.add(said.Finished())
    scene.say("every scenario of the day is over")
    _wind_up(scene)


def _wind_up(scene: Scene) -> None:
    findings.at_the_end(scene.book, scene.day, scene.clock())
    _end_platform(scene)


def _have_platform(scene: Scene) -> None:
    """One that lives through the day: the one that is up, else one of the day's own."""
    state = scene.book.state()
    if find.running() is not None:
        mending.mended(scene.say)
    if find.running() is not None:
        if not state.own_platform:
            stage.refuse_shared(scene.day)
        return
    progress = scene.progress()
    try:
        own = stage.up(scene.day, progress)
    finally:
        progress.close()
    scene.add(said.PlatformUp(own, "the one before was gone" if state.own_platform else ""))


def _renew_platform(scene: Scene, state: DayState, planned: PlannedScenario) -> None:
    """A clean room is entered once a platform: before and after one, the day takes a fresh one."""
    before = scene.day.step(state.steps[-1].step) if state.steps else None
    if before is None or not (stage.needs_its_own(planned) or stage.needs_its_own(before)):
        return
    stage.down()
    progress = scene.progress()
    try:
        stage.up(scene.day, progress)
    finally:
        progress.close()
    scene.add(said.PlatformUp(own=True, why="a clean room needs a platform of its own"))


def _end_platform(scene: Scene) -> None:
    if scene.book.state().own_platform:
        stage.down()
        scene.add(said.PlatformDown())


def _ask_questions(scene: Scene) -> None:
    for check in scene.day.checks:
        if check.kind == QUESTION and scene.book.state().answer(check.check) is None:
            _ask(scene, check.check, check.role, check.ask)


def _ask_told(scene: Scene, when: Timing, step: str = "") -> None:
    for told in untold(scene.day, scene.book.state(), when, step):
        text = f"{told.by} tells {told.whom} by {told.channel}: {told.what} Was it done?"
        _ask(scene, told_key(told, step), told.by, text)


def _ask(scene: Scene, to: str, role: str, text: str) -> None:
    """Somebody at the terminal answers, or nobody does; a refused answer is told and recorded."""
    given = scene.ask(to, role, text) if scene.ask is not None else None
    if given is None:
        return
    who, yes, words = given
    try:
        answers.answer(scene.book, scene.day, to, who, said_yes=yes, words=words, now=scene.clock())
    except Refused as error:
        scene.say(error.what)


_DEEDS: dict[Do, Callable[[Scene, Next], None]] = {
    Do.START: _start,
    Do.SETTLE: _settle,
    Do.LOOK: _look,
    Do.RUN: _run,
    Do.STOP: _stop,
    Do.FINISH: _finish,
}
