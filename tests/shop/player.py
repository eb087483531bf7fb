"""Plays cases against a shop over a real PostgreSQL, and compares what comes back."""

from __future__ import annotations

import copy
import json
import secrets
from dataclasses import dataclass
from urllib.parse import quote

from tests.shop.cases import (
    Case,
    called,
    differences,
    error_of,
    kind_of,
    result_of,
    same_shape,
    shape_of,
)
from tests.shop.interference import conflicts, kill_idle, kill_waiting
from tests.shop.recording import off_the_record, prepare
from tests.shop.stand import JSON, Answer, Postgres, Shop, send


@dataclass(frozen=True, slots=True)
class Outcome:
    case: Case
    problems: tuple[str, ...]


class Player:
    """Cases in their recorded order; the database goes down and up where they say so."""

    def __init__(self, server: Postgres, shop: Shop, recorded_database: str) -> None:
        self.server, self.shop = server, shop
        self._recorded_database = recorded_database
        self._ids = prepare(server, shop)
        self._sessions: dict[str, str] = {}
        self._destroyed = ""
        self._is_up = True

    def play(self, case: Case) -> Outcome:
        self._database(up=not case.needs_outage)
        if self._is_up:
            off_the_record(self.shop, self._ids, case)
        request = self._translated(case)
        answer = self._disturbed(case, request)
        body = _decoded(answer)
        kind = kind_of(body, {"content-type": answer.headers.get("content-type", "")})
        problems = compare(case, answer.status, kind, body)
        if not problems and kind == "json":
            self._ids.learn_all(list(case.learnable), result_of(body))
        self._remember_session(case, answer)
        return Outcome(case, tuple(problems))

    def finish(self) -> None:
        self._database(up=True)

    def _database(self, *, up: bool) -> None:
        if up and not self._is_up:
            self.server.start()
        elif not up and self._is_up:
            self.server.stop()
        self._is_up = up

    def _disturbed(self, case: Case, request: dict) -> Answer:
        """Send it, with what the recorder did to the database at that moment."""
        send_it = lambda: self._send(request)  # noqa: E731
        database = self.shop.config["database"]
        if "backend_terminated_midway" in case.name:
            return kill_waiting(self.server, database, 900, send_it)
        if "idle_backends_terminated.0" in case.name:
            kill_idle(self.server, database)
        if "serialization_one_conflict" in case.name:
            return conflicts(self.server, database, 900, send_it, times=1)
        if "serialization_exhausted" in case.name:
            return conflicts(self.server, database, 900, send_it, times=None)
        return send_it()

    def _send(self, request: dict) -> Answer:
        body = request["body"]
        raw = body.encode() if isinstance(body, str) else None
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
        url = self.shop.url + quote(request["path"], safe="/?=&%")
        return send(url, request["method"], request["headers"], raw)

    def _translated(self, case: Case) -> dict:
        """The request with our ids, database, key and cookie."""
        request = copy.deepcopy(case.request)
        model, _ = called(request)
        request["path"] = self._path(request["path"])
        request["headers"] = self._headers(case, request["headers"])
        body = request["body"]
        if isinstance(body, (dict, list)):
            body = self._sessions_of_tills(case, self._databases(body))
            params = body.get("params") if isinstance(body, dict) else None
            if isinstance(params, dict) and params.get("service") == "object":
                self._arguments(model, params)
            elif isinstance(params, dict) and "model" in params:
                params["args"] = self._positional(model, params["method"], params["args"])
                params["kwargs"] = self._ids.values(model, params["kwargs"])
            elif isinstance(body, dict) and "params" not in body:
                body = self._named(model, body)
            request["body"] = body
        return request

    def _arguments(self, model: str, params: dict) -> None:
        arguments = params["args"]
        if len(arguments) > 5:
            arguments[1] = self._ids.of("res.users", arguments[1])
            arguments[5] = self._positional(model, arguments[4], arguments[5])
        if len(arguments) > 6:
            arguments[6] = self._ids.values(model, arguments[6])

    def _positional(self, model: str, method: str, arguments: list) -> list:
        """A first argument of ids is a record's; all others are values or domains."""
        if method in ("create", "search", "search_read", "search_count", "fields_get",
                      "name_search", "sync_from_ui", "create_from_ui", "read_group",
                      "formatted_read_group"):  # fmt: skip
            return [self._ids.values(model, item) for item in arguments]
        first = [
            [self._ids.of(model, record) for record in item] if isinstance(item, list) else item
            for item in arguments[:1]
        ]
        return [*first, *(self._ids.values(model, item) for item in arguments[1:])]

    def _named(self, model: str, body: dict) -> dict:
        named = self._ids.values(model, {k: v for k, v in body.items() if k != "ids"})
        if "ids" in body:
            named["ids"] = [self._ids.of(model, record) for record in body["ids"]]
        return named

    def _path(self, path: str) -> str:
        path = path.replace(self._recorded_database, self.shop.config["database"])
        if path.startswith("/web/content/"):
            number, _, rest = path.removeprefix("/web/content/").partition("?")
            return f"/web/content/{self._ids.of('ir.attachment', int(number))}?{rest}"
        return path

    def _headers(self, case: Case, headers: dict) -> dict:
        made = {}
        for name, value in headers.items():
            mine = value.replace(self._recorded_database, self.shop.config["database"])
            if name == "authorization" and value == "bearer KEY":
                mine = f"bearer {self.shop.config['api_key']}"
            if name == "cookie":
                mine = f"session_id={self._cookie(case)}"
            made[name] = mine
        return made

    def _databases(self, body: object) -> object:
        text = json.dumps(body)
        return json.loads(
            text.replace(f'"{self._recorded_database}"', f'"{self.shop.config["database"]}"')
        )

    def _sessions_of_tills(self, case: Case, body: object) -> object:
        """The recording hides ids of sessions; a till's payment method tells which it is."""

        def fill(value: object) -> object:
            if isinstance(value, list):
                return [fill(item) for item in value]
            if not isinstance(value, dict):
                return value
            filled = {key: fill(item) for key, item in value.items()}
            if filled.get("session_id") == "<session_id>":
                method = self._ids.of(
                    "pos.payment.method", filled["payment_ids"][0][2]["payment_method_id"]
                )
                filled["session_id"] = 999999 if "bad_session" in case.name else method
            return filled

        return fill(body)

    def _cookie(self, case: Case) -> str:
        """Which of the recorder's sessions a masked cookie was."""
        if "unknown_session" in case.name:
            return secrets.token_hex(16)
        if "after_destroy" in case.name:
            return self._destroyed
        which = "main"
        if "outage_session" in case.name:
            _, group, role = case.name.split(".")
            which = f"{group}.{role[0]}"
        if which not in self._sessions and self._is_up:
            self._sessions[which] = self._log_in()
        return self._sessions.get(which, "none")

    def _log_in(self) -> str:
        body = {"jsonrpc": "2.0", "id": 1, "params": {"db": self.shop.config["database"],
                "login": "admin", "password": self.shop.config["admin_password"]}}  # fmt: skip
        answer = send(
            f"{self.shop.url}/web/session/authenticate", "POST", JSON, json.dumps(body).encode()
        )
        return session_of(answer)

    def _remember_session(self, case: Case, answer: Answer) -> None:
        if case.name.startswith("auth.session_authenticate.good") and session_of(answer):
            self._sessions["main"] = session_of(answer)
        if case.name == "auth.session_destroy":
            self._destroyed = self._sessions.pop("main", "")


def session_of(answer: Answer) -> str:
    cookie = answer.headers.get("set-cookie", "")
    return cookie.partition("session_id=")[2].partition(";")[0]


def _decoded(answer: Answer) -> object:
    text = answer.body.decode(errors="replace")
    if "json" not in answer.headers.get("content-type", ""):
        return text
    return json.loads(text) if text else ""


def compare(case: Case, status: int, kind: str, body: object) -> list[str]:
    """A page by its status; everything else by status, error, shape and what must be equal."""
    if status != case.status:
        return [f"status {case.status} expected, {status} found: {str(body)[:200]}"]
    if case.kind != kind:
        return [f"{case.kind} expected, {kind} found"]
    if case.kind != "json":
        return []
    error = error_of(body, status)
    if error != case.error:
        return [f"error {case.error} expected, {error} found: {str(body)[:300]}"]
    if error is not None:
        return []
    if case.body is None:
        found = shape_of(result_of(body))
        return (
            [] if same_shape(case.shape, found) else [f"shape {case.shape} expected, {found} found"]
        )
    return differences(result_of(case.body), result_of(body))
