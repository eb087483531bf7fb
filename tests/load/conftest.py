"""A stub application, a proxy that cuts it off, and the real generator, as child processes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from breaking_server import Server

from load.odoo import Odoo
from load.password import Password
from load.plan import Application

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RATES = {
    "order-capture": 10,
    "point-of-sale": 4,
    "stock-reservation": 2,
    "fulfilment": 2,
    "marketplace-integration": 3,
    "finance-reporting": 1,
}


def free_port() -> int:
    """A port below the ephemeral range would be safer still; the kernel's choice is good enough."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(*words: object, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=options.pop("stdout", subprocess.PIPE),
        text=True,
        cwd=ROOT,
        **options,
    )


@pytest.fixture
def until():
    """Wait for an observation, not for a time."""

    def wait(condition, within_s: float = 60.0):
        last = time.monotonic() + within_s
        while time.monotonic() < last:
            if value := condition():
                return value
            time.sleep(0.02)
        raise AssertionError("was not observed in time")

    return wait


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


@dataclass
class Load:
    """One load of the real generator."""

    directory: Path
    plan: dict
    process: subprocess.Popen | None = None
    output: Path = field(init=False)

    @property
    def plan_file(self) -> Path:
        return self.directory / "load" / "plan.json"

    @property
    def ledgers(self) -> Path:
        return self.directory / "ledger"

    def write(self) -> None:
        self.plan_file.parent.mkdir(parents=True, exist_ok=True)
        self.plan_file.write_text(json.dumps(self.plan))

    def prepare(self) -> None:
        self.write()
        subprocess.run(
            [sys.executable, "-m", "load.prepare", str(self.plan_file)],
            check=True, cwd=ROOT, timeout=60,
        )  # fmt: skip

    def start(self, *, begin_in_s: float = 3.0) -> None:
        self.plan["begin_ns"] = time.monotonic_ns() + int(begin_in_s * 1e9)
        self.write()
        workers = self.plan["workers"]
        words = ["-m", "locust", "-f", "load/locustfile.py", "--headless", "--only-summary"]
        words += ["--users", workers, "--spawn-rate", workers, "--loglevel", "WARNING"]
        if workers > 1:
            port = free_port()
            words += ["--processes", workers, "--master-bind-host", "127.0.0.1"]
            words += ["--master-bind-port", port, "--master-host", "127.0.0.1"]
            words += ["--master-port", port]
        self.output = self.directory / "load" / "output.txt"
        with self.output.open("w") as out:
            self.process = start(
                *words,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PEAKDRILL_LOAD": str(self.plan_file)},
                start_new_session=True,
            )

    def close(self, within_s: float = 30) -> None:
        """What the harness does at the end of a run: it closes the pipe, and waits."""
        assert self.process is not None
        self.process.stdin.close()
        self.process.wait(within_s)

    def status(self, worker: int = 0) -> dict:
        return json.loads((self.directory / "load" / f"worker-{worker}.json").read_text())


@pytest.fixture
def stub(tmp_path):
    """(port, log of answers, process)."""
    port, log = free_port(), tmp_path / "answers.log"
    process = start(HERE / "stub_application.py", port, log)
    assert process.stdout.readline() == "ready\n"
    yield port, log, process
    end(process)


@pytest.fixture
def make_load(tmp_path):
    """Loads against a port of this machine; what is left of them is ended."""
    made = []

    def make(port: int, *, workers: int = 1, rates=RATES, canary_per_s: float = 10, **more) -> Load:
        directory = tmp_path / f"run{len(made)}"
        secret = tmp_path / "password"
        secret.write_text("admin\n")
        plan = {
            "run_id": f"t{len(made)}",
            "seed": 7,
            "begin_ns": 0,
            "max_s": 60,
            "workers": workers,
            "peak": 2.0,
            "shape": {"name": "steady", "points": [[0, 1.0]]},
            "workloads": {
                name: {
                    "rate_per_s": rate,
                    "canary_per_s": canary_per_s,
                    "latency_limit_s": 2.0,
                    "revenue_cents": 4800,
                }
                for name, rate in rates.items()
            },
            "application": {
                "url": f"http://127.0.0.1:{port}",
                "database": "shop",
                "login": "admin",
                "password_file": str(secret),
                "kind": "shop",
                "version": 19,
                "timeout_s": 5.0,
            },
            "queue": None,
            "ledger_dir": str(directory / "ledger"),
            "status_dir": str(directory / "load"),
        }
        load = Load(directory, plan | more)
        made.append(load)
        return load

    yield make
    for load in made:
        if load.process is not None:
            end(load.process)


@pytest.fixture
def proxy(stub, tmp_path):
    """A function that says `cut` or `mend` to a proxy before the stub, and its port."""
    port, log = free_port(), tmp_path / "edges.log"
    process = start(HERE / "cutting_proxy.py", port, stub[0], log)
    assert process.stdout.readline() == "ready\n"

    def say(command: str) -> tuple[int, int]:
        """The edge: (ns before it was made, ns after)."""
        process.stdin.write(command + "\n")
        process.stdin.flush()
        edge, before_ns, after_ns = process.stdout.readline().split()
        assert edge == command
        return int(before_ns), int(after_ns)

    yield port, say
    end(process)


@pytest.fixture
def serve():
    servers = []

    def make(*ways) -> Server:
        servers.append(Server(*ways))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def client():
    clients = []

    def make(port: int, *, timeout_s: float = 20.0) -> Odoo:
        where = Application(
            f"http://127.0.0.1:{port}", "shop", "admin", Path("none"), 19, timeout_s
        )
        clients.append(Odoo(where, Password("secret"), uid=2))
        return clients[-1]

    yield make
    for made in clients:
        made.close()
