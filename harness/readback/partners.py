"""Integration partners: what they remember, against what the store says.

A payment for each confirmed order and a label for each transfer that is done, exactly once. The
marketplace is told of its own orders alone, so nobody here knows which it should have been told.
What was taken back is balanced, unless its order is there. Only looks; changes nothing.
"""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.core.operation import Stage, key_of
from harness.platforms.capabilities import Endpoints

PARTNERS = ("payment", "carrier", "marketplace")
_OWED_FROM = {"payment": Stage.CONFIRMED, "carrier": Stage.DONE}
_AT_MOST = 20  # sentences a look


@dataclass(frozen=True, slots=True)
class Memory:
    """One partner's: key -> how often it took effect (a repeat by the same key is none)."""

    taken: Mapping[str, int]
    cancelled: Mapping[str, int]
    repeats: int = 0  # calls that came again and had no further effect

    @property
    def standing(self) -> frozenset[str]:
        """Keys whose effect holds: taken, and not taken back."""
        return frozenset(key for key in self.taken if key not in self.cancelled)


def remembered(url: str, partner: str, prefix: str = "") -> Memory:
    """What the partner says of all keys with this prefix. Raises OSError, ValueError."""
    calls = _told(url, partner, "calls", prefix)
    cancellations = _told(url, partner, "cancellations", prefix)
    repeats = sum(bool(call["repeat"]) for call in calls)
    return Memory(_effects(calls), _effects(cancellations), repeats)


def unbalanced(
    partner: str, memory: Memory, *, due: Collection[str], allowed: Collection[str]
) -> list[str]:
    """A sentence for every key that is not right. Pure.

    `due`: keys that must have been taken; `allowed`: keys of orders that are there, so that an
    effect may stand for them.
    """
    taken, cancelled = memory.taken, memory.cancelled
    return [
        *(f"{partner}: {key} taken {count} times" for key, count in taken.items() if count > 1),
        *(
            f"{partner}: {key} taken, yet no such order is in the store"
            for key in taken
            if key not in allowed and key not in cancelled
        ),
        *(
            f"{partner}: {key} cancelled, yet its order is in the store"
            for key in cancelled
            if key in allowed
        ),
        *(
            f"{partner}: {key} cancelled {count} times"
            for key, count in cancelled.items()
            if count > 1
        ),
        *(f"{partner}: {key} cancelled, yet never taken" for key in cancelled if key not in taken),
        *(f"{partner}: {key} never told" for key in due if key not in taken),
    ]


def disagreements(endpoints: Endpoints, run_id: str, rows: npt.NDArray[np.void]) -> list[str]:
    """Sentences about calls that a partner got twice, or for an order that is not there."""
    if not endpoints.partners_url:
        return []
    confirmed = {
        key_of(run_id, int(r["worker"]), int(r["seq"])): int(r["stage"])
        for r in rows[rows["store"] == 0]
        if r["stage"] >= Stage.CONFIRMED
    }
    told: list[str] = []
    for partner in PARTNERS:
        least = _OWED_FROM.get(partner)
        due = [
            key
            for key, stage in confirmed.items()
            if least is not None and stage != Stage.CANCELLED and stage >= least
        ]
        memory = remembered(endpoints.partners_url, partner, f"pd-{run_id}-")
        told += unbalanced(partner, memory, due=due, allowed=confirmed)
    return told[:_AT_MOST]


def _told(url: str, partner: str, kind: str, prefix: str) -> list[dict[str, Any]]:
    asked = f"{url}/{partner}/{kind}?prefix={urllib.parse.quote(prefix)}"
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310  the platform's own
        told: list[dict[str, Any]] = json.load(answer)[kind]
    return [call for call in told if str(call["key"]).startswith(prefix)]


def _effects(calls: list[dict[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for call in calls:
        if not call["repeat"]:
            key = str(call["key"])
            counts[key] = counts.get(key, 0) + 1
    return counts
