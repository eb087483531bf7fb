"""Stored evidence as JSON: small runs that every later judge must judge the same way.

`python -m tests.core.golden_evidence NAME ...` writes these files, without a name all of them. Do
that to an old one only with a reason that the changelog names: a changed judgement of old evidence
is a new version of the judge.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from harness.core import checks
from harness.core.evidence import Evidence, LedgerHealth, Observation, ReadBack, Survivors, Use
from harness.core.judge import judge
from harness.core.operation import Workload
from harness.core.operations import SLOT, Operations
from harness.core.plan import Plan
from harness.core.proofs import Proof, StepRecord
from harness.core.targets import Targets
from harness.core.timeline import MarkName, Timeline
from harness.evidence import canonical
from tests.core import simulate
from tests.core.simulate import Defects, Restore
from tests.core.simulated_recovery import (
    latent,
    scenario,
    with_marks,
    with_proofs,
    with_steps,
    with_uses,
)

GOLDEN = Path(__file__).parent / "golden"
_DTYPES = {name: SLOT[name].base for name in SLOT.names or ()} | {
    "worker": np.dtype(np.uint16), "intended_ns": np.dtype(np.int64),
    "sent_ns": np.dtype(np.int64), "done_ns": np.dtype(np.int64), "document": np.dtype(np.uint64),
    "parts": np.dtype(np.uint8), "expected_parts": np.dtype(np.uint8),
}  # fmt: skip


def columns(value: Operations | Survivors) -> dict[str, list[int]]:
    return {f.name: getattr(value, f.name).tolist() for f in fields(value)}


def arrays(stored: dict[str, list[int]]) -> dict[str, Any]:
    return {name: np.array(values, dtype=_DTYPES[name]) for name, values in stored.items()}


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    def look(taken: ReadBack | None) -> dict[str, Any] | None:
        if taken is None:
            return None
        told = {f.name: getattr(taken, f.name) for f in fields(taken)}
        return told | {"survivors": columns(taken.survivors)}

    plain = {f.name: getattr(evidence, f.name) for f in fields(evidence)}
    plain |= {"operations": columns(evidence.operations)}
    for name in ("first", "second", "restored"):
        plain[name] = look(getattr(evidence, name))
    for name in ("arrivals_ns", "canaries_ns"):
        plain[name] = {w.value: due.tolist() for w, due in plain[name].items()}
    return plain


def evidence_from_json(stored: dict[str, Any]) -> Evidence:
    def look(told: dict[str, Any] | None) -> ReadBack | None:
        if told is None:
            return None
        found = Survivors(**arrays(told["survivors"]))
        return ReadBack(
            **told | {"survivors": found, "disagreements": tuple(told["disagreements"])}
        )

    def due(told: dict[str, list[int]]) -> dict[Workload, Any]:
        return {Workload(w): np.array(times, dtype=np.int64) for w, times in told.items()}

    return Evidence(
        operations=Operations(**arrays(stored["operations"])),
        ledgers=TypeAdapter(tuple[LedgerHealth, ...]).validate_python(stored["ledgers"]),
        timeline=TypeAdapter(Timeline).validate_python(stored["timeline"]),
        observation=TypeAdapter(Observation).validate_python(stored["observation"]),
        first=look(stored["first"]),
        second=look(stored["second"]),
        load_begun_ns=stored["load_begun_ns"],
        load_stopped_ns=stored["load_stopped_ns"],
        arrivals_ns=due(stored["arrivals_ns"]),
        canaries_ns=due(stored["canaries_ns"]),
        # evidence that was stored before there were runbooks has none of these
        steps=TypeAdapter(tuple[StepRecord, ...]).validate_python(stored.get("steps", ())),
        proofs=TypeAdapter(tuple[Proof, ...]).validate_python(stored.get("proofs", ())),
        uses=TypeAdapter(tuple[Use, ...]).validate_python(stored.get("uses", ())),
        restored=look(stored.get("restored")),
    )


def read(name: str) -> tuple[Plan, Evidence, bytes]:
    """A stored run: its plan, its evidence, and the judgement's canonical bytes."""
    stored = json.loads((GOLDEN / f"{name}.json").read_text())
    plan = TypeAdapter(Plan).validate_python(stored["plan"])
    return plan, evidence_from_json(stored["evidence"]), canonical.dumps(stored["judgement"])


def runs() -> dict[str, tuple[Plan, Evidence]]:
    """The runs that are stored."""
    orders, finance = simulate.TARGETS.workloads[0], simulate.TARGETS.workloads[5]
    small = Targets(
        (replace(orders, rate_per_s=3, canary_per_s=4), replace(finance, canary_per_s=3))
    )
    plan = simulate.plan_of(targets=small)
    spoilt = Defects(
        lost=2, replayed=1, ghost=1, duplicate=1, altered=1, partial_document=1, unexpected=1
    )
    hasty = Targets((replace(small.workloads[0], rto_s=3), small.workloads[1]))
    return {
        "node-loss": simulate.evidence(plan=plan, outage_s=4.0, after_s=12.0),
        "spoilt": simulate.evidence(plan=plan, outage_s=4.0, after_s=12.0, defects=spoilt),
        "hanging": simulate.evidence(plan=plan, outage_s=4.0, after_s=12.0, mode="hang"),
        "never-back": simulate.evidence(
            plan=simulate.plan_of(targets=hasty), outage_s=9.0, after_s=0.0
        ),
        "null": simulate.evidence(plan=plan, outage_s=1.0, after_s=10.0, null=True),
        "restored": restored(Targets((replace(orders, rate_per_s=3, canary_per_s=4),))),
    }


def restored(targets: Targets) -> tuple[Plan, Evidence]:
    """A run with all that a recovery leaves behind: the newest of the stored ones."""
    named = scenario(checks.access_revoked, checks.nothing_corrupt, checks.runbook_done)
    plan = simulate.plan_of(targets=targets, scenario=named, baseline_s=14.0)
    _, seen = simulate.evidence(
        plan=plan, outage_s=4.0, after_s=14.0, restore=Restore(point_s=-3.0, gone=1)
    )
    seen = with_proofs(with_steps(latent(seen, 2.0), plan), plan)
    seen = with_uses(seen, "session", revoked_s=1.0)
    seen = with_marks(
        seen, (MarkName.UNPROTECTED, -3.0, "nothing arrived"), (MarkName.INGRESS_CLOSED, 2.0, ""),
        (MarkName.RESTORED, 4.0, ""),
    )  # fmt: skip
    return plan, seen


def main(*names: str) -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, (plan, evidence) in runs().items():
        if names and name not in names:
            continue
        stored = {
            "plan": plan, "evidence": evidence_to_json(evidence), "judgement": judge(plan, evidence)
        }  # fmt: skip
        (GOLDEN / f"{name}.json").write_bytes(canonical.dumps(stored))


if __name__ == "__main__":
    main(*sys.argv[1:])
