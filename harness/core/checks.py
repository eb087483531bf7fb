"""The checks that a scenario can name. Each is judged per workload by `verdict.judge`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A check by name; `title` is what the reports print."""

    name: str
    title: str


rto = Check("rto", "Recovery time within its objective")
rpo = Check("rpo", "No acknowledged write lost beyond its objective")
stores_agree = Check("stores-agree", "Orders, stock, ledger, documents and partners agree")

ALL = {check.name: check for check in (rto, rpo, stores_agree)}
