"""targets.yaml -> Targets: the declared objectives that hold for one scenario, season and tenant.

An override applies where everything in its `when` holds. Of those that apply, the one with more
keys in `when` wins, key by key; two with equally many that set the same key are refused, because
nobody could say which of the two the business meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.core.operation import Workload
from harness.core.targets import Approval, Targets, WorkloadTarget
from harness.errors import UsageError
from harness.inputs import places
from harness.inputs.problems import validated
from harness.inputs.targets_model import (
    NOT_APPLICABLE,
    PartialWorkload,
    TargetsModel,
    WorkloadEntry,
)
from harness.inputs.yaml_lines import Document, KeyPath, read_yaml

_FINANCE_STALENESS_S = 60.0
_CANARY_PER_S = 10.0

# A key's value, and where it was written: enough to judge it and to blame the right line.
_Written = dict[str, tuple[object, KeyPath]]


def find_targets(asked: Path | None, *, folder: Path | None = None) -> Path:
    """The file asked for, else ./targets.yaml, else the example that ships."""
    if asked is not None:
        if not asked.is_file():
            raise UsageError(
                f"there is no targets file {asked}", next_step="check the path of --targets"
            )
        return asked
    own = (folder or Path()) / "targets.yaml"
    return own if own.is_file() else places.SHIPPED / "targets.yaml"


def read_targets(
    asked: Path | None, *, scenario: str = "", season: str | None = None, tenant: str = ""
) -> Targets:
    """Find, read, check and resolve. `season` None: the one that the file declares.

    Raises UsageError where there is no such file, BadInput where it is wrong.
    """
    file = find_targets(asked)
    document = read_yaml(file)
    model = validated(TargetsModel, document)
    _check_everything(document, model)
    season = (model.season or "") if season is None else season
    applying = _applying(model, {"scenario": scenario, "season": season, "tenant": tenant})
    workloads = tuple(
        _target(workload, _resolve(document, model, workload, applying))
        for workload in Workload
        if workload.value in model.workloads
    )
    return Targets(
        workloads=workloads,
        source=file.name,
        season=season,
        currency=model.currency,
        approvals=_approvals(document, model),
        tenant=tenant,
        cost_per_hour_cents=None if model.cost is None else round(model.cost.per_hour * 100),
    )


def _applying(model: TargetsModel, context: Mapping[str, str]) -> list[tuple[int, int]]:
    """(index, specificity) of the overrides that hold in this context."""
    found = []
    for index, override in enumerate(model.overrides):
        wanted = override.when.model_dump(exclude_none=True)
        if all(context[name] == value for name, value in wanted.items()):
            found.append((index, len(wanted)))
    return found


def _base(model: TargetsModel, workload: str) -> _Written:
    entry = next(e for name, e in model.workloads.items() if name == workload)
    return _written(entry, ("workloads", workload))


def _written(entry: WorkloadEntry | PartialWorkload, path: KeyPath) -> _Written:
    return {name: (getattr(entry, name), (*path, name)) for name in sorted(entry.model_fields_set)}


def _changes(model: TargetsModel, index: int, workload: str) -> _Written:
    part = getattr(model.overrides[index], workload.replace("-", "_"))
    return {} if part is None else _written(part, ("overrides", index, workload))


def _resolve(
    document: Document, model: TargetsModel, workload: Workload, applying: list[tuple[int, int]]
) -> _Written:
    written = _base(model, workload)
    set_with: dict[str, int] = {}
    for index, specificity in sorted(applying, key=lambda pair: pair[1]):
        for name, (value, path) in _changes(model, index, workload).items():
            if set_with.get(name) == specificity:
                other = document.line_of(written[name][1])
                raise document.bad(
                    path,
                    f"is also set by the override on line {other}, which is equally specific; "
                    "say more in one `when`, or drop one",
                )
            set_with[name] = specificity
            written[name] = (value, path)
    _rules(document, written, ("workloads", workload.value))
    return written


def _check_everything(document: Document, model: TargetsModel) -> None:
    """Also what does not apply today: a mistake must not wait for its season."""
    for name in model.workloads:
        _rules(document, _base(model, name), ("workloads", name))
    for index, override in enumerate(model.overrides):
        if not override.when.model_fields_set:
            raise document.bad(
                ("overrides", index, "when"),
                "must name at least one",
                allowed=("scenario", "season", "tenant"),
            )
        for workload in Workload:
            changes = _changes(model, index, workload)
            path: KeyPath = ("overrides", index, workload.value)
            if changes and workload.value not in model.workloads:
                raise document.bad(
                    path, "is not declared under workloads", allowed=tuple(model.workloads)
                )
            if changes:
                _rules(document, _base(model, workload) | changes, path)


def _rules(document: Document, written: _Written, path: KeyPath) -> None:
    """What one key demands of another."""
    rpo_s, rpo_at = written["rpo_s"]
    if rpo_s == NOT_APPLICABLE:
        if "reason" not in written:
            raise document.bad(rpo_at, "not_applicable needs a `reason` beside it")
        if "lost_max" in written:
            raise document.bad(written["lost_max"][1], "cannot stand where rpo_s is not_applicable")
    elif "reason" in written and written["reason"][1][:-1] == path:
        raise document.bad(written["reason"][1], "belongs to rpo_s: not_applicable alone")
    revenue, revenue_at = written.get("revenue_per_operation", (0.0, path))
    if abs(_number(revenue) * 100 - round(_number(revenue) * 100)) > 1e-6:
        raise document.bad(revenue_at, f"has more than two decimals: {revenue}")


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _target(workload: Workload, written: _Written) -> WorkloadTarget:
    values = {name: value for name, (value, _) in written.items()}
    applicable = values["rpo_s"] != NOT_APPLICABLE
    rpo_s = _number(values["rpo_s"]) if applicable else None
    lost_max = values.get("lost_max", 0 if rpo_s == 0 else None)
    assert lost_max is None or isinstance(lost_max, int)
    stale_s = _FINANCE_STALENESS_S if workload is Workload.FINANCE else 0.0
    return WorkloadTarget(
        workload=workload,
        tier=str(values["tier"]),
        owner=str(values["owner"]),
        rto_s=_number(values["rto_s"]),
        rpo_s=rpo_s,
        lost_max=lost_max,
        latency_limit_s=_number(values["latency_limit_s"]),
        rate_per_s=_number(values["rate_per_s"]),
        canary_per_s=_number(values.get("canary_per_s", _CANARY_PER_S)),
        staleness_s=_number(values.get("staleness_s", stale_s)),
        min_capacity=_number(values.get("min_capacity", 1.0)),
        revenue_per_operation_cents=round(_number(values.get("revenue_per_operation", 0)) * 100),
        rpo_not_applicable_reason="" if applicable else str(values["reason"]),
    )


def _approvals(document: Document, model: TargetsModel) -> tuple[Approval, ...]:
    first: dict[str, int] = {}
    for index, entry in enumerate(model.approvals):
        path: KeyPath = ("approvals", index, "action")
        if entry.action in first:
            raise document.bad(path, f"stands twice, first in approvals[{first[entry.action]}]")
        first[entry.action] = index
    return tuple(Approval(e.action, tuple(e.roles)) for e in model.approvals)
