"""Ids of the recording in ids of the shop under test, learned from answers as they come."""

from __future__ import annotations

from collections import defaultdict

Learnable = tuple[str, int, list]

BY_KEY = {
    "partner_id": "res.partner", "product_id": "product.product", "user_id": "res.users",
    "picking_id": "stock.picking", "location_id": "stock.location", "account_id": "account.account",
    "payment_method_id": "pos.payment.method", "pos_order_id": "pos.order",
    "config_id": "pos.config", "backorder_id": "stock.picking", "session_id": "pos.session",
    "pos_session_id": "pos.session", "move_id": "account.move", "order_id": "sale.order",
    "button_validate_picking_ids": "stock.picking", "default_pick_ids": "stock.picking",
    "picking_ids": "stock.picking", "parent_id": "product.category",
    "current_session_id": "pos.session", "payment_method_ids": "pos.payment.method",
}  # fmt: skip
LINES = {
    ("sale.order", "order_line"): "sale.order.line",
    ("stock.picking", "move_ids"): "stock.move",
    ("stock.picking", "move_lines"): "stock.move",
    ("stock.picking", "backorder_ids"): "stock.picking",
    ("pos.order", "lines"): "pos.order.line",
    ("pos.order", "payment_ids"): "pos.payment",
    ("account.move", "line_ids"): "account.move.line",
    ("stock.move", "move_id"): "stock.move",
}
OF_ACTION = {"create_invoices": "account.move", "action_create_payments": "account.payment"}
NOT_RECORDS = {
    "search_count", "name_search", "fields_get", "read_group", "formatted_read_group",
}  # fmt: skip


class Ids:
    """One mapping a model. What is not known stays as it was sent."""

    def __init__(self) -> None:
        self._known: dict[str, dict[int, int]] = defaultdict(dict)

    def learn(self, model: str, recorded: int, actual: int) -> None:
        self._known[model][recorded] = actual

    def of(self, model: str, recorded: object) -> object:
        if isinstance(recorded, bool) or not isinstance(recorded, int):
            return recorded
        return self._known[model].get(recorded, recorded)

    def values(self, model: str, value: object, key: str = "") -> object:
        """Values, commands and domains of a request, with the ids of this shop."""
        if isinstance(value, dict):
            about = value.get("res_model") or value.get("active_model")
            return {
                name: self._named(about or model, name, item, about is not None)
                for name, item in value.items()
            }
        if isinstance(value, list):
            if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], str):
                target = model if value[0] == "id" else BY_KEY.get(value[0], "")
                if value[0] == "res_id":
                    target = "sale.order"
                return [value[0], value[1], self._each(target, value[2])]
            return [self.values(model, item, key) for item in value]
        return value

    def _named(self, model: str, name: str, item: object, about: bool) -> object:
        if about and name in ("res_id", "active_id", "active_ids"):
            return self._each(model, item)
        if name == "default_pick_ids":
            return [[command[0], self.of("stock.picking", command[1])] for command in item]
        target = LINES.get((model, name)) or BY_KEY.get(name, "")
        if isinstance(item, (int, list)) and target and not self._is_commands(item):
            return self._each(target, item)
        return self.values(model, item, name)

    @staticmethod
    def _is_commands(item: object) -> bool:
        return isinstance(item, list) and any(isinstance(part, list) for part in item)

    def _each(self, model: str, value: object) -> object:
        if isinstance(value, list):
            return [self.of(model, item) for item in value]
        return self.of(model, value)

    def learn_all(self, learnable: list[Learnable], actual: object) -> None:
        """Records stand at the same place in both answers."""
        for model, recorded, path in learnable:
            found = at(actual, path)
            if isinstance(found, int) and not isinstance(found, bool):
                self.learn(model, recorded, found)


def at(value: object, path: list[str | int]) -> object:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def learnables(call: tuple[str, str], result: object) -> list[Learnable]:
    """Which ids an answer tells: [model, recorded id, path to it]."""
    model, method = call
    found: list[Learnable] = []
    if method in NOT_RECORDS or "/" in model:
        return found
    if isinstance(result, dict):
        if isinstance(result.get("res_id"), int) and method in OF_ACTION:
            found.append((OF_ACTION[method], result["res_id"], ["res_id"]))
        for name, records in result.items():
            if isinstance(records, list) and name.startswith("pos."):
                found += _of_records(name, records, [name])
    elif isinstance(result, list):
        found += _of_records(model, result, [])
    elif method == "create" and isinstance(result, int) and not isinstance(result, bool):
        found.append((model, result, []))
    return found


def _of_records(model: str, records: list, path: list[str | int]) -> list[Learnable]:
    found: list[Learnable] = []
    for number, record in enumerate(records):
        here = [*path, number]
        if isinstance(record, int) and not isinstance(record, bool):
            found.append((model, record, here))
        elif isinstance(record, dict):
            if isinstance(record.get("id"), int):
                found.append((model, record["id"], [*here, "id"]))
            for name, value in record.items():
                target = LINES.get((model, name)) or BY_KEY.get(name)
                if target and isinstance(value, list):
                    found += _of_relation(target, value, [*here, name])
    return found


def _of_relation(target: str, value: list, path: list[str | int]) -> list[Learnable]:
    if len(value) == 2 and isinstance(value[1], str):
        return [(target, value[0], [*path, 0])]
    return [(target, item, [*path, n]) for n, item in enumerate(value) if isinstance(item, int)]
