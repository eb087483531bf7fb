"""Scenarios are found and loaded by path, and a wrong one is blamed with its own line."""

import sys
from pathlib import Path

import pytest

from harness.errors import BadInput, UsageError
from harness.inputs import places
from harness.inputs.scenario_file import (
    experiment_files,
    experiment_path,
    find_experiment,
    find_scenario,
    load_scenario,
    read_scenario,
    scenario_files,
)

GOOD = '''"""A shelf is lost.

Claim   It stays lost.
"""

from harness import Scenario, automatic, checks, experiment, load, runbook

scenario = Scenario(
    name="shelf-loss",
    owner="stores",
    load=load("steady"),
    fault=experiment("node-loss", node="primary"),
    recovery=automatic(within_s=120),
    checks=[checks.rto, checks.rpo],
    requires={"nodes", "database.standby"},
    tags={"draft"},
)
'''


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "scenarios").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(home: Path, text: str, name: str = "shelf_loss.py") -> Path:
    file = home / "scenarios" / name
    file.write_text(text)
    return file


def test_the_shipped_scenario_is_as_the_design_reads() -> None:
    found = load_scenario("node-loss", folder=Path("nowhere"))
    scenario = found.scenario
    assert found.file == places.SCENARIOS / "node_loss.py"
    assert scenario.story.startswith("A node is lost at the height of a weekend promotion.")
    assert scenario.fault.parameters == (("node", "primary"),)
    assert scenario.requires == {"nodes", "database.standby", "ingress"}
    assert experiment_path(found) == places.EXPERIMENTS / "node-loss.yaml"
    assert len(found.file.read_text().splitlines()) <= 30


def test_every_shipped_scenario_is_good() -> None:
    for file in scenario_files(Path("nowhere")).values():
        found = read_scenario(file)
        assert found.scenario.name == file.stem.replace("_", "-")


def test_a_good_one(home: Path) -> None:
    file = write(home, GOOD)
    found = load_scenario("shelf-loss")
    assert found.file.resolve() == file
    assert found.scenario.story == "A shelf is lost.\n\nClaim   It stays lost."
    assert load_scenario("shelf_loss").scenario == found.scenario
    assert load_scenario("scenarios/shelf_loss.py").scenario == found.scenario


def test_nothing_is_written_beside_it(home: Path) -> None:
    file = write(home, GOOD)
    read_scenario(file)
    assert list(file.parent.iterdir()) == [file]


def test_mine_come_before_the_shipped_ones(home: Path) -> None:
    mine = write(home, GOOD.replace("shelf-loss", "node-loss"), "node_loss.py")
    assert find_scenario("node-loss").resolve() == mine


def test_a_package_of_the_same_name_is_not_in_the_way(home: Path) -> None:
    write(home, "raise RuntimeError('imported by name')", "__init__.py")
    write(home, GOOD)
    load_scenario("shelf-loss")
    assert not any(name.startswith("scenarios.shelf") for name in sys.modules)


def test_an_unknown_name_lists_what_there_is(home: Path) -> None:
    write(home, GOOD)
    with pytest.raises(UsageError) as refused:
        find_scenario("node-los")
    assert "did you mean node-loss?" in str(refused.value)
    assert "shelf-loss" in str(refused.value)
    with pytest.raises(UsageError, match="no scenario file"):
        find_scenario("scenarios/other.py")


