"""The interpreter of a scenario. It reads like the method section of a paper."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from harness.core.judge import judge
from harness.core.plan import Plan
from harness.core.scenario import RecoverySpec
from harness.core.timeline import MarkName
from harness.core.verdict import Judgement
from harness.errors import Interrupted, PeakdrillError
from harness.evidence import events, layout
from harness.evidence.load import open_run
from harness.evidence.rundir import RunDirectory
from harness.faults.injection import Bounds, Injection, injection
from harness.inspection.inspect import inspect
from harness.interrupts import left_unbroken, unbroken
from harness.observe.alert_watch import watching
from harness.platforms.capabilities import Platform, Wholeness
from harness.progress import Progress
from harness.readback.read import read_back
from harness.recovery.engine import FAILBACK
from harness.recovery.run import recover
from harness.recovery.unmended import note_unmended
from harness.sightings import (
    Sightings,
    note_early_end,
    note_healed,
    note_interruption,
    note_spoiled,
)
from harness.trading import Trading, trading
from harness.watching.guarding import AlertSource, Watchdog, guarding
from harness.watching.harm import HarmSoFar
from harness.watching.witness import witness


def drill(
    plan: Plan,
    platform: Platform,
    run: RunDirectory,
    progress: Progress,
    alerts: AlertSource | None = None,
    *,
    meanwhile: Callable[[], None] | None = None,
) -> Judgement:
    """Break it, watch it come back, and say what was lost. Phase 0 is already on disk.

    `meanwhile`: what the caller has to do while nothing but a time-out is waited for.
    """
    seen = Sightings()
    with whatever_happens(seen, run):
        seen.before = until_whole(platform, plan.limits.heal_s, progress)
        with (
            left_unbroken(trading(plan, platform, run, progress)) as load,
            guarded(plan, platform, run, load, alerts) as guard,
        ):
            seen.workers_lost = load.workers_lost  # filled in as the load ends, whatever ends it
            load.hold_baseline()
            with (
                injecting(plan, platform, run) as fault,
                witness(platform, run),
                watching(alerts, run),
                released_when_stopped(fault, run),
            ):
                guard.watch_over(fault)
                fault.inject()
                seen.effect_observed = fault.await_effect(plan.limits.effect_s)
                load.fault_ns = time.monotonic_ns()
                if seen.effect_observed:
                    recovery = plan.scenario.recovery
                    seen.recovered = recover(recovery, plan, platform, run, load)
                    seen.recovered &= load.await_well()
                    note_unmended(plan, platform, run)
                else:
                    progress.say(f"no effect: {fault.why}")
                note_early_end(fault, seen, plan)
                fault.release()
                seen.heal_observed = fault.await_healed(plan.limits.heal_s)
                note_spoiled(fault, seen, plan)
            seen.after = until_protected(platform, plan.limits.heal_s, load, run)
            load.hold_after()
            if seen.recovered and seen.after.whole and plan.scenario.failback is not None:
                fail_back(plan.scenario.failback, plan, platform, run, load)
                seen.after = until_whole(platform, plan.limits.heal_s, progress, load.pulse)
                load.hold_after()
    note_healed(run, seen)
    with whatever_happens(seen, run):
        if seen.effect_observed and not seen.interrupted:
            inspect(plan, platform, run, progress)
    with whatever_happens(seen, run):
        seen.replay_ended_ns = read_back(plan, platform, run, progress, meanwhile)
    judgement = conclude(run, seen)
    if seen.mistake is not None:
        raise seen.mistake
    return judgement


def conclude(run: RunDirectory, seen: Sightings) -> Judgement:
    """Seal what was seen (phase 1), then judge it from the directory alone (phase 2)."""
    with unbroken():  # a signal that a check swallowed would make another verdict of it
        run.save_evidence(seen.observation())
        plan, evidence, _ = open_run(run.path)
        judgement = judge(plan, evidence)
        run.save_verdict(judgement)
    return judgement


def fail_back(
    spec: RecoverySpec, plan: Plan, platform: Platform, run: RunDirectory, load: Trading
) -> None:
    """Back to the original layout. What that costs is timed on its own, and is no recovery."""
    events.stamp(run / layout.EVENTS, MarkName.OBSERVATION_ENDED, "before failback")
    recover(spec, plan, platform, run, load, between=FAILBACK)


def injecting(
    plan: Plan, platform: Platform, run: RunDirectory
) -> AbstractContextManager[Injection]:
    """The injection of the very experiment that phase 0 put on disk."""
    bounds = Bounds(hold_max_s=1800, heal_s=int(plan.limits.heal_s))
    return left_unbroken(injection(run / layout.EXPERIMENT, {}, platform, run.path, bounds=bounds))


@contextmanager
def guarded(
    plan: Plan,
    platform: Platform,
    run: RunDirectory,
    load: Trading,
    alerts: AlertSource | None,
) -> Iterator[Watchdog]:
    """The guard rails, from the first arrival to the last."""
    harm = HarmSoFar(run / layout.LEDGER, plan, load.begin_ns, load.workers.on_run_clock)
    with guarding(plan, platform.directory, harm, alerts) as dog:
        load.guard = dog
        yield dog


@contextmanager
def released_when_stopped(fault: Injection, run: RunDirectory) -> Iterator[None]:
    """Whatever ends the drill early, the undo begins at once, before anything is waited for."""
    try:
        yield
    except Interrupted as error:
        fault.release()
        note_interruption(run, error)
        raise
    except BaseException:
        fault.release()
        raise


@contextmanager
def whatever_happens(seen: Sightings, run: RunDirectory) -> Iterator[None]:
    """An error ends the trade but not the evidence: it is named there, and never passes."""
    try:
        yield
    except Interrupted as error:
        note_interruption(run, error)
        seen.interrupted = seen.interrupted or error.what
    except PeakdrillError as error:
        seen.interrupted = seen.interrupted or f"{type(error).__name__}: {error.what}"
    except Exception as error:  # noqa: BLE001  ours: raised again once the evidence is saved
        seen.interrupted = seen.interrupted or f"an error of peakdrill: {type(error).__name__}"
        seen.mistake = seen.mistake or error


def until_whole(
    platform: Platform, limit_s: float, progress: Progress, pulse: Callable[[], None] | None = None
) -> Wholeness:
    """Wait, within the limit, until the platform is redundant, archiving and serving."""
    progress.phase("waiting until the platform is whole", limit_s)
    until = time.monotonic() + limit_s
    while not (seen := platform.whole()).whole and time.monotonic() < until:
        if pulse is not None:
            pulse()
        time.sleep(0.5)
    if not seen.whole:
        progress.say(f"not whole: {'; '.join(seen.missing)}")
    return seen


def until_protected(
    platform: Platform, limit_s: float, load: Trading, run: RunDirectory
) -> Wholeness:
    """Serving and protected are different marks: this one says that the next fault may come."""
    seen = until_whole(platform, limit_s, load.progress, load.pulse)
    if seen.whole:
        events.stamp(run / layout.EVENTS, MarkName.PROTECTED)
    return seen
