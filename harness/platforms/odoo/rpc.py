"""One JSON-RPC call to an Odoo, and how sure its answer is: HTTP 200 proves nothing."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from http.client import HTTPException
from typing import Any

from harness.inputs.odoo_file import OdooOptions
from harness.json_text import parsed

_BODY_BYTES = 1 << 20


class How(Enum):
    """How a call ended."""

    ANSWERED = auto()
    FAILED = auto()  # refused, broken, an error by name: it does not serve
    SILENT = auto()  # nothing within the time: it may be busy, or hang


@dataclass(frozen=True, slots=True)
class Told:
    """An answer. `why` is "" when it answered, and holds no secret."""

    how: How
    result: Any = None
    why: str = ""

    @property
    def answered(self) -> bool:
        return self.how is How.ANSWERED


def version(options: OdooOptions, *, timeout_s: float) -> Told:
    return _call(options, "common", "version", [], timeout_s)


def authenticate(options: OdooOptions, *, timeout_s: float) -> Told:
    """The uid, or False for a wrong login or password. The database has a part in it."""
    args = [options.database, options.login, _password(options), {}]
    return _call(options, "common", "authenticate", args, timeout_s)


def execute(
    options: OdooOptions, uid: int, model: str, method: str, *args: object, timeout_s: float
) -> Told:
    """`model.method(*args)` as `uid`."""
    call = [options.database, uid, _password(options), model, method, list(args)]
    return _call(options, "object", "execute_kw", call, timeout_s)


def status_of(url: str, *, timeout_s: float) -> int:
    """The HTTP status of a GET, 0 where there was no answer."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310  http(s), checked
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return int(error.code)
    except (OSError, HTTPException):
        return 0


def _password(options: OdooOptions) -> str:
    return options.password_file.read_text(encoding="utf-8").strip()


def _call(
    options: OdooOptions, service: str, method: str, args: Sequence[object], timeout_s: float
) -> Told:
    params = {"service": service, "method": method, "args": args}
    body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})
    request = urllib.request.Request(  # noqa: S310  http(s), checked
        f"{options.url}/jsonrpc", body.encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            return _read(answer.read(_BODY_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        return Told(How.FAILED, why=f"HTTP {error.code}")
    except TimeoutError:
        return _silent(timeout_s)
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            return _silent(timeout_s)
        return Told(How.FAILED, why=_named(error.reason))
    except (OSError, HTTPException) as error:
        return Told(How.FAILED, why=_named(error))


def _read(body: bytes) -> Told:
    try:
        said = parsed(body)
    except ValueError:
        return Told(How.FAILED, why="an answer that is no JSON")
    if not isinstance(said, dict) or said.get("jsonrpc") != "2.0":
        return Told(How.FAILED, why="an answer that is no JSON-RPC")
    if "error" in said:
        data = said["error"].get("data") if isinstance(said["error"], dict) else None
        name = data.get("name") if isinstance(data, dict) else None
        return Told(How.FAILED, why=str(name or "an error without a name")[:100])
    return Told(How.ANSWERED, said.get("result"))


def _silent(timeout_s: float) -> Told:
    return Told(How.SILENT, why=f"no answer within {timeout_s:g} s")


def _named(error: object) -> str:
    """An OSError in the system's words; of anything else its kind alone."""
    return (getattr(error, "strerror", None) or type(error).__name__) if error else "no answer"
