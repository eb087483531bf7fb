"""plan.json: what the harness wants traded. No secret is in it, only the files that hold them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.operation import Workload
from harness.core.schedule import Shape
from load.password import Password


@dataclass(frozen=True, slots=True)
class WorkloadPlan:
    """One workload's absolute rates, and what an operation of it is worth."""

    workload: Workload
    rate_per_s: float  # 1x
    canary_per_s: float
    latency_limit_s: float
    revenue_cents: int


@dataclass(frozen=True, slots=True)
class Application:
    """Odoo, or what speaks like it. `version` is the major one, 14 to 19."""

    url: str
    database: str
    login: str
    password_file: Path
    version: int
    timeout_s: float
    canary_limit_s: float = 0.25

    def password(self) -> Password:
        return Password(file=self.password_file)


@dataclass(frozen=True, slots=True)
class QueueAt:
    """The marketplace's queue: a Valkey or Redis stream."""

    url: str
    password_file: Path | None

    def password(self) -> Password:
        return Password(file=self.password_file)


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """Everything that decides what is sent when."""

    run_id: str
    seed: int
    begin_ns: int
    max_s: float
    workers: int
    peak: float
    shape: Shape
    workloads: tuple[WorkloadPlan, ...]
    application: Application
    queue: QueueAt | None
    ledger_dir: Path
    status_dir: Path
    catalogue_file: Path

    @classmethod
    def read(cls, path: Path) -> LoadPlan:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        shape = raw["shape"]
        return cls(
            run_id=raw["run_id"],
            seed=int(raw["seed"]),
            begin_ns=int(raw["begin_ns"]),
            max_s=float(raw["max_s"]),
            workers=int(raw["workers"]),
            peak=float(raw["peak"]),
            shape=Shape(shape["name"], tuple((float(t), float(m)) for t, m in shape["points"])),
            workloads=tuple(
                _workload(Workload(name), entry) for name, entry in raw["workloads"].items()
            ),
            application=_application(raw["application"]),
            queue=_queue(raw.get("queue")),
            ledger_dir=Path(raw["ledger_dir"]),
            status_dir=Path(raw["status_dir"]),
            catalogue_file=path.parent / "catalogue.json",
        )

    def of(self, workload: Workload) -> WorkloadPlan | None:
        return next((w for w in self.workloads if w.workload is workload), None)


def _workload(workload: Workload, raw: dict[str, Any]) -> WorkloadPlan:
    return WorkloadPlan(
        workload,
        rate_per_s=float(raw["rate_per_s"]),
        canary_per_s=float(raw["canary_per_s"]),
        latency_limit_s=float(raw["latency_limit_s"]),
        revenue_cents=int(raw.get("revenue_cents", 0)),
    )


def _application(raw: dict[str, Any]) -> Application:
    return Application(
        url=raw["url"].rstrip("/"),
        database=raw["database"],
        login=raw["login"],
        password_file=Path(raw["password_file"]),
        version=int(raw["version"]),
        timeout_s=float(raw["timeout_s"]),
        canary_limit_s=float(raw.get("canary_limit_s", 0.25)),
    )


def _queue(raw: dict[str, Any] | None) -> QueueAt | None:
    if not raw:
        return None
    file = raw.get("password_file")
    return QueueAt(raw["url"], Path(file) if file else None)
