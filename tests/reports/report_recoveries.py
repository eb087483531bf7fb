"""Runs that were recovered by a runbook, simulated and judged: what their reports must show."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from report_samples import record

from harness.core import checks
from harness.core.evidence import Evidence
from harness.core.judge import judge
from harness.core.plan import Plan
from harness.core.proofs import Proof
from harness.core.record import RunRecord
from harness.core.series import series
from harness.core.timeline import MarkName
from tests.core import simulate
from tests.core.simulate import Restore
from tests.core.simulated_recovery import (
    fault_of,
    latent,
    scenario,
    with_marks,
    with_proofs,
    with_steps,
    with_uses,
)

CLASSES = ("api-key", "database-role", "object-store", "password", "queue-password", "session")
NAMED = (
    checks.access_revoked, checks.nothing_corrupt, checks.secrets_hidden, checks.runbook_done,
    checks.protected_again,
)  # fmt: skip


def as_record(plan: Plan, seen: Evidence) -> RunRecord:
    """The judged run as its reports see it; head and seal are those of the run made by hand."""
    return replace(
        record(), plan=plan, judgement=judge(plan, seen), timeline=seen.timeline,
        series=series(plan, seen), origin_ns=fault_of(seen).latest_ns,
        load_begun_ns=seen.load_begun_ns, load_stopped_ns=seen.load_stopped_ns,
        steps=seen.steps, proofs=seen.proofs,
    )  # fmt: skip


def recovered(restore: Restore, *harm: Proof, still_open: str = "") -> tuple[Plan, Evidence]:
    """Hidden for 4 s, restored behind a closed ingress, replayed, and brought back in the end."""
    plan = simulate.plan_of(scenario=scenario(*NAMED, failback_s=60), baseline_s=16.0)
    _, seen = simulate.evidence(plan=plan, restore=restore, after_s=36.0)
    seen = with_proofs(with_steps(latent(seen, 4.0), plan), plan, *harm)
    for n, name in enumerate(CLASSES):
        revoked_s = None if name == still_open else 1.0 + n / 2
        seen = with_uses(seen, name, revoked_s=revoked_s, until_s=13.0)
    base_ns = fault_of(seen).latest_ns
    back = replace(
        seen.steps[0], runbook="failback", name="switch-over", title="Switch over",
        begun_ns=base_ns + 27 * 10**9, ended_ns=base_ns + 29 * 10**9, told="node a leads again",
    )  # fmt: skip
    seen = replace(seen, steps=(*seen.steps, back))
    return plan, with_marks(
        seen, (MarkName.INGRESS_CLOSED, 4.0, ""), (MarkName.RESTORED, 7.0, ""),
        (MarkName.REPLAYED, 9.0, ""), (MarkName.APPROVED, 10.0, "head of commerce, simulated"),
        (MarkName.INGRESS_OPENED, 11.9, ""), (MarkName.OBSERVATION_ENDED, 26.0, "before failback"),
        (MarkName.FAILBACK_BEGUN, 27.0, ""), (MarkName.FAILBACK_ENDED, 29.0, ""),
    )  # fmt: skip


@cache
def restored() -> RunRecord:
    """All of it well: the restore cost four seconds, and replay brought back every one of them."""
    return as_record(*recovered(Restore()))


@cache
def restored_badly() -> RunRecord:
    """Three orders gone for good, a corrupt backup, a session still open, an archive that lied."""
    harm = Proof("nothing-corrupt", "backup", "the newest", False, "the newest: 3 bad pages", 1)
    unknown = Proof("secrets-hidden", "log", "etcd.log", None, "etcd.log: cannot be read", 2)
    plan, seen = recovered(Restore(gone=3, twice=1), harm, unknown, still_open="session")
    lied = "the archive reported success, and nothing arrived"
    return as_record(plan, with_marks(seen, (MarkName.UNPROTECTED, -5.0, lied)))
