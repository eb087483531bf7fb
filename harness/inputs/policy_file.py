"""targets.yaml -> Policy: what it declares about many runs, seasons, freezes and money."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from harness.core.policy import Freeze, GatePolicy, Policy, Season
from harness.core.targets import Approval
from harness.inputs.problems import validated
from harness.inputs.targets_file import find_targets
from harness.inputs.targets_model import FreezeEntry, SeasonEntry, TargetsModel
from harness.inputs.yaml_lines import Document, KeyPath, read_yaml


def read_policy(asked: Path | None) -> Policy:
    """Find, read and check. Raises UsageError where there is no such file, BadInput if wrong."""
    document = read_yaml(find_targets(asked))
    model = validated(TargetsModel, document)
    _check_stretches(document, model)
    return Policy(
        gate=GatePolicy(model.gate.quantile, model.gate.confidence, model.gate.margin),
        valid_days=model.readiness.valid_days,
        seasons=tuple(Season(s.name, s.begins, s.ends) for s in model.seasons),
        freezes=tuple(Freeze(f.name, f.begins, f.ends) for f in model.freezes),
        cost_per_hour_cents=None if model.cost is None else round(model.cost.per_hour * 100),
        currency=model.currency,
        season=model.season or "",
        tenants=tuple(sorted({o.when.tenant for o in model.overrides if o.when.tenant})),
        approvals=tuple(Approval(a.action, tuple(a.roles)) for a in model.approvals),
    )


def _check_stretches(document: Document, model: TargetsModel) -> None:
    """Days that exist, in their order, and no name twice."""
    stretches: tuple[tuple[str, Sequence[SeasonEntry | FreezeEntry]], ...] = (
        ("seasons", model.seasons),
        ("freezes", model.freezes),
    )
    for key, entries in stretches:
        seen: dict[str, int] = {}
        for index, entry in enumerate(entries):
            begins = _instant(document, (key, index, "begins"), entry.begins)
            ends = _instant(document, (key, index, "ends"), entry.ends)
            if ends < begins:
                raise document.bad((key, index, "ends"), "lies before `begins`")
            if entry.name in seen:
                first = f"{key}[{seen[entry.name]}]"
                raise document.bad((key, index, "name"), f"stands twice, first in {first}")
            seen[entry.name] = index


def _instant(document: Document, path: KeyPath, text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise document.bad(path, f"is no date: {error}") from error
