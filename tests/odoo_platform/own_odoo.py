"""Somebody's own Odoo: a shop and a PostgreSQL that peakdrill did not start, and a platform.yaml.

Two shell commands stop and start its database; a test may add to what they do.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[2]
SECRET, READER = "own-odoo-secret", "reader-secret"
LIMIT_S = 300

TARGETS = """
workloads:
  order-capture: {tier: critical, owner: commerce, rto_s: 50, rpo_s: 0, latency_limit_s: 5,
    rate_per_s: 4, canary_per_s: 2, revenue_per_operation: 48.00}
  point-of-sale: {tier: critical, owner: stores, rto_s: 50, rpo_s: 0, latency_limit_s: 5,
    rate_per_s: 2, canary_per_s: 2}
  finance-reporting: {tier: medium, owner: finance, rto_s: 50, rpo_s: 0, latency_limit_s: 5,
    rate_per_s: 2, canary_per_s: 2}
"""
SCENARIO = '''"""The database stops and comes back."""

from harness import Scenario, automatic, checks, experiment, load

scenario = Scenario(
    name="database-outage",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("command", command="database-stop", hold_s="4"),
    recovery=automatic(within_s=60),
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"application", "database.read", "faults.command"},
)
'''


def load_stand():
    """By its path: `shop` is the package here, not the tests' folder."""
    file = ROOT / "tests" / "shop" / "stand.py"
    spec = importlib.util.spec_from_file_location("own_odoo_stand", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class OwnOdoo:
    """One that runs, and the files of whoever looks after it."""

    folder: Path
    server: object  # tests/shop/stand.py's Postgres
    shop: object  # its Shop
    home: Path
    said: dict[str, object] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.folder / "platform.yaml"

    @property
    def stop(self) -> str:
        return self._pg_ctl("-m", "immediate", "stop")

    @property
    def start(self) -> str:
        options = f"-p {self.server.port} -k '' -c listen_addresses=127.0.0.1"
        return self._pg_ctl("-l", str(self.folder / "pg" / "log"), "-o", options, "start")

    def _pg_ctl(self, *words: str) -> str:
        stand = sys.modules["own_odoo_stand"]
        data = str(self.folder / "pg" / "data")
        pg_ctl = str(stand._binaries() / "pg_ctl")
        return shlex.join([*stand._as_nobody(), pg_ctl, "-D", data, "-w", *words])

    def write(self, **more: object) -> Path:
        """platform.yaml, and the files that it names. JSON is YAML."""
        (self.folder / "password").write_text(SECRET + "\n")
        passfile = self.folder / "reader.pgpass"
        passfile.write_text(f"127.0.0.1:*:*:shop:{READER}\n")
        passfile.chmod(0o600)
        said = {
            "kind": "odoo",
            "url": self.shop.url,
            "database": "own",
            "login": "admin",
            "password_file": "password",
            "dsn": f"{self.server.dsn('own')} passfile=reader.pgpass",
            "filestore": str(self.shop.config["filestore"]),
            "disposable": True,
            "faults": {"database-stop": {"begin": self.stop, "end": self.start}},
            **more,
        }
        self.file.write_text(json.dumps({k: v for k, v in said.items() if v is not None}))
        (self.folder / "targets.yaml").write_text(TARGETS)
        (self.folder / "outage.py").write_text(SCENARIO)
        return self.file

    def connect(self) -> psycopg.Connection:
        return self.server.connect("own")

    def command(self, *words: str) -> subprocess.Popen[str]:
        """The command line as a user runs it, in a session of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "harness.cli", *words],
            cwd=ROOT,
            env=os.environ | {"PEAKDRILL_HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def peakdrill(self, *words: str) -> tuple[int, str, str]:
        child = self.command(*words)
        try:
            out, err = child.communicate(timeout=LIMIT_S)
        finally:
            child.kill()
        return child.returncode, out, err

    def run_words(self, *more: str) -> list[str]:
        return [
            "run", str(self.folder / "outage.py"), "--platform", str(self.file), "--targets",
            str(self.folder / "targets.yaml"), "--size", "smoke", "--json", "--seed", "7",
            "--out", str(self.folder / "runs"), *more,
        ]  # fmt: skip

    def drill(self, *more: str) -> tuple[int, dict, Path]:
        code, out, err = self.peakdrill(*self.run_words(*more))
        assert out, f"exit {code}: {err}"
        report = json.loads(out)
        return code, report, self.folder / "runs" / report["run_id"]

    def journal(self) -> list[Path]:
        return list((self.home / "odoo").glob("*/undo/[0-9]*.json"))