WRONG = {
    "no scenario": ("scenario =", "other =", None, "defines no `scenario`"),
    "not one": (GOOD, '"""x"""\nscenario = 3\n', None, "is a int, not a harness.Scenario"),
    "syntax": ("scenario = Scenario(", "scenario = = Scenario(", 8, "is not Python"),
    "crash": ("scenario = ", "1 / 0\nscenario = ", 8, "ZeroDivisionError: division by zero"),
    "crash in a function": (
        "scenario = ",
        "def f():\n    return nothing\nf()\nscenario = ",
        9,
        "NameError",
    ),
    "exit": ("scenario = ", "raise SystemExit(0)\nscenario = ", 8, "SystemExit"),
    "import": ("from harness import", "import nothing_like_it\nfrom harness import", 6, "nothing"),
    "unknown import": ("automatic, checks", "automatic, cheks", 6, "cheks"),
    "no owner": ('    owner="stores",\n', "", None, "missing 1 required positional argument"),
    "empty owner": ('owner="stores"', 'owner=" "', 10, "owner: must name the team"),
    "odd key": ('owner="stores"', 'owner="stores", colour="red"', None, "colour"),
    "bad name": ('"shelf-loss"', '"Shelf Loss"', 9, "name: must be small letters and hyphens"),
    "unknown check": ("checks.rpo]", "checks.rtp]", None, "rtp"),
    "no check": ("[checks.rto, checks.rpo]", "[]", 14, "checks: must not be empty"),
    "check as text": ("checks.rpo]", '"rpo"]', 14, "checks: 'rpo' is no check"),
    "homemade check": (
        "checks.rpo]",
        'checks.Check("rpx", "y")]',
        14,
        "checks: 'rpx' is not known; allowed: checks.rto",
    ),
    "unknown capability": ('"nodes"', '"node"', 15, "did you mean nodes?"),
    "requires as text": ('{"nodes", "database.standby"}', '"nodes"', 15, "is no capability"),
    "unknown shape": ('load("steady")', 'load("stedy")', 11, "did you mean steady?"),
    "load as text": ('load("steady")', '"steady"', 11, 'load: must be load("weekend-promotion")'),
    "unknown experiment": ('"node-loss"', '"nod-loss"', None, "did you mean node-loss?"),
    "experiment by path": ('"node-loss"', '"../x"', 12, "fault: must be small letters"),
    "parameter": ('node="primary"', "node=1", 12, "fault: node must be text, not 1"),
    "recovery": ("automatic(within_s=120)", "automatic", 13, "recovery: must be automatic"),
    "recovery in no time": ("within_s=120", "within_s=0", 13, "recovery: within_s must be in"),
    "recovery in parts": ("within_s=120", "within_s=1.5", 13, "whole seconds"),
    "unknown runbook": (
        "automatic(within_s=120)",
        'runbook("automatik", within_s=1)',
        13,
        "recovery: 'automatik' is no runbook (did you mean automatic?)",
    ),
    "failback by itself": (
        "tags=",
        "failback=automatic(within_s=1), tags=",
        16,
        "failback: 'automatic' is no runbook",
    ),
    "failback as text": ("tags=", 'failback="back", tags=', 16, "failback: must be runbook("),
    "bad tag": ('{"draft"}', '{"Draft 1"}', 16, "tags: must be small letters"),
    "clock": ("tags=", 'rto_clock="wall", tags=', 16, "allowed: fault, outage"),
    "no claim": (GOOD.partition("from")[0], "", 1, "makes no claim"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_one_is_blamed(home: Path, case: str) -> None:
    old, new, line, told = WRONG[case]
    assert old in GOOD
    file = write(home, GOOD.replace(old, new, 1))
    with pytest.raises(BadInput) as refused:
        read_scenario(file)
    assert told in str(refused.value)
    assert str(refused.value).startswith(str(file))
    if line is not None:
        assert refused.value.line == line


def test_another_s_name_is_refused_when_found_by_name(home: Path) -> None:
    write(home, GOOD.replace("shelf-loss", "node-loss"))
    with pytest.raises(BadInput, match=r"shelf_loss.py:9: name: is 'node-loss'"):
        load_scenario("shelf-loss")
    assert load_scenario("scenarios/shelf_loss.py").scenario.name == "node-loss"


def test_an_experiment_beside_the_folder_comes_first(home: Path) -> None:
    (home / "experiments").mkdir()
    own = home / "experiments" / "node-loss.yaml"
    own.write_text("title: mine\n")
    assert experiment_path(read_scenario(write(home, GOOD))) == own
    assert experiment_files()["node-loss"].resolve() == own
    assert "null" in experiment_files()


def test_an_experiment_by_file(home: Path) -> None:
    file = home / "mine.yaml"
    with pytest.raises(UsageError, match="no experiment"):
        find_experiment(file)
    with pytest.raises(UsageError, match=r"did you mean null\?"):
        find_experiment(Path("nul"))
    assert find_experiment(Path("null")).name == "null.yaml"
    file.write_text("title: [\n")
    with pytest.raises(BadInput, match=r"mine.yaml:2: is not YAML"):
        find_experiment(file)
    file.write_text("title: mine\n")
    assert find_experiment(file) == file


def test_a_csv_is_found_beside_the_scenario(home: Path) -> None:
    curve = home / "scenarios" / "friday.csv"
    text = GOOD.replace('load("steady")', 'load("replay", csv="friday.csv")')
    with pytest.raises(BadInput, match=r":11: load: there is no file 'friday.csv'"):
        read_scenario(write(home, text))
    curve.write_text("0,1\n60,2\n")
    assert Path(read_scenario(write(home, text)).scenario.load.csv).resolve() == curve
