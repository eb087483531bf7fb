"""Which calls are lied about, and what becomes of them. Pure: bytes in, a decision out.

Each defect is planted once, at a call that its seed chooses, on a record that nothing else was done
to. The lost tail is the exception: once it has begun, no invoice is written any more.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.json_text import parsed

type_call = dict[str, Any]
_NO_SUCH_ID = 2_000_000_000  # ids of what was acknowledged and never written begin here
_SKIPPED_MAX = 12  # calls of a kind that a seed may pass over before it plants

SAID: dict[str, str] = {
    "one-lost-write": "one order among many: acknowledged, and never written",
    "lost-tail": "every invoice from an instant on: acknowledged, and never written",
    "acknowledged-before-commit": "a confirmation, acknowledged before a commit that never came",
    "duplicate": "an order that was executed twice",
    "altered-line": "an order whose first line holds one piece more than was ordered",
    "truncated-document": "half of a document's bytes",
    "double-payment": "a sale at a till that was paid twice",
    "lost-reservation": "a reservation, acknowledged, whose goods were let go again",
    "resurrected-order": "a cancellation, acknowledged; the order is still there",
    "ghost": "an order that was refused, and is there all the same",
    "stale-read": "an acknowledged order that a later read did not show",
}
REPORTED_AS: dict[str, str] = {
    "one-lost-write": "lost",
    "lost-tail": "lost",
    "acknowledged-before-commit": "lost",
    "duplicate": "duplicate",
    "altered-line": "altered",
    "truncated-document": "altered",
    "double-payment": "partial",
    "lost-reservation": "lost",
    "resurrected-order": "resurrected",
    "ghost": "ghost",
    "stale-read": "stale",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One execute_kw of the load."""

    number: object  # JSON-RPC's id
    model: str
    method: str
    args: list[Any]
    body: type_call

    @property
    def values(self) -> type_call:
        """Of a `create`, what is to be written; {} for everything else."""
        first = self.args[0] if self.args else None
        return first if self.method == "create" and isinstance(first, dict) else {}

    def with_args(self, args: list[Any]) -> bytes:
        """The same call with other arguments."""
        body = copy.deepcopy(self.body)
        body["params"]["args"][5] = args
        return json.dumps(body).encode()

    def calling(self, model: str, method: str, args: list[Any]) -> bytes:
        """Another call, as the same user."""
        body = copy.deepcopy(self.body)
        body["params"]["args"][3:] = [model, method, args, {}]
        return json.dumps(body).encode()

    def answered(self, result: object) -> bytes:
        return json.dumps({"jsonrpc": "2.0", "id": self.number, "result": result}).encode()

    def refused(self, why: str) -> bytes:
        data = {"name": "odoo.exceptions.UserError", "message": why, "arguments": [why]}
        error = {"code": 200, "message": "Odoo Server Error", "data": data}
        return json.dumps({"jsonrpc": "2.0", "id": self.number, "error": error}).encode()


