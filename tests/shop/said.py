"""What the load's own calls were answered by real servers: tests/load/odoo_said.json.

    python -m tests.shop.said --transcripts DIR     derives it again

Of an answer what a client acts on is kept: results, and of an error its name. No texts of
messages, no pages.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).parents[1] / "load" / "odoo_said.json"
VERSIONS = (14, 18, 19)
_CASES = (
    "health.jsonrpc_version.up", "auth.jsonrpc_authenticate.good",
    "auth.jsonrpc_authenticate.bad_password", "order.create", "order.create_same_ref",
    "order.confirm", "order.read_confirmed", "order.search_by_ref", "order.search_unknown_ref",
    "order.cancel", "market.order_create", "market.order_create_resent", "stock.action_assign",
    "fulfil.move_lines", "fulfil.set_qty_done", "fulfil.move_ids", "fulfil.set_picked",
    "fulfil.button_validate", "fulfil.validate_without_done", "pos.sync", "pos.sync_resent",
    "pos.read_by_uuid", "doc.create", "doc.read_meta", "doc.read_datas", "fin.invoice_create",
    "fin.invoice_post", "fin.read_group_account", "fin.formatted_read_group",
)  # fmt: skip
_OUTAGES = ".pg_down"
_KEPT_OF_A_SALE = ("id", "uuid", "pos_reference", "state")


def said(entry: Mapping) -> dict[str, object]:
    """One case: what was asked as (model, method, arguments, options), and the answer."""
    params = entry["request"]["body"]["params"]
    asked = params["args"][3:] if params["service"] == "object" else [params["method"]]
    response = entry["response"]
    return {"asked": asked, "status": response["status"], "body": _kept(response["body"])}


def _kept(body: object) -> object:
    if not isinstance(body, dict):
        return "<page>"
    if "error" in body:
        error = body["error"]
        name = (error.get("data") or {}).get("name")
        return {"jsonrpc": "2.0", "error": {"code": error.get("code"), "data": {"name": name}}}
    return {"jsonrpc": "2.0", "result": _sales(body.get("result"))}


def _sales(result: object) -> object:
    """A synced sale is answered with its whole record: a client looks at these alone."""
    if not isinstance(result, dict) or "pos.order" not in result:
        return result
    rows = [{name: row[name] for name in _KEPT_OF_A_SALE} for row in result["pos.order"]]
    return {"pos.order": rows}


def derive(transcripts: Path) -> str:
    versions = []
    for version in VERSIONS:
        lines = (transcripts / f"{version}.jsonl").read_text().splitlines()
        entries = {entry["name"]: entry for entry in map(json.loads, lines)}
        names = [n for n in entries if n in _CASES or (_OUTAGES in n and ".jsonrpc." in n)]
        cases = [f"{json.dumps(name)}:{_dense(said(entries[name]))}" for name in names]
        versions.append(f'"{version}":{{\n' + ",\n".join(cases) + "\n}")
    return "{\n" + ",\n".join(versions) + "\n}\n"


def _dense(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.shop.said")
    parser.add_argument("--transcripts", type=Path, required=True)
    FILE.write_text(derive(parser.parse_args().transcripts))
