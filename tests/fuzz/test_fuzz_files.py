"""What people write, mistaken in every way: a typed error that names the file, or a sound value."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import damaged, misspelt

from harness.errors import UsageError
from harness.inputs.containers_file import read_containers
from harness.inputs.curve import read_curve
from harness.inputs.gameday_file import read_gameday
from harness.inputs.kubernetes_file import read_kubernetes
from harness.inputs.odoo_file import read_odoo
from harness.inputs.own_cluster_file import read_any_cluster
from harness.inputs.platform_file import read_platform
from harness.inputs.policy_file import read_policy
from harness.inputs.targets_file import read_targets

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = "kind: embedded\nsynchronous: true\ndialect: 19\nleader_ttl_s: 20\ningress_port: 8069\n"
ODOO = """
kind: odoo
url: http://127.0.0.1:8069
database: shop
login: admin
password_file: password
dsn: "host=127.0.0.1 dbname=shop user=reader passfile=pgpass"
filestore: filestore
disposable: true
loops_s: {supervisor: 5}
faults:
  database-stop: {begin: ./stop, end: ./start, effect: ./is-stopped, limit_s: 30}
"""


def _of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "targets": (_of("targets.yaml"), lambda f: read_targets(f, scenario="node-loss", season=None, tenant="")),
    "policy": (_of("targets.yaml"), read_policy),
    "gameday": (_of("gameday.yaml"), read_gameday),
    "embedded": (EMBEDDED, read_platform),
    "odoo": (ODOO, read_odoo),
    "kubernetes": (_of("examples/platform-kubernetes.yaml"), read_kubernetes),
    "own-cluster": (_of("examples/platform-own-kubernetes.yaml"), read_any_cluster),
    "containers": (_of("examples/platform-containers.yaml"), read_containers),
    "curve": ("t_s,multiplier\n0,1\n300,2.5\n600,1\n", read_curve),
}  # fmt: skip
OFTEN = settings(
    max_examples=int(os.environ.get("PEAKDRILL_FUZZ", "150")),
    deadline=None,
    derandomize=True,  # the same examples every time: a test that fails once in fifty is a defect
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def told(reader: Callable[[Path], object], file: Path) -> UsageError | None:
    """The typed error, None where it was taken; anything else leaves this test."""
    try:
        reader(file)
    except UsageError as error:
        found = error
    else:
        return None
    assert found.what
    assert all(c.isprintable() or c == "\n" for c in str(found))
    return found


@pytest.mark.parametrize("kind", [k for k in READERS if k != "curve"])
@OFTEN
@given(data=st.data())
def test_a_misspelt_document(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    text, reader = READERS[kind]
    file = tmp_path / f"{kind}.yaml"
    file.write_text(data.draw(misspelt(text)), encoding="utf-8")
    error = told(reader, file)
    if error is not None:
        assert file.name in str(error), f"the file is not named: {error}"


@pytest.mark.parametrize("kind", READERS)
@OFTEN
@given(data=st.data())
def test_damaged_bytes(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    text, reader = READERS[kind]
    file = tmp_path / f"{kind}.yaml"
    file.write_bytes(data.draw(damaged(text.encode())))
    told(reader, file)


@pytest.mark.parametrize("kind", READERS)
def test_what_is_fuzzed_is_sound_itself(kind: str, tmp_path: Path) -> None:
    text, reader = READERS[kind]
    file = tmp_path / f"{kind}.yaml"
    file.write_text(text, encoding="utf-8")
    error = told(reader, file)
    assert error is None, error
