"""Pods evicted as a maintenance does it: disruption budgets are respected, and waited for.

Ours and not chaostoolkit-kubernetes' `drain_nodes`: that one gives up at the first 429 of a
budget, which a healthy cluster answers whenever the last replica is still on its way; it looks
every ten seconds only, so that a drain's duration would be quantised; and it takes the pods of
every namespace.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kubernetes.client.exceptions import ApiException

from harness.errors import FaultError, PlatformError
from harness.platforms.capabilities import Instant
from harness.platforms.cluster_faults import Target
from harness.platforms.kubernetes.client import NotThere
from harness.platforms.kubernetes.targets import Pods

_EVERY_S = 0.5
_TOO_MANY, _CONFLICT = 429, 409
_BUDGET = re.compile(r"disruption budget (\S+)")


@dataclass(slots=True)
class _Course:
    """Where a drain stands."""

    waiting: list[Target]  # not evicted yet
    going: list[Target] = field(default_factory=list)  # evicted, and not gone yet
    budgets: dict[str, str] = field(default_factory=dict)  # pod -> what holds it, when last asked
    first: Instant | None = None


def evict(
    pods: Pods, targets: Sequence[Target], within_s: float, is_over: Callable[[], bool]
) -> Instant:
    """Returns when the first one went, once all are gone. Raises FaultError."""
    course = _Course(list(targets))
    deadline = time.monotonic() + within_s
    while True:
        for target in tuple(course.waiting):
            _ask(pods, target, course)
        course.going = [target for target in course.going if not pods.is_gone(target)]
        if not course.waiting and not course.going:
            if course.first is None:
                raise FaultError("the pods were gone before any was evicted: this is no drain")
            return course.first
        if is_over():
            raise FaultError("the harness has let go (or is dead): the drain ends here")
        if time.monotonic() >= deadline:
            raise _stopped(course, within_s)
        time.sleep(_EVERY_S)


def _ask(pods: Pods, target: Target, course: _Course) -> None:
    """One eviction; one that a budget holds back is asked again."""
    asked_ns = time.monotonic_ns()
    held = _evict_one(pods, target)
    if held:
        course.budgets[target.name] = held
        return
    if held is not None:
        course.first = course.first or Instant(asked_ns, time.monotonic_ns())
    course.budgets.pop(target.name, None)
    course.waiting.remove(target)
    course.going.append(target)


def _evict_one(pods: Pods, target: Target) -> str | None:
    """What holds it back, "" where it goes by this; None where it had gone before."""
    where = f"/api/v1/namespaces/{pods.namespace}/pods/{target.name}/eviction"
    body = {  # without apiVersion: 1.20 knows policy/v1beta1 alone, and later ones policy/v1
        "metadata": {"name": target.name, "namespace": pods.namespace},
        "deleteOptions": {"preconditions": {"uid": target.uid}},  # never its successor
    }
    try:
        pods.cluster.call("POST", where, body=body)
    except NotThere:
        return None
    except PlatformError as error:
        cause = error.__cause__
        status = cause.status if isinstance(cause, ApiException) else 0
        if status == _CONFLICT and pods.is_gone(target):
            return None
        if status != _TOO_MANY:
            raise
        return budget_in(cause.body if isinstance(cause, ApiException) else "")
    return ""


def budget_in(body: str | bytes | None) -> str:
    """What the API says of the budget that holds a pod back; it is never "".

    >>> budget_in('{"details": {"causes": [{"reason": "DisruptionBudget", "message": '
    ...   '"The disruption budget app needs 2 healthy pods and has 2 currently"}]}}')
    'the disruption budget app (needs 2 healthy pods and has 2 currently)'
    >>> budget_in("busy")
    'the API, which has too much to do'
    """
    try:
        causes = json.loads(body or "")["details"]["causes"]
        told = next(str(c["message"]) for c in causes if c["reason"] == "DisruptionBudget")
    except (ValueError, KeyError, TypeError, StopIteration):
        return "the API, which has too much to do"
    found = _BUDGET.search(told)
    if found is None:
        return f"a disruption budget ({told})"
    rest = told[found.end() :].strip().rstrip(".")
    return f"the disruption budget {found[1]}" + (f" ({rest})" if rest else "")


def _stopped(course: _Course, within_s: float) -> FaultError:
    held = [f"{pod} is held back by {by}" for pod, by in sorted(course.budgets.items())]
    slow = [f"{target.name} is evicted and has not ended" for target in course.going]
    return FaultError(
        f"the drain did not come to its end within {within_s:g} s: {'; '.join(held + slow)}",
        next_step="a budget that lets no pod go stops every maintenance: give its workload another "
        "replica, or let it miss one",
    )
