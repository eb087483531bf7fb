"""One selftest: the stores' defects in one run, the instrument's in a short run each, clean runs.

Each run is a whole drill, in a folder of its own. All but one have an experiment that breaks
nothing: what is tried is whether the instrument sees what was planted, and nothing else. For the
fault that does not heal a standby is lost, where that may be. These runs are no evidence of the
platform: they are not signed, and no history knows of them.
"""

from __future__ import annotations

import datetime as dt
import platform as host
import random
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from harness import __version__
from harness.core.operation import Workload, key_of
from harness.core.plan import Plan, Size
from harness.core.selftest import (
    BUSY,
    Planted,
    Row,
    Tally,
    caught_by,
    clean,
    noise,
    tally,
    together,
    unjudged,
)
from harness.core.timeline import MarkName
from harness.core.verdict import Judgement
from harness.drill import drill
from harness.evidence import events, layout
from harness.evidence.check import check
from harness.evidence.rundir import Head, RunDirectory
from harness.faults.experiment import find_experiment, resolved_experiment
from harness.ledger.reader import read_ledgers
from harness.platforms.capabilities import Endpoints, Platform
from harness.progress import Progress
from harness.selftest import skewed, unhealed
from harness.selftest.liar import lying
from harness.selftest.lies import REPORTED_AS, SAID, Lies
from harness.selftest.saboteurs import SABOTEURS, Saboteur, at_work
from harness.session import Order, plan_only

_EFFECT_S, _OBSERVE_S = 3.0, 5.0
_EFFECT_REAL_S = 20.0
_NULL = frozenset({"effect"})  # all that a run in which nothing was planted may lack
_TAIL_AFTER = (MarkName.NO_EFFECT, MarkName.FAULT_RELEASED, MarkName.FAULT_HEALED)
_NOT_CAUGHT = "not caught"
_BY_COMMAND = "database-outage"  # where nobody can lose a node


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a selftest is held."""

    platform: Platform
    order: Order
    out: Path
    progress: Progress
    rng: random.Random

    def plan(self, **changes: object) -> Plan:
        """A smoke run of a scenario with nothing lost; every wait as short as it may be."""
        order = replace(self.order, scenario=self.scenario, size=Size.SMOKE, seed=self._seed())
        made = plan_only(replace(order, **changes))  # type: ignore[arg-type]
        limits = replace(made.limits, effect_s=_EFFECT_S, observe_s=_OBSERVE_S)
        return replace(made, limits=limits, platform=self.platform.facts(), instead="null")

    @property
    def scenario(self) -> str:
        return "node-loss" if self.platform.nodes is not None else _BY_COMMAND

    def null(self) -> str:
        """The experiment that breaks nothing, and looks for that scenario's effect all the same."""
        file = find_experiment("null")
        looked_for = {"fault": "node-loss", "node": "primary"}
        if self.platform.nodes is None and self.platform.commands is not None:
            looked_for = {"fault": "command", "command": self.platform.commands.names()[0]}
        return resolved_experiment(file.read_text(encoding="utf-8"), looked_for, file=file)

    def _seed(self) -> int:
        return self.rng.randrange(2**31)


def selftest(bench: Bench, *, clean_runs: int) -> Tally:
    """Everything once, and `clean_runs` runs in which nothing is planted."""
    tallies = [in_stores(bench)]
    tallies += [in_instrument(bench, saboteur) for saboteur in SABOTEURS]
    tallies += [nothing_planted(bench, number) for number in range(1, clean_runs + 1)]
    tallies += [in_clock(bench), in_undo(bench)]
    return together(tallies)


def in_stores(bench: Bench) -> Tally:
    """Every lie in one run."""
    plan = bench.plan()
    bench.progress.say(f"planting {len(SAID)} defects in the stores, by lies at the wire")
    run = _directory(bench, plan)
    lies = Lies(seed=plan.seed, prefix=f"pd-{plan.run_id}-")
    honest = bench.platform.endpoints().application_url
    with lying(honest, lies) as liar, _tail(run.path, lies):
        behind = cast("Platform", _Behind(bench.platform, liar.url))
        judgement = drill(plan, behind, run, bench.progress)
    return tally(_planted(lies, run.path, plan.run_id), judgement, SAID)


def in_instrument(bench: Bench, saboteur: Saboteur) -> Tally:
    """One short run. Whatever is done to the instrument, nothing of the platform's is lost."""
    plan = bench.plan(
        workers=saboteur.workers,
        guards=replace(bench.order.guards, heartbeat_s=saboteur.heartbeat_s),
    )
    bench.progress.say(f"planting in the instrument: {saboteur.what}")
    run = _directory(bench, plan)
    with at_work(saboteur, run.path) as why:
        judgement = drill(plan, bench.platform, run, bench.progress)
    if why:
        return Tally((Row(saboteur.defect, saboteur.what, 0, 0, why[0]),), ())
    how = caught_by(judgement, saboteur.condition)
    row = Row(saboteur.defect, saboteur.what, 1, int(bool(how)), how or _NOT_CAUGHT)
    if saboteur.deed is None:
        return replace(_found_clean(judgement, saboteur.defect), rows=(row,))
    told = _only_counts(judgement)
    return Tally((row,), tuple(f"{saboteur.defect}: {what}" for what in told))


