"""Days, records and their values, made by hand: small enough to be read beside what is expected."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.gameday import records as said
from harness.core.gameday.findings import Finding, Reach
from harness.core.gameday.plan import (
    Communication,
    GameDay,
    GoCheck,
    Participant,
    PlannedScenario,
    Timing,
    Window,
)
from harness.core.gameday.state import DayState, state_of
from harness.core.verdict import Verdict

ONE, TWO = "1-node-loss", "2-ransomware"
LEAD = Participant("tom", "lead", "key-tom")
DEPUTY = Participant("eva", "platform", "key-eva", deputy_for=("lead", "stores"))
ALWAYS = Window("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")


def day(**changed: object) -> GameDay:
    told: dict[str, object] = {
        "name": "autumn",
        "digest": "d" * 64,
        "requested_by": "ida",
        "action": "drill-in-production",
        "scenarios": (PlannedScenario(ONE, "node-loss"), PlannedScenario(TWO, "ransomware", 2.0)),
        "windows": (ALWAYS,),
        "participants": (LEAD, DEPUTY),
    }
    return GameDay(**{**told, **changed})  # type: ignore[arg-type]


def entries(*told: said.Said) -> list[said.Entry]:
    """One a minute, from 06:00 on."""
    return [said.Entry(n + 1, "", f"2026-11-28T06:{n:02d}:00Z", one) for n, one in enumerate(told)]


def after(*told: said.Said) -> DayState:
    return state_of(entries(*told))


def begun(step: str = ONE, attempt: int = 1) -> said.ScenarioBegun:
    return said.ScenarioBegun(step, attempt, 7)


def ended(
    step: str = ONE, verdict: Verdict = Verdict.MET, interrupted: str = "", **changed: object
) -> said.ScenarioEnded:
    told: dict[str, object] = {
        "step": step, "scenario": step[2:], "attempt": 1, "run_id": f"run-{step}",
        "verdict": verdict, "reason": f"it is {verdict.value}", "evidence_digest": "e" * 64,
        "results": (), "reach": Reach(), "interrupted": interrupted,
    }  # fmt: skip
    return said.ScenarioEnded(**{**told, **changed})  # type: ignore[arg-type]


def approved(
    who: str = "tom", steps: Sequence[str] = (ONE, TWO), **changed: object
) -> said.Approved:
    told: dict[str, object] = {
        "day": "autumn", "plan_digest": "d" * 64, "action": "drill-in-production",
        "scenarios": tuple(steps), "who": who, "given_utc": "2026-11-28T05:00:00Z",
        "expires_utc": "2026-11-28T12:00:00Z", "nonce": f"nonce-{who}",
    }  # fmt: skip
    approval = said.Approval(**{**told, **changed})  # type: ignore[arg-type]
    return said.Approved(approval, "lead", f"key-{who}", "", "")


def question(check: str = "till-staff", **changed: object) -> GoCheck:
    told: dict[str, object] = {"kind": "question", "ask": "Are they there?", "role": "stores"}
    return GoCheck(check, **{**told, **changed})  # type: ignore[arg-type]


def telling(
    name: str = "stores", when: Timing = Timing.BEFORE_DAY, **changed: object
) -> Communication:
    told: dict[str, object] = {
        "name": name, "when": when, "whom": "all stores", "channel": "phone", "what": "a drill",
        "by": "lead",
    }  # fmt: skip
    return Communication(**{**told, **changed})  # type: ignore[arg-type]


def finding(name: str = "f", origin: str = "autumn", **changed: object) -> Finding:
    told: dict[str, object] = {"name": name, "origin": origin, "what": "it is slow"}
    return Finding(**{**told, **changed})  # type: ignore[arg-type]


STARTED = said.Started("d" * 64, "t" * 64, "ida")
WHOLE, BROKEN = said.Looked(ONE, True), said.Looked(ONE, False, ("a standby", "a broker"))
