"""The contract as a table: call, status, shape, error code and exception; no texts of messages.

    python -m tests.shop.contract --transcripts DIR     derives contract_table.json again

The table keeps what is needed to ask again: the requests, and where answers tell which ids.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.shop.cases import Case, load_transcript

TABLE = Path(__file__).with_name("contract_table.json")
VERSIONS = (14, 18, 19)
# The calls of the six workloads, and those that tell whether the shop is there.
MODELS = {
    "sale.order", "sale.order.line", "stock.picking", "stock.move", "stock.move.line",
    "stock.quant", "pos.order", "pos.session", "pos.config", "pos.payment", "ir.attachment",
    "account.move", "account.move.line", "stock.backorder.confirmation",
    "stock.immediate.transfer",
}  # fmt: skip
ROUTES = {"/jsonrpc", "/web/session/authenticate", "/web/health", "/web/login"}
PARTNERS = ("res.partner", "res.users")


def belongs(case: Case) -> bool:
    """Cases of the calls that workloads make, up and with the database down."""
    model = case.call[0]
    return model in MODELS or model in PARTNERS or model in ROUTES


def to_row(case: Case) -> dict[str, object]:
    row: dict[str, object] = {
        "case": case.name,
        "call": ".".join(part for part in case.call if part),
        "status": case.status,
        "kind": case.kind,
    }
    if case.error:
        row["code"], row["exception"] = case.error
    elif case.kind == "json":
        row["shape"] = case.shape
    row["learn"] = case.learnable
    row["request"] = case.request
    return row


def from_row(row: dict) -> Case:
    error = (row["code"], row["exception"]) if "exception" in row else None
    learn = tuple((model, record, path) for model, record, path in row["learn"])
    return Case(
        row["case"], row["request"], row["status"], row["kind"], row.get("shape"), error, learn
    )


def load_table() -> dict[int, list[Case]]:
    table = json.loads(TABLE.read_text())
    return {int(version): [from_row(row) for row in rows] for version, rows in table.items()}


def derive(transcripts: Path) -> None:
    table = {
        str(version): [
            to_row(case)
            for case in load_transcript(transcripts / f"{version}.jsonl")
            if belongs(case)
        ]
        for version in VERSIONS
    }
    lines = []
    for version, rows in table.items():
        body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        lines.append(f'"{version}":[\n{body}\n]')
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.shop.contract")
    parser.add_argument("--transcripts", type=Path, required=True)
    derive(parser.parse_args().transcripts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
