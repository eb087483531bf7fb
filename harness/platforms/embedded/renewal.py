"""What renewing any class of credentials needs: the new secrets, the former ones, who is to know.

A class is renewed in the order that costs least: the new secret is taken by the component that
checks it, then told to those who use it, and only then are sessions made with the old one ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from harness.platforms.embedded import application, credentials, ingress, parts, postgres, web
from harness.platforms.embedded.blueprint import Blueprint
from harness.platforms.embedded.credentials import ADMIN_LOGIN
from harness.platforms.embedded.layout import DATABASE_NODES, Layout
from harness.platforms.embedded.waiting import await_ready

ADMIN_UID = 2
CLIENTS_READ_S = 0.15  # customers' programs look at their files every tenth of a second
_REPLICA_S = 30.0
_JSON = {"Content-Type": "application/json", "User-Agent": "peakdrill-rotation"}
_DENIED = {"odoo.exceptions.AccessDenied", "odoo.http.SessionExpiredException"}


@dataclass(frozen=True, slots=True, repr=False)
class Renewal:
    """One renewal under way. `plan` holds the new secrets."""

    plan: Blueprint
    former: Mapping[str, tuple[str, ...]]  # by field of Secrets, oldest first
    held: int  # a descriptor that keeps the next renewal waiting

    def __repr__(self) -> str:
        return "Renewal(...)"

    @property
    def base(self) -> Layout:
        """Where the store, the doors and the partners stand, in every environment."""
        return Layout(self.plan.layout.root)

    def old(self, field: str) -> str:
        """The secret that was replaced, "" where there was none."""
        return self.former.get(field, ("",))[-1]

    def write_files(self) -> None:
        """To all who are pointed to a file; customers' programs know the first environment's."""
        credentials.write(self.plan.layout, self.plan.secrets)
        if self.plan.layout.environment:
            credentials.write_for_clients(self.base, self.plan.secrets)

    def tell_replicas(self) -> None:
        """Both replicas read it within a tenth of a second, and forget whom they had let in."""
        for node in DATABASE_NODES:
            application.configure(self.plan, node)
        application.partners_part(replace(self.plan, layout=self.base))

    def live_replicas(self) -> tuple[str, ...]:
        """Nodes whose replica is to be asked; a dead one reads its configuration when it starts."""
        alive = (n for n in DATABASE_NODES if not parts.node_of(self.plan.layout, n).is_dead())
        return tuple(alive)

    def await_replicas(self) -> None:
        for node in self.live_replicas():
            await_ready(
                f"the replica on node {node}, with the new secret,",
                partial(ingress.replica_serves, self.plan.ports, node),
                within_s=_REPLICA_S,
                next_step=f"see logs/{application.replica_name(node)}.log",
            )

    def await_password(
        self, new: str, old: str, lets_in: Callable[[int, str], bool | None]
    ) -> None:
        """Every live replica takes the one and refuses the other, in this way.

        A replica remembers for each way of its own whom it let in there.
        """
        for node in self.live_replicas():
            port = self.plan.ports[f"app_{node}"]

            def settled(port: int = port) -> bool:
                return lets_in(port, new) is True and (not old or lets_in(port, old) is False)

            await_ready(
                f"the replica on node {node}, with the new secret alone,",
                settled,
                within_s=_REPLICA_S,
                next_step=f"see logs/{application.replica_name(node)}.log",
            )


def pause_for_clients() -> None:
    """Nobody says when a customer's program has read its file: it is given the time it takes."""
    time.sleep(CLIENTS_READ_S)


def lets_in(port: int, password: str) -> bool | None:
    """Whether a replica takes the administrator's password or key; None when it cannot tell."""
    arguments = [postgres.DATABASE, ADMIN_UID, password, "res.users", "search_count", [[]]]
    told = _rpc(port, "/jsonrpc", service="object", method="execute_kw", args=arguments)
    return _accepted(told)


def lets_in_by_key(port: int, key: str) -> bool | None:
    """The same by a bearer's key: since version 19, and a way of its own."""
    answer = web.ask(
        port, "/json/2/res.users/search_count", method="POST", body=b'{"domain": []}',
        headers={**_JSON, "Authorization": f"Bearer {key}"}, timeout_s=5.0,
    )  # fmt: skip
    return None if answer is None else {200: True, 401: False}.get(answer.status)


def log_in(port: int, password: str) -> str | None:
    """The id of a new web session of the administrator; None when none was begun."""
    body = {"params": {"db": postgres.DATABASE, "login": ADMIN_LOGIN, "password": password}}
    answer = web.ask(
        port, "/web/session/authenticate", method="POST", body=json.dumps(body).encode(),
        headers=_JSON, timeout_s=5.0,
    )  # fmt: skip
    if answer is None or answer.status != 200:
        return None
    cookie = answer.header("set-cookie").partition("session_id=")[2].partition(";")[0]
    return cookie or None


def has_ended_session(port: int, session_id: str) -> bool:
    """Whether a replica refuses a web session, by its own word: silence is no refusal."""
    headers = {"Cookie": f"session_id={session_id}"}
    return _accepted(_rpc(port, "/web/session/check", headers)) is False


def _rpc(port: int, path: str, headers: dict[str, str] | None = None, **params: object) -> object:
    body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
    answer = web.ask(
        port, path, method="POST", body=json.dumps(body).encode(),
        headers={**_JSON, **(headers or {})}, timeout_s=5.0,
    )  # fmt: skip
    try:
        return answer.json() if answer is not None and answer.status == 200 else None
    except ValueError:
        return None


def _accepted(told: object) -> bool | None:
    if not isinstance(told, dict):
        return None
    if "error" not in told:
        return True
    error = told["error"]
    data = error.get("data") if isinstance(error, dict) else None
    name = data.get("name") if isinstance(data, dict) else None
    return False if name in _DENIED else None