def in_clock(bench: Bench) -> Tally:
    """Two copies of a run that stands, as of workers elsewhere: nothing may be said of even clocks.

    A run in which a loss was planted is missed, whatever its clocks were.
    """
    runs = sorted(path.parent for path in bench.out.glob(f"*/{layout.VERDICT}"))
    standing = next((run for run in runs if _stands(check(run).judgement)), None)
    if standing is None:
        return Tally((Row(skewed.DEFECT, skewed.WHAT, 0, 0, "no run was fit to plant it in"),), ())
    bench.progress.say(f"planting in a copy of {standing.name}: {skewed.WHAT}")
    copies = bench.out / "copies"
    even = skewed.judged_elsewhere(standing, copies / f"{standing.name}-even", too_fast=False)
    fast = skewed.judged_elsewhere(standing, copies / f"{standing.name}-fast", too_fast=True)
    how = caught_by(fast, skewed.CONDITION)
    row = Row(skewed.DEFECT, skewed.WHAT, 1, int(bool(how)), how or _NOT_CAUGHT)
    same = even.verdict is check(standing).judgement.verdict and _stands(even)
    return Tally((row,), () if same else (f"{skewed.DEFECT}: an even clock changed the judgement",))


def _stands(judgement: Judgement) -> bool:
    """Nothing was planted in it, and it lacks nothing but the effect and a quiet machine."""
    return not unjudged(judgement) and not clean(judgement, _NULL | BUSY)


def in_undo(bench: Bench) -> Tally:
    """A node is lost for real, and does not come back: where that may be done."""
    if why := unhealed.why_not_here(bench.platform):
        return Tally((Row(unhealed.DEFECT, unhealed.WHAT, 0, 0, why, skipped=True),), ())
    plan = bench.plan()
    limits = replace(plan.limits, effect_s=_EFFECT_REAL_S, heal_s=unhealed.HEAL_S)
    plan = replace(plan, limits=limits, instead="node-loss")
    bench.progress.say(f"planting: {unhealed.WHAT}")
    file = find_experiment("node-loss")
    text = file.read_text(encoding="utf-8")
    lost = resolved_experiment(text, {"node": "standby"}, file=file)
    run = _directory(bench, plan, lost)
    with unhealed.kept_from_healing(bench.platform, run.path) as why_not:
        judgement = drill(plan, bench.platform, run, bench.progress)
    if why_not:
        return Tally((Row(unhealed.DEFECT, unhealed.WHAT, 0, 0, why_not[0]),), ())
    how = caught_by(judgement, unhealed.CONDITION)
    row = Row(unhealed.DEFECT, unhealed.WHAT, 1, int(bool(how)), how or _NOT_CAUGHT)
    return Tally((row,), tuple(f"{unhealed.DEFECT}: {told}" for told in _only_counts(judgement)))


def nothing_planted(bench: Bench, number: int) -> Tally:
    """A clean run: what it reports is false."""
    plan = bench.plan()
    bench.progress.say(f"clean run {number}: nothing is planted")
    judgement = drill(plan, bench.platform, _directory(bench, plan), bench.progress)
    return _found_clean(judgement, f"clean run {number}")


def _found_clean(judgement: Judgement, run: str) -> Tally:
    false = (*unjudged(judgement), *clean(judgement, _NULL | BUSY))
    return Tally(
        (),
        tuple(f"{run}: {what}" for what in false),
        tuple(f"{run}: {what}" for what in noise(judgement)),
    )


def _only_counts(judgement: Judgement) -> tuple[str, ...]:
    return clean(judgement, frozenset(f.name for f in judgement.fitness))


@dataclass(frozen=True)
class _Behind:
    """The same platform, whose application is reached through the liar."""

    platform: Platform
    url: str

    def __getattr__(self, name: str) -> object:
        return getattr(self.platform, name)

    def endpoints(self) -> Endpoints:
        return replace(self.platform.endpoints(), application_url=self.url)


def _directory(bench: Bench, plan: Plan, experiment: str = "") -> RunDirectory:
    run = RunDirectory.create(bench.out, plan.run_id)
    now = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    head = Head("peakdrill/head/v1", now, __version__, host.python_version())
    run.save_plan(plan, experiment or bench.null(), head)
    return run


@contextmanager
def _tail(run: Path, lies: Lies) -> Iterator[None]:
    """From the end of the fault on, no invoice is written any more."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            try:
                marks = events.read(run / layout.EVENTS).timeline
            except Exception:  # noqa: BLE001, S112  it is being written
                continue
            if any(marks.first(name) for name in _TAIL_AFTER):
                lies.tail = True
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)


def _planted(lies: Lies, run: Path, run_id: str) -> list[Planted]:
    """Whose record each lie was about: the ledger says which workload it belongs to.

    A lie whose call was not acknowledged in time proves nothing, and is left out.
    """
    operations, _ = read_ledgers(run / layout.LEDGER)
    creates = operations.where(operations.record == operations.seq)
    code = {
        key_of(run_id, int(w), int(s)): int(c)
        for w, s, c in zip(creates.worker, creates.seq, creates.workload, strict=True)
    }
    return [
        Planted(defect, key, Workload.of_code(code[key]), REPORTED_AS[defect])
        for defect, key in lies.told
        if key in code
    ]


def new_bench(
    platform: Platform, order: Order, out: Path, progress: Progress, *, seed: int | None
) -> tuple[Bench, int]:
    """Where a selftest is held, and the seed that repeats it."""
    drawn = secrets.randbelow(2**31) if seed is None else seed
    folder = out / f"selftest-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}Z"
    folder.mkdir(parents=True)
    return Bench(platform, order, folder, progress, random.Random(drawn)), drawn
