"""What a real server was asked and what it answered, and how two answers are compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.shop.translate import Learnable, learnables

# Values that must be the same and not only of the same type: states, quantities, money, digests.
STRICT = {
    "state", "picked", "amount_total", "amount_paid", "amount_residual", "payment_state",
    "invoice_status", "delivery_status", "product_uom_qty", "quantity", "reserved_quantity",
    "qty_done", "quantity_done", "reserved_availability", "qty_delivered", "qty_invoiced",
    "price_unit", "price_subtotal", "price_total", "qty_available", "list_price", "lst_price",
    "debit", "credit", "balance", "balance:sum", "amount_total:sum", "__count", "checksum",
    "store_fname", "file_size", "mimetype", "datas", "raw", "move_type", "usage", "type", "active",
    "client_order_ref", "ref", "uuid", "amount", "default_code", "account_id_count",
    "free_qty", "virtual_available", "status", "db_server_status", "server_version",
}  # fmt: skip


HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Case:
    """One request and the essence of its answer; `body` only where the whole is at hand."""

    name: str
    request: dict
    status: int
    kind: str  # html | text | json
    shape: object
    error: tuple[int | None, str] | None
    learnable: tuple[Learnable, ...]
    body: object = None

    @property
    def call(self) -> tuple[str, str]:
        """(model, method), or (path, "")."""
        return called(self.request)

    @property
    def needs_outage(self) -> bool:
        return ".pg_down" in self.name or self.name.endswith("_down")


def called(request: dict) -> tuple[str, str]:
    path, body = request["path"].partition("?")[0], request["body"]
    parts = path.strip("/").split("/")
    params = body.get("params") if isinstance(body, dict) else None
    if path == "/jsonrpc" and isinstance(params, dict) and params.get("service") == "object":
        if len(params.get("args", [])) > 4:
            return params["args"][3], params["args"][4]
    elif path.startswith(("/json/2/", "/web/dataset/call_kw/")) and len(parts) > 3:
        return parts[-2], parts[-1]
    return path, ""


def kind_of(body: object, headers: dict) -> str:
    if isinstance(body, str):
        if body.lstrip().startswith("<") or "html" in headers.get("content-type", ""):
            return "html" if body.lstrip().startswith("<") else "text"
        return "json" if "json" in headers.get("content-type", "") else "text"
    return "json"


def error_of(body: object, status: int) -> tuple[int | None, str] | None:
    if isinstance(body, dict):
        error = body.get("error")
        if isinstance(error, dict):
            return error.get("code"), (error.get("data") or {}).get("name", "")
        if status >= 400 and {"name", "message", "debug"} <= body.keys():
            return None, body["name"]
    return None


def result_of(body: object) -> object:
    return (
        body["result"]
        if isinstance(body, dict) and "jsonrpc" in body and "result" in body
        else body
    )


def hidden(value: object) -> bool:
    """The recorder put <what it was> in the place of ids of sessions, tokens and digests."""
    return isinstance(value, str) and value.startswith("<") and value.endswith(">")


def same_shape(expected: object, found: object) -> bool:
    """What is hidden fits everything; a list holds the same kinds of things."""
    if expected == HIDDEN:
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            same_shape(expected[key], found[key]) for key in expected
        )
    if isinstance(expected, list) and isinstance(found, list):
        return all(any(same_shape(e, f) for e in expected) for f in found) and all(
            any(same_shape(e, f) for f in found) for e in expected
        )
    return expected == found


def shape_of(value: object) -> object:
    """The JSON with its leaves replaced by their types, lists by what is in them."""
    if isinstance(value, dict):
        return {key: shape_of(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        shapes: list[object] = []
        for item in value:
            shape = shape_of(item)
            if shape not in shapes:
                shapes.append(shape)
        return shapes
    if hidden(value):
        return HIDDEN
    if value is None or value is False:
        return "null" if value is None else "false"
    return type(value).__name__


def from_transcript(line: str) -> Case:
    entry = json.loads(line)
    response = entry["response"]
    body = response["body"]
    kind = kind_of(body, response["headers"])
    error = error_of(body, response["status"])
    shape = None if kind != "json" or error else shape_of(result_of(body))
    known = [] if error or kind != "json" else learnables(called(entry["request"]), result_of(body))
    return Case(
        entry["name"], entry["request"], response["status"], kind, shape, error, tuple(known), body
    )


def load_transcript(path: Path) -> list[Case]:
    return [from_transcript(line) for line in path.read_text().splitlines() if line]


def differences(expected: object, got: object, where: str = "", key: str = "") -> list[str]:
    """Where two answers differ in type, in length, or in a value that must be the same."""
    if hidden(expected):
        return []
    if type(expected) is not type(got):
        return [f"{where or 'answer'}: {expected!r:.80} expected, {got!r:.80} found"]
    found: list[str] = []
    if isinstance(expected, dict):
        if expected.keys() != got.keys():
            missing = sorted(set(expected) - set(got))
            extra = sorted(set(got) - set(expected))
            found.append(f"{where}: without {missing}, with {extra}")
        for name in expected.keys() & got.keys():
            found += differences(expected[name], got[name], f"{where}.{name}", name)
    elif isinstance(expected, list):
        if len(expected) != len(got):
            found.append(f"{where}: {len(expected)} items expected, {len(got)} found")
        for number, (left, right) in enumerate(zip(expected, got, strict=False)):
            found += differences(left, right, f"{where}[{number}]")
    elif (key in STRICT or isinstance(expected, bool)) and expected != got:
        found.append(f"{where}: {expected!r:.80} expected, {got!r:.80} found")
    return found
