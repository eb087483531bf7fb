"""platform.yaml of kind odoo: strict, without secrets, and production is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.operation import Workload
from harness.errors import BadInput, Refused, UsageError
from harness.inputs.odoo_file import FaultCommands, read_odoo
from harness.inputs.platform_file import kind_of, read_platform
from harness.inputs.targets_file import read_targets
from harness.platforms import find
from harness.platforms.capabilities import NAMES

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "targets-odoo.yaml"
LEAST = """kind: odoo
url: http://127.0.0.1:8069/
database: shop
login: admin
password_file: secrets/admin
dsn: "host=127.0.0.1 dbname=shop user=reader passfile=secrets/reader"
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "platform.yaml"
    file.write_text(text)
    return file


def test_the_least_that_must_be_said(tmp_path: Path) -> None:
    found = read_odoo(written(tmp_path, LEAST))
    assert (found.url, found.version, found.disposable) == ("http://127.0.0.1:8069", None, False)
    assert found.password_file == tmp_path / "secrets" / "admin"
    assert f"passfile={tmp_path}/secrets/reader" in found.dsn
    assert found.faults == ()
    assert found.server_timeout_s == 5


def test_everything_said(tmp_path: Path) -> None:
    text = LEAST + (
        "version: 18\nfilestore: /srv/filestore/shop\ndisposable: true\nserver_timeout_s: 30\n"
        "canary_limit_s: 1\nloops_s: {supervisor: 5}\n"
        "faults:\n  database-stop: {begin: stop it, end: start it, effect: is it, limit_s: 60}\n"
    )
    found = read_odoo(written(tmp_path, text))
    assert found.fault("database-stop") == FaultCommands(
        "database-stop", "stop it", "start it", "is it", "", 60
    )
    assert found.loops_s == (("supervisor", 5.0),)
    facts = find.facts_of("odoo", tmp_path / "platform.yaml")
    assert facts.unproven == ("Odoo 18",)
    assert facts.heading == "Odoo 18"
    assert set(facts.capabilities) <= set(NAMES)
    pace = find.pace_of("odoo", tmp_path / "platform.yaml")
    assert (pace.server_timeout_s, pace.canary_limit_s, pace.command_s) == (30, 1, 60)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LEAST.replace("login: admin\n", ""), "login: is missing"),
        (LEAST + "versoin: 14\n", "did you mean version?"),
        (LEAST + "version: 13\n", "version: 13 is not known; allowed: 14, 15, 16, 17, 18, 19"),
        (LEAST + "disposable: yes\n", "must be true or false"),
        (LEAST.replace("http:", "ftp:"), "url: must be http"),
        (LEAST.replace("127.0.0.1:8069", "me:hunter2@127.0.0.1"), "must not hold a user"),
        (
            LEAST.replace("user=reader", "user=reader password=hunter2"),
            "dsn: must not hold a password",
        ),
        (LEAST.replace("host=127.0.0.1 dbname", "postgres//x"), "dsn: is no libpq"),
        (LEAST + "faults: {Database: {begin: a, end: b}}\n", "faults.Database: must be lower-case"),
        (LEAST + "faults: {database-stop: {begin: a}}\n", "end: is missing"),
        (LEAST + 'faults: {x: {begin: "a\\nb", end: b}}\n', "begin: must match"),
        (LEAST + "canary_limit_s: 0.1\n", "canary_limit_s: must be at least 0.25"),
    ],
)
def test_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_odoo(written(tmp_path, text))
    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("version", [15, 16, 17, 18, 19])
def test_a_version_that_no_drill_has_been_run_against_is_called_unproven(
    tmp_path: Path, version: int
) -> None:
    for said, told in ((version, (f"Odoo {version}",)), (14, ())):
        file = written(tmp_path, LEAST + f"version: {said}\n")
        assert find.facts_of("odoo", file).unproven == told


def test_one_that_is_not_disposable_is_refused_before_it_is_touched(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="two named people with a stated blast radius") as refused:
        find.odoo(read_odoo(written(tmp_path, LEAST)))
    assert "is not declared disposable" in refused.value.what


def test_a_file_tells_its_kind(tmp_path: Path) -> None:
    file = written(tmp_path, LEAST)
    assert kind_of(file) == "odoo"
    with pytest.raises(UsageError, match="neither starts nor ends"):
        read_platform(file)
    assert kind_of(written(tmp_path, "kind: embedded\n")) == "embedded"
    with pytest.raises(BadInput, match="allowed: embedded, odoo"):
        kind_of(written(tmp_path, "kind: docker\n"))


def test_the_targets_that_ship_for_it_hold_and_are_slow_enough_for_two_workers() -> None:
    targets = read_targets(EXAMPLE, scenario="database-outage")
    assert len(targets.workloads) == len(Workload)
    assert sum(t.rate_per_s + t.canary_per_s for t in targets.workloads) < 3
    assert {t.canary_per_s for t in targets.workloads} == {0.2}


def test_without_a_file_nobody_knows_which_odoo_is_meant() -> None:
    with pytest.raises(UsageError, match="has to be described"):
        find.facts_of("odoo")
