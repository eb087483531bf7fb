"""Credentials leak, and an attacker lets himself in with every one of them until he is stopped.

The attacker is a child of this process and hangs on its pipe: whatever dies on the way from the
harness to here, he ends with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from harness.attack import order
from harness.attack.leaked import folder_of, marker_of
from harness.attack.order import PER_S, Order
from harness.chaos import signals
from harness.chaos.arming import LOCK_S, arm, refuse_in_vain
from harness.chaos.standing import Standing, standing
from harness.core.evidence import Use
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.faults import journal
from harness.faults.deeds import credential_compromise
from harness.platforms.capabilities import Secrets
from harness.platforms.embedded import process
from harness.platforms.embedded.process import ProcessId
from harness.platforms.having import having

_POLL_S = 0.1
_MAX_S = 3600.0  # nobody attacks for longer, whoever forgot him
_MAX_TRIES = 40_000  # of each class
_LOG = "attacker.log"
_attackers: list[subprocess.Popen[bytes]] = []  # a pipe that nobody refers to would be closed


def leak(within_s: float = 20.0) -> list[str]:
    """One credential of each class leaks, and is used until the fault is released.

    Returns the classes. Raises FaultError when not every class was accepted `within_s`, something
    is still broken, or nobody waits for this fault any more.
    """
    here = standing()
    secrets = having(here.platform.secrets, "secrets")
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        refuse_in_vain(here)
        given, attacker = _hire(here, secrets)
        try:
            parameters = credential_compromise.parameters_of(_identity(attacker))
            arm(here, credential_compromise.NAME, parameters)
        except BaseException:
            attacker.kill()
            raise
        try:
            accepted = _let_in(here, secrets, given, attacker, within_s)
        except BaseException as error:
            here.stamp(MarkName.FAULT_SPOILED, f"the credentials could not be leaked: {error}")
            raise
        _require_all(here, given, accepted)
        here.witness(_effect(accepted))
    return sorted(accepted)


def _hire(here: Standing, secrets: Secrets) -> tuple[Order, subprocess.Popen[bytes]]:
    """A process that knows nothing yet and waits for the word: its pid goes into the journal."""
    folder = (here.run or here.platform.directory) / layout.ATTACK
    folder.mkdir(mode=0o700, exist_ok=True)
    given = Order(
        marker=marker_of(here.run_id),
        leaked=str(folder_of(here.platform.directory)),
        uses=str(folder / Path(layout.USES).name),
        version=here.platform.endpoints().version,
        per_s={name: PER_S[name] for name in secrets.classes()},
        max_s=_MAX_S,
        max_tries=_MAX_TRIES,
    )
    order.write(given, folder / "order.json")
    with (folder / _LOG).open("ab") as log:
        attacker = subprocess.Popen(
            [sys.executable, "-P", "-m", "harness.attack", str(folder / "order.json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            start_new_session=True,
        )
    _attackers.append(attacker)
    return given, attacker


def _identity(attacker: subprocess.Popen[bytes]) -> ProcessId:
    known = process.identify(attacker.pid)
    if known is None:
        raise FaultError(f"the attacker ended before he began; see {layout.ATTACK}/{_LOG}")
    return known


def _let_in(
    here: Standing,
    secrets: Secrets,
    given: Order,
    attacker: subprocess.Popen[bytes],
    within_s: float,
) -> dict[str, Use]:
    """Hand everything out, give the word, and wait for the first accepted use of each class."""
    leaked = folder_of(here.platform.directory)
    leaked.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in given.per_s:
        secrets.hand_out(name, leaked / f"{name}.json")
    begun_ns, deadline = time.monotonic_ns(), time.monotonic() + within_s
    assert attacker.stdin is not None
    attacker.stdin.write(b"go\n")
    attacker.stdin.flush()
    while True:
        accepted: dict[str, Use] = {}
        for use in read_lines(Path(given.uses), Use):
            if use.accepted and use.begun_ns >= begun_ns:
                accepted.setdefault(use.credential, use)
        if set(accepted) == set(given.per_s) or time.monotonic() >= deadline:
            return accepted
        if attacker.poll() is not None:
            raise FaultError(f"the attacker died; see {layout.ATTACK}/{_LOG}")
        time.sleep(_POLL_S)


def _require_all(here: Standing, given: Order, accepted: dict[str, Use]) -> None:
    refused = sorted(set(given.per_s) - set(accepted))
    if refused:
        last = {use.credential: use.told for use in read_lines(Path(given.uses), Use)}
        told = ", ".join(f"{name} ({last.get(name, 'never tried')})" for name in refused)
        here.stamp(MarkName.NO_EFFECT, f"leaked, yet never accepted: {told}")
        raise FaultError(f"leaked credentials that let nobody in: {told}")


def _effect(accepted: dict[str, Use]) -> Mark:
    """In with the first class at the earliest, in with every class at the latest."""
    earliest_ns = min(use.begun_ns for use in accepted.values())
    latest_ns = max(use.done_ns for use in accepted.values())
    note = f"an attacker was let in with {', '.join(sorted(accepted))}"
    return Mark(MarkName.FAULT_ACTIVE, earliest_ns, latest_ns, note)
