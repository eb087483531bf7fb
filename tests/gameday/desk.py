"""A game day at a desk: people with keys, a clock that is set, a platform that is a stand-in."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import session
from harness.core.fitness import INTERRUPTED
from harness.core.gameday.plan import GameDay
from harness.core.gameday.state import DayState
from harness.core.operation import Workload
from harness.core.record import RunRecord
from harness.core.verdict import (
    Finding,
    FitnessFinding,
    Judgement,
    Verdict,
    WorkloadJudgement,
)
from harness.evidence.keys import Signer, make_key
from harness.gameday import approvals
from harness.gameday.conduct import conduct
from harness.gameday.records import Book
from harness.gameday.scene import Ask, Scene
from harness.gameday.windows import policy_of
from harness.inputs.gameday_file import read_gameday
from harness.platforms.capabilities import Backup, Wholeness
from harness.progress import Silent
from tests.cli import stand_ins

NOON = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)  # a Saturday
STEPS = ("1-node-loss", "2-credential-compromise", "3-page-corruption")

TARGETS = """\
workloads:
  order-capture: {tier: critical, owner: commerce, rto_s: 60, rpo_s: 0, latency_limit_s: 2, rate_per_s: 10}
approvals:
  - {action: drill-in-staging, roles: [head-of-operations, platform, database-administrator]}
  - {action: drill-in-production, roles: [head-of-operations]}
"""

PLAN = """\
name: rehearsal
targets: targets.yaml
size: smoke
objectives:
  - {{objective: It comes back., shown_by: [node-loss]}}
scope: The embedded platform.
scenarios:
{scenarios}
windows:
{windows}
participants:
  - {{name: Ada, role: game-master, key: {ada}}}
  - {{name: Jonas, role: head-of-operations, key: {jonas}}}
  - {{name: Mina, role: database-administrator, key: {mina}}}
  - {{name: Tom, role: platform, key: {tom}, deputy_for: [database-administrator]}}
  - {{name: Eve, role: intern, key: {eve}}}
  - {{name: Nils, role: platform}}
{more}
"""
SCENARIOS = """\
  - {scenario: node-loss}
  - {scenario: credential-compromise}
  - {scenario: page-corruption}"""
APPROVED = "approvals: {requested_by: Ada, action: drill-in-staging}\n"
WINDOW = '  - {days: [saturday], from: "06:00", until: "18:00"}'
NAMES = ("ada", "jonas", "mina", "tom", "eve")


class Platform:
    """Up or down, whole or not, and how often it was asked for either."""

    def __init__(self) -> None:
        self.is_up = False
        self.disposable = True
        self.missing: tuple[str, ...] = ()
        self.ups = self.downs = 0
        self.taken_utc = "2026-11-28T06:00:00+00:00"

    def running(self) -> Platform | None:
        return self if self.is_up else None

    def start(self, *_: object, **__: object) -> Platform:
        self.is_up = True
        self.ups += 1
        return self

    def mended(self, _say: Callable[[str], None]) -> Platform | None:
        return self.running()

    def whole(self) -> Wholeness:
        return Wholeness(not self.missing, self.missing)

    def down(self) -> None:
        self.is_up = False
        self.downs += 1

    @property
    def backups(self) -> Platform:
        return self

    def candidates(self) -> tuple[Backup, ...]:
        return (Backup("b1", self.taken_utc, "", encrypted=True),)

    def facts_of(self, *_: object) -> object:
        return replace(stand_ins.FACTS, disposable=self.disposable)


@dataclass
class Drills:
    """What stands for `session.execute`: a verdict a scenario, or an error."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    cut: dict[str, str] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)
    before: Callable[[session.Order], None] = lambda _: None
    orders: list[session.Order] = field(default_factory=list)

    def execute(self, order: session.Order, _progress: object) -> tuple[RunRecord, Path]:
        self.orders.append(order)
        self.before(order)
        error = self.errors.get(order.scenario)
        if error is not None:
            raise error
        return self.leave(order)

    def leave(self, order: session.Order) -> tuple[RunRecord, Path]:
        """A run directory with its seed, and the record of it."""
        run_id = f"run{len(list(order.out.glob('run*')))}"
        directory = order.out / run_id
        directory.mkdir(parents=True)
        (directory / "plan.json").write_text(json.dumps({"seed": order.seed}))
        (directory / "verdict.json").write_text("{}")
        return self.record(order, run_id), directory

    def record(self, order: session.Order, run_id: str) -> RunRecord:
        verdict = self.verdicts.get(order.scenario, Verdict.MET)
        cut = self.cut.get(order.scenario, "")
        judged = judgement(run_id, order.scenario, Verdict.INVALID if cut else verdict, cut)
        plan = stand_ins.plan()
        scenario = replace(plan.scenario, name=order.scenario)
        plan = replace(
            plan,
            run_id=run_id,
            scenario=scenario,
            size=order.size,
            peak=order.peak,
            seed=order.seed or 0,
        )
        return replace(stand_ins.record(verdict), plan=plan, judgement=judged, directory=run_id)


