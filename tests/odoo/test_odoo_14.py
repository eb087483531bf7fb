"""A drill on a real Odoo: Debian's odoo-14, its database stopped and started by two commands.

Needs root and a Debian mirror (see odoo_root.py). `make test-odoo` runs it, and nothing else does.
What must hold on every machine is that each acknowledged write is accounted for, by the report and
by plain SQL and plain files beside it. On one that is fit to judge (a healthy baseline, a generator
that keeps up) the shipped targets are met, too; a busy one is told as that, and proves nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from odoo_root import made
from odoo_stand import DATABASE, Stand, standing

from harness.core.operation import Kind, Outcome, Workload, document_bytes, key_of
from harness.evidence import layout
from harness.ledger.reader import read_ledgers

pytestmark = [pytest.mark.odoo, pytest.mark.timeout(3600)]
ROOT = Path(__file__).resolve().parents[2]
READER = "reader-of-odoo-14"
VIOLATIONS = ("lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected")


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    with standing(made(), name=f"run-{os.getpid()}", reader_password=READER) as running:
        yield running


def described(stand: Stand, folder: Path) -> Path:
    """platform.yaml, and the files that it names. JSON is YAML."""
    (folder / "password").write_text("admin\n")
    passfile = folder / "reader.pgpass"
    passfile.write_text(f"127.0.0.1:{stand.postgres_port}:*:peakdrill_reader:{READER}\n")
    passfile.chmod(0o600)
    file = folder / "platform.yaml"
    said = {
        "kind": "odoo",
        "version": 14,
        "url": stand.url,
        "database": DATABASE,
        "login": "admin",
        "password_file": "password",
        "dsn": f"host=127.0.0.1 port={stand.postgres_port} dbname={DATABASE}"
        " user=peakdrill_reader passfile=reader.pgpass",
        "filestore": str(stand.filestore),
        "disposable": True,
        "server_timeout_s": 20,  # two workers beside whatever else this machine does
        "canary_limit_s": 5,
        "faults": {
            "database-stop": {
                "begin": shlex.join(stand.pg_ctl("-m", "immediate", "stop")),
                "end": shlex.join(stand.pg_ctl("start")),
                "limit_s": 60,
            }
        },
    }
    file.write_text(json.dumps(said))
    return file


def drill(folder: Path, file: Path, *more: str) -> tuple[int, dict, Path]:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "database-outage", "--platform", str(file),
         "--targets", str(ROOT / "examples" / "targets-odoo.yaml"), "--size", "smoke", "--json",
         "--seed", "14", "--out", str(folder / "runs"), *more],
        cwd=ROOT, env=os.environ | {"PEAKDRILL_HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1500, check=False,
    )  # fmt: skip
    assert done.stdout, f"exit {done.returncode}: {done.stderr}"
    report = json.loads(done.stdout)
    print(json.dumps(report["reasons"], indent=1))
    return done.returncode, report, folder / "runs" / report["run_id"]


def test_every_acknowledged_write_is_accounted_for(stand: Stand, tmp_path: Path) -> None:
    code, report, run = drill(tmp_path, described(stand, tmp_path))
    assert code in {0, 1, 3, 4}, report["reasons"]
    marks = [mark["name"] for mark in report["timeline"]["marks"]]
    assert [m for m in marks if m.startswith("fault-")] == [
        "fault-armed", "fault-active", "fault-released", "fault-healed",
    ]  # fmt: skip
    conditions = {c["name"]: c for c in report["fitness"]["conditions"]}
    for name in ("effect", "fault-held", "healed", "ledger", "read-back", "platform-whole"):
        assert conditions[name]["fit"], conditions[name]
    busy = [name for name, told in conditions.items() if not told["fit"]]
    assert report["verdict"] == "met" or busy, report["reasons"]
    for name, workload in report["workloads"].items():
        for violation in VIOLATIONS:
            assert workload["rpo"][violation] == 0, (name, violation, workload["rpo"])
    assert report["plan"]["platform"]["heading"].startswith("Odoo 14.0")
    orders, documents = by_plain_means(stand, run)
    assert orders >= 30
    assert documents >= 5


def by_plain_means(stand: Stand, run: Path) -> tuple[int, int]:
    """Every acknowledged order, sale, invoice and document, looked up beside the read-back."""
    operations, _ = read_ledgers(run / layout.LEDGER)
    acked = operations.where(operations.outcome == Outcome.ACKED)
    with stand.connect() as database:
        stored = {
            Workload.POINT_OF_SALE.code: keys(database, "pos_order", "pos_reference"),
            Workload.FINANCE.code: keys(database, "account_move", "ref"),
        }
        sales = keys(database, "sale_order", "client_order_ref")
        files = dict(
            database.execute(
                "SELECT name, store_fname FROM ir_attachment WHERE res_model = 'sale.order'"
            ).fetchall()
        )
    creates = acked.where(acked.kind == Kind.CREATE)
    for worker, seq, code in zip(creates.worker, creates.seq, creates.workload, strict=True):
        key = key_of(run.name, int(worker), int(seq))
        assert stored.get(int(code), sales).count(key) == 1, key
    attached = acked.where(acked.kind == Kind.ATTACH)
    for worker, record in zip(attached.worker, attached.record, strict=True):
        key = key_of(run.name, int(worker), int(record))
        content = (stand.filestore / files[key]).read_bytes()
        expected = document_bytes(key)
        assert hashlib.sha1(content).digest() == hashlib.sha1(expected).digest(), key
    return len(creates), len(attached)


def keys(database, table: str, column: str) -> list[str]:
    rows = database.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
    return [key for (key,) in rows]


def test_a_document_that_vanished_from_the_filestore_is_found(stand: Stand, tmp_path: Path) -> None:
    """The row is there, and Odoo would read it as an empty string without an error."""
    file = described(stand, tmp_path)
    said = json.loads(file.read_text())
    vanish = tmp_path / "vanish.py"
    vanish.write_text(VANISH)
    words = [sys.executable, str(vanish), stand.owner_dsn(), str(stand.filestore)]
    said["faults"]["database-stop"]["end"] += " && " + shlex.join(words)
    file.write_text(json.dumps(said))
    code, report, _ = drill(tmp_path, file)
    assert (code, report["verdict"]) == (1, "missed"), report["reasons"]
    assert report["workloads"]["order-capture"]["rpo"]["partial"] >= 1


VANISH = """import sys, pathlib, psycopg
with psycopg.connect(sys.argv[1]) as database:
    (name,) = database.execute("SELECT store_fname FROM ir_attachment WHERE name LIKE 'pd-20%'"
                               " ORDER BY id DESC LIMIT 1").fetchone()
(pathlib.Path(sys.argv[2]) / name).unlink()
"""


def test_a_null_run_proves_nothing(stand: Stand, tmp_path: Path) -> None:
    code, report, _ = drill(tmp_path, described(stand, tmp_path), "--experiment", "null")
    assert (code, report["verdict"]) == (4, "invalid")
