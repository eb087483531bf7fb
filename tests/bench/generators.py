"""Load generators against one server, each in a process of its own; prints what it did as JSON.

    python -m tests.bench.generators ours|http|fast PORT FOLDER SECONDS [RATE] [TIMEOUT]

`ours` is the load worker's own session: open loop at RATE a second, ledger on. `http` and `fast` are
Locust's two users, in a closed loop as Locust has it. Cost is this process's own CPU time, from the
first request to the last; Locust's statistics are asked for what they say of latency.
"""

from __future__ import annotations

import gevent.monkey

gevent.monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

USERS = 20
ORDER = {
    "partner_id": 7,
    "client_order_ref": "pd-bench-0-1",
    "order_line": [[0, 0, {"product_id": 3}]],
}
BODY = {
    "jsonrpc": "2.0", "method": "call", "id": 1,
    "params": {"service": "object", "method": "execute_kw",
               "args": ["shop", 2, "secret", "sale.order", "create", [ORDER], {}]},
}  # fmt: skip


def ours(
    port: int, folder: Path, for_s: float, rate_per_s: float, timeout_s: float
) -> dict[str, Any]:
    """One arrival is one call: the canary's, which is the smallest real operation."""
    import locust  # noqa: F401  as in a load worker: it patches, and it is in the process

    from load.plan import LoadPlan
    from load.session import Session

    folder.mkdir(parents=True, exist_ok=True)
    plan_file = folder / "plan.json"
    plan_file.write_text(json.dumps(_plan(port, folder, for_s, rate_per_s, timeout_s)))
    (folder / "catalogue.json").write_text(json.dumps(_CATALOGUE))
    plan = LoadPlan.read(plan_file)
    session = Session(plan, 0)
    session.start()
    gevent.sleep(max(0.0, (plan.begin_ns - time.monotonic_ns()) / 1e9))
    begun_s = time.process_time()  # until its ledger is closed: as theirs, without the start
    session.wait()
    used_s = time.process_time() - begun_s
    status = json.loads((folder / "worker-0.json").read_text())
    return {"requests": status["calls"], "cpu_s": used_s, "lag": status["lag"],
            "troubles": status["troubles"], "begin_ns": plan.begin_ns}  # fmt: skip


_CATALOGUE = {
    "uid": 2, "products": [3], "partners": [7], "canary_product": 3, "canary_partner": 7,
    "canary_journal": 9, "pricelist": None, "sessions": [{"session_id": 1, "payment_method_id": 1}],
    "canary_session": {"session_id": 1, "payment_method_id": 1}, "transfers": [],
}  # fmt: skip


def _plan(
    port: int, folder: Path, for_s: float, rate_per_s: float, timeout_s: float
) -> dict[str, Any]:
    secret = folder / "password"
    secret.write_text("secret\n")
    return {
        "run_id": "bench", "seed": 7, "begin_ns": time.monotonic_ns() + 500_000_000, "max_s": for_s,
        "workers": 1, "peak": 1.0, "shape": {"name": "steady", "points": [[0, 1.0]]},
        "workloads": {
            "order-capture": {
                "rate_per_s": 0.0, "canary_per_s": rate_per_s, "latency_limit_s": 2.0,
                "revenue_cents": 4800,
            },
        },
        "application": {
            "url": f"http://127.0.0.1:{port}", "database": "shop", "login": "admin",
            "password_file": str(secret), "kind": "shop", "version": 19, "timeout_s": timeout_s,
            "canary_limit_s": timeout_s,
        },
        "queue": None, "ledger_dir": str(folder / "ledger"), "status_dir": str(folder),
    }  # fmt: skip


def locusts(kind: str, port: int, for_s: float) -> dict[str, Any]:
    """Locust's own users, twenty of them, each asking again when it was answered."""
    from locust import FastHttpUser, HttpUser, constant, task
    from locust.env import Environment

    base: Any = FastHttpUser if kind == "fast" else HttpUser

    class Customer(base):  # type: ignore[misc]
        host = f"http://127.0.0.1:{port}"
        wait_time = constant(0)

        @task
        def order(self) -> None:
            with self.client.post("/jsonrpc", json=BODY, catch_response=True) as answer:
                if answer.json()["result"] != 7:
                    answer.failure("another answer")

    environment = Environment(user_classes=[Customer])
    runner = environment.create_local_runner()
    runner.start(USERS, spawn_rate=USERS)
    gevent.sleep(0.7)
    stats = environment.stats.total
    before, begun_s = stats.num_requests, time.process_time()
    gevent.sleep(for_s)
    asked, used_s = stats.num_requests - before, time.process_time() - begun_s
    told = {"p99_ms": stats.get_response_time_percentile(0.99), "failures": stats.num_failures}
    runner.quit()
    return {"requests": asked, "cpu_s": used_s, **told}


def main() -> None:
    kind, port, folder, for_s = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
    rate_per_s = float(sys.argv[5]) if len(sys.argv) > 5 else 1000.0
    timeout_s = float(sys.argv[6]) if len(sys.argv) > 6 else 5.0
    if kind == "ours":
        told = ours(port, folder, for_s, rate_per_s, timeout_s)
    else:
        told = locusts(kind, port, for_s)
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