def judgement(run_id: str, scenario: str, verdict: Verdict, cut: str = "") -> Judgement:
    """One workload, one check; cut short where `cut` says why."""
    checked = verdict if verdict in {Verdict.MET, Verdict.MISSED} else Verdict.INCONCLUSIVE
    found = Finding("rto", Workload.ORDER_CAPTURE, checked, f"rto is {checked.value}")
    workload = WorkloadJudgement(Workload.ORDER_CAPTURE, checked, None, None, (found,))
    fitness = (FitnessFinding(INTERRUPTED, not cut, cut, "runs to its end"),)
    return replace(
        stand_ins.judgement(verdict),
        run_id=run_id,
        scenario=scenario,
        workloads=(workload,),
        fitness=fitness,
    )


@dataclass
class Desk:
    """Everything that a test of a game day touches."""

    folder: Path
    keys: dict[str, Signer]
    platform: Platform
    drills: Drills
    now: dt.datetime = NOON
    said: list[str] = field(default_factory=list)
    file: Path = Path()

    def write(
        self, more: str = APPROVED, *, scenarios: str = SCENARIOS, windows: str = WINDOW,
        targets: str = TARGETS, name: str = "gameday.yaml",
    ) -> Path:  # fmt: skip
        (self.folder / "targets.yaml").write_text(targets)
        ids = {person: key.public.key_id for person, key in self.keys.items()}
        text = PLAN.format(scenarios=scenarios, windows=windows, more=more, **ids)
        self.file = self.folder / name
        self.file.write_text(text)
        return self.file

    def day(self, name: str = "") -> GameDay:
        return read_gameday(self.file, name=name)

    def book(self, name: str = "") -> Book:
        return Book.of(self.folder / "runs", self.day(name).name)

    def scene(self, name: str = "", ask: Ask | None = None) -> Scene:
        day = self.day(name)
        return Scene(
            book=self.book(name),
            day=day,
            policy=policy_of(day),
            file=self.file,
            by="Ada",
            progress=Silent,
            say=self.said.append,
            ask=ask,
            clock=lambda: self.now,
        )

    def approve(self, *people: str, name: str = "", **other: object) -> None:
        for person in people:
            self.hand_in(self.approval(person, name=name, **other), name=name)

    def approval(
        self, person: str, *, name: str = "", key: str = "", steps: tuple[str, ...] = (),
        hours: float = 8, action: str = "", day: GameDay | None = None,
    ) -> bytes:  # fmt: skip
        day = day or self.day(name)
        return approvals.give(
            day,
            person.capitalize(),
            self.keys[key or person],
            steps=steps or tuple(s.step for s in day.scenarios),
            action=action or day.action,
            now=self.now,
            expires=self.now + dt.timedelta(hours=hours),
        )

    def hand_in(self, body: bytes, *, name: str = "") -> None:
        day = self.day(name)
        approvals.hand_in(self.book(name), day, policy_of(day), body, self.now)

    def conduct(self, name: str = "", ask: Ask | None = None) -> DayState:
        return conduct(self.scene(name, ask))

    def drilled(self) -> list[str]:
        return [order.scenario for order in self.drills.orders]


def keys_in(folder: Path) -> dict[str, Signer]:
    return {name: make_key(folder / f"{name}.pem") for name in NAMES}
