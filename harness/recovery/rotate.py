"""Rotate: take every leaked credential away from whoever holds it, while orders keep flowing.

The order of the classes is part of the runbook. First the backup writer's key: no customer waits
for it, and with it the way back could be spoilt. Then the queue and the database role, the two
doors that need no application. What lies in the database (password, keys, sessions) comes after
its role: whoever still holds the role could write himself a new one. One class at a time, each
seen refused before the next, so that a mistake costs one workload and not all of them.
"""

from __future__ import annotations

import time
from functools import partial

from harness.attack.leaked import marker_of
from harness.core.timeline import MarkName
from harness.evidence import layout
from harness.inspection.secrets import Newcomers, prove_processes
from harness.platforms.capabilities import Audit, AuditedUse
from harness.platforms.having import having
from harness.recovery.ground import Ground
from harness.recovery.steps import Runbook, Step, nothing
from harness.recovery.turned_away import told

ORDER = (
    ("backup-writer", "Renew the backup writer's key"),
    ("queue", "Renew the queue's password, end its sessions"),
    ("database-role", "Renew the application's database role, end its sessions"),
    ("application-password", "Renew the administrator's password"),
    ("api-key", "Renew the API key"),
    ("session-cookie", "End every web session"),
)
_QUIET_S = 4.0  # several tries of the slowest class
_ROTATE_S = 60.0
_REVOKED, _SEARCHED, _BEGAN = "revoked-", "searched", "began"


def _uses(ground: Ground) -> tuple[AuditedUse, ...]:
    """What the platform's own audit tells of this attacker, by class."""
    audit: Audit = having(ground.platform.audit, "audit")
    found = (audit.last_use(name, marker_of(ground.run_id)) for name, _ in ORDER)
    return tuple(use for use in found if use is not None)


def _detected(ground: Ground) -> str | None:
    uses = _uses(ground)
    if not uses:
        return None
    return f"a stranger in the audit: {', '.join(f'{u.credential} ({u.source})' for u in uses)}"


def _decided(ground: Ground) -> str:
    classes = having(ground.platform.secrets, "secrets").classes()
    seen = {use.credential for use in _uses(ground)}
    return (
        f"all {len(classes)} classes are rotated in service, one at a time; "
        f"seen in use: {', '.join(sorted(seen)) or 'none'}"
    )


def _rotate(ground: Ground, *, name: str) -> None:
    if _BEGAN not in ground.facts:
        ground.facts[_BEGAN] = str(time.monotonic_ns())
    with Newcomers() as newcomers:
        having(ground.platform.secrets, "secrets").rotate(name)
    newcomers.prove(ground.platform, ground.prove, f"the rotation of {name}")
    ground.facts[_REVOKED + name] = str(time.monotonic_ns())


def _rotated(ground: Ground, *, name: str) -> str | None:
    if _REVOKED + name not in ground.facts:
        return None
    return f"{name}: the old one was seen refused, and the new one is in use"


def _revoked_ns(ground: Ground) -> dict[str, int]:
    return {name: int(ground.facts[_REVOKED + name]) for name, _ in ORDER}


def _stays_out(ground: Ground) -> str | None:
    """None while an old credential is in use, or has not been out for long enough to tell."""
    revoked_ns = _revoked_ns(ground)
    quiet_s = (time.monotonic_ns() - max(revoked_ns.values())) / 1e9
    late = [u for u in _uses(ground) if u.at_ns - u.uncertainty_ns > revoked_ns[u.credential]]
    if late or quiet_s < _QUIET_S:
        return None
    return f"no use of an old credential in the audit for {quiet_s:.1f} s"


def _search(ground: Ground) -> None:
    prove_processes(ground.platform, ground.prove)
    ground.facts[_SEARCHED] = "yes"


def _searched(ground: Ground) -> str | None:
    if _SEARCHED not in ground.facts:
        return None
    return "command lines and environments of all processes were searched, the load's included"


def _counted(ground: Ground) -> str:
    ledgers = ground.run / layout.LEDGER
    if not ledgers.is_dir():
        return "the run is gone: nobody counted"
    end_ns = max(_revoked_ns(ground).values())
    return told(ledgers, int(ground.facts[_BEGAN]), end_ns, ground.targets.currency)


def _whole(ground: Ground) -> str | None:
    if not ground.platform.whole().whole:
        return None
    return "redundant, archiving, backed up and serving with the new secrets"


def _steps() -> tuple[Step, ...]:
    detect = Step(
        name="detect",
        title="See a stranger in the platform's own audit",
        do=nothing,
        seen=_detected,
        limit_s=30.0,
        mark=MarkName.DETECTED,
    )
    decide = Step(
        name="decide",
        title="Decide what is rotated, and whether the shop stays open meanwhile",
        do=nothing,
        seen=_decided,
        decision="rotate every class that may have leaked, in service",
        role="security officer on duty, with the owner of the platform",
        mark=MarkName.DECIDED,
    )
    rotations = (
        Step(
            name=f"rotate-{name}",
            title=title,
            do=partial(_rotate, name=name),
            seen=partial(_rotated, name=name),
            limit_s=_ROTATE_S,
            mark=MarkName.REVOKED,
            note=name,
        )
        for name, title in ORDER
    )
    after = (
        Step("watch-audit", "See in the audit that the stranger stays out", nothing, _stays_out),
        Step("search", "Search the process list for old and new secrets", _search, _searched),
        Step("count", "Count the orders that the rotation itself cost", nothing, _counted),
        Step("whole", "See every part work with its new secret", nothing, _whole, limit_s=120.0),
    )
    return detect, decide, *rotations, *after


RUNBOOK = Runbook("rotate", "Rotate every leaked credential, in service", _steps())