def request_of(content: bytes) -> Request | None:
    """None for what is no execute_kw: it is passed on as it is."""
    try:
        body = parsed(content)
        args = body["params"]["args"]
        if body["params"]["method"] != "execute_kw":
            return None
        return Request(body.get("id"), str(args[3]), str(args[4]), list(args[5]), body)
    except (ValueError, KeyError, IndexError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Lie:
    """What becomes of one call. The application's own answer is given where `answer` is None."""

    forward: tuple[bytes, ...]  # sent to the application one after another; () for nothing
    answer: bytes | None = None


@dataclass
class Lies:
    """What has been planted, and what is known of the records that the load works on."""

    seed: int
    prefix: str  # pd-<run>-
    wanted: tuple[str, ...] = tuple(SAID)
    told: list[tuple[str, str]] = field(default_factory=list)  # (defect, key)
    tail: bool = False
    _skip: dict[str, int] = field(default_factory=dict)
    _key_of_order: dict[int, str] = field(default_factory=dict)
    _key_of_picking: dict[int, str] = field(default_factory=dict)
    _next_id: int = _NO_SUCH_ID

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        self._skip = {defect: rng.randrange(2, _SKIPPED_MAX) for defect in SAID}

    @property
    def keys(self) -> set[str]:
        return {key for _, key in self.told}

    def decide(self, request: Request) -> Lie | None:
        """None: an honest call."""
        if _mentions(request.args, self._next_id):
            return Lie((), request.refused("there is no such record"))
        planter = _PLANTERS.get((request.model, request.method))
        return planter(self, request) if planter else None

    def heard(self, request: Request, answer: bytes) -> None:
        """What the application answered: whose order has which id, and which transfers."""
        try:
            result = parsed(answer)["result"]
        except (ValueError, KeyError, TypeError):
            return
        if (request.model, request.method) == ("sale.order", "create"):
            found = result[0] if isinstance(result, list) and result else result
            if isinstance(found, int):
                self._key_of_order[found] = str(request.values.get("client_order_ref", ""))
        elif (request.model, request.method) == ("sale.order", "read") and result:
            key = self._key_of_order.get(_first_id(request.args), "")
            for picking in result[0].get("picking_ids", ()):
                self._key_of_picking[int(picking)] = key

    def new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def order_of(self, request: Request) -> str:
        return self._key_of_order.get(_first_id(request.args), "")

    def transfer_of(self, request: Request) -> str:
        return self._key_of_picking.get(_first_id(request.args), "")

    def plants(self, defect: str, key: str) -> bool:
        """Whether this call is the one: a record of this run, which nothing was done to yet."""
        if defect not in self.wanted or not key.startswith(self.prefix) or key in self.keys:
            return False
        if any(name == defect for name, _ in self.told):
            return False
        self._skip[defect] -= 1
        if self._skip[defect] >= 0:
            return False
        self.told.append((defect, key))
        return True


def _mentions(args: object, since: int) -> bool:
    """An id that was given out for something that was never written."""
    if isinstance(args, bool):
        return False
    if isinstance(args, int):
        return _NO_SUCH_ID < args <= since
    if isinstance(args, list):
        return any(_mentions(item, since) for item in args)
    if isinstance(args, dict):
        return any(_mentions(item, since) for item in args.values())
    return False


def _first_id(args: list[Any]) -> int:
    ids = args[0] if args else []
    found = ids[0] if isinstance(ids, list) and ids else 0
    return found if isinstance(found, int) else 0


def _order(lies: Lies, request: Request) -> Lie | None:
    values, body = request.values, json.dumps(request.body).encode()
    key = str(values.get("client_order_ref", ""))
    if lies.plants("one-lost-write", key):
        return Lie((), request.answered(lies.new_id()))
    if lies.plants("duplicate", key):
        return Lie((body, body))
    if lies.plants("ghost", key):
        return Lie((body,), request.refused("the order was not taken"))
    if lies.plants("altered-line", key):
        altered = copy.deepcopy(request.args)
        altered[0]["order_line"][0][2]["product_uom_qty"] += 1
        return Lie((request.with_args(altered),))
    return None


def _confirmation(lies: Lies, request: Request) -> Lie | None:
    if lies.plants("acknowledged-before-commit", lies.order_of(request)):
        return Lie((), request.answered(True))
    return None


def _cancellation(lies: Lies, request: Request) -> Lie | None:
    lies._skip["resurrected-order"] = 0  # noqa: SLF001  they are rare: the first one will do
    if lies.plants("resurrected-order", lies.order_of(request)):
        return Lie((), request.answered(True))
    return None


def _document(lies: Lies, request: Request) -> Lie | None:
    values = request.values
    if lies.plants("truncated-document", str(values.get("name", ""))):
        text = str(values["datas"])
        half = {**values, "datas": text[: len(text) // 8 * 4]}  # whole groups of base64
        return Lie((request.with_args([half, *request.args[1:]]),))
    return None


def _sale(lies: Lies, request: Request) -> Lie | None:
    sale = request.args[0][0]
    data = sale.get("data", sale)
    key = str(data.get("pos_reference") or data.get("name", ""))
    if not lies.plants("double-payment", key):
        return None
    paid = copy.deepcopy(request.args)
    target = paid[0][0].get("data", paid[0][0])
    name = "payment_ids" if "payment_ids" in target else "statement_ids"
    again = copy.deepcopy(target[name][0])
    if "uuid" in again[2]:
        again[2]["uuid"] = again[2]["uuid"][:-4] + "0bad"
    target[name].append(again)
    return Lie((request.with_args(paid),))


def _reservation(lies: Lies, request: Request) -> Lie | None:
    if not lies.plants("lost-reservation", lies.transfer_of(request)):
        return None
    let_go = request.calling("stock.picking", "do_unreserve", request.args)
    return Lie((json.dumps(request.body).encode(), let_go), request.answered(True))


def _invoice(lies: Lies, request: Request) -> Lie | None:
    key = str(request.values.get("ref", ""))
    if not lies.tail or "lost-tail" not in lies.wanted or not key.startswith(lies.prefix):
        return None
    lies.told.append(("lost-tail", key))
    return Lie((), request.answered(lies.new_id()))


def _read(lies: Lies, request: Request) -> Lie | None:
    domain = request.args[0] if request.args else []
    asked = [term[2] for term in domain if isinstance(term, list) and term[0] == "client_order_ref"]
    lies._skip["stale-read"] = 0  # noqa: SLF001  they are rare, too
    if len(asked) == 1 and lies.plants("stale-read", str(asked[0])):
        return Lie((), request.answered([]))
    return None


_PLANTERS: dict[tuple[str, str], Callable[[Lies, Request], Lie | None]] = {
    ("sale.order", "create"): _order,
    ("sale.order", "action_confirm"): _confirmation,
    ("sale.order", "action_cancel"): _cancellation,
    ("sale.order", "search_read"): _read,
    ("ir.attachment", "create"): _document,
    ("pos.order", "sync_from_ui"): _sale,
    ("pos.order", "create_from_ui"): _sale,
    ("stock.picking", "action_assign"): _reservation,
    ("account.move", "create"): _invoice,
}
