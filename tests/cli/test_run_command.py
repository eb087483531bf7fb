"""`run` and `plan`: what reaches the session, and what reaches stdout."""

import json
from pathlib import Path

from harness.commands import rendering
from harness.core.load_places import WorkersIn
from harness.core.plan import Size
from harness.core.verdict import Verdict


def test_what_was_typed_reaches_the_session(call, judge_at_once, home: Path) -> None:
    (home / "mine.yaml").write_text((Path(__file__).parents[2] / "targets.yaml").read_text())
    (home / "broken.yaml").write_text("title: x\n")
    (home / "platform.yaml").write_text("kind: embedded\n")
    ended = call(
        *["run", "node-loss", "--on", "embedded", "--targets", "mine.yaml"],
        *["--experiment", "broken.yaml", "--size", "smoke", "--peak", "2x", "--seed", "9"],
        *["--platform", "platform.yaml", "--out", "there", "--release", "1.2.3"],
    )
    assert ended.code == 0
    (order,) = judge_at_once.orders
    assert (order.scenario, order.on, order.size) == ("node-loss", "embedded", Size.SMOKE)
    assert (order.peak, order.seed, order.release) == (2.0, 9, "1.2.3")
    assert order.targets_file == Path("mine.yaml")
    assert order.experiment_file == Path("broken.yaml")
    assert order.platform_file == Path("platform.yaml")
    assert order.out == Path("there")


def test_the_defaults(call, judge_at_once) -> None:
    assert call("run", "node-loss").code == 0
    (order,) = judge_at_once.orders
    assert (order.size, order.peak, order.seed, order.out) == (Size.FULL, 1.0, None, Path("runs"))
    assert (order.targets_file, order.experiment_file, order.platform_file) == (None, None, None)


def test_load_workers_stay_here_unless_they_are_sent_to_the_cluster(call, judge_at_once) -> None:
    assert call("run", "node-loss").code == 0
    words = ["run", "node-loss", "--on", "kubernetes", "--yes"]
    assert call(*words, "--workers", "3", "--workers-in", "pods").code == 0
    here, pods = judge_at_once.orders
    assert (here.workers, here.workers_in) == (1, WorkersIn.HERE)
    assert (pods.workers, pods.workers_in) == (3, WorkersIn.PODS)


def test_a_platform_without_pods_refuses_them(call, judge_at_once) -> None:
    ended = call("run", "node-loss", "--workers-in", "pods")
    assert ended.code == 2
    assert "platform embedded has no pods for load workers" in ended.err
    assert "--workers-in here" in ended.err
    assert judge_at_once.orders == []
    assert call("run", "node-loss", "--workers", "0").code == 2


def test_json_is_all_that_stdout_gets(call, judge_at_once) -> None:
    judge_at_once.verdict = Verdict.MISSED
    ended = call("run", "node-loss", "--json")
    assert ended.code == 1
    assert json.loads(ended.out) == {"form": "json"}
    assert ended.err == ""


def test_json_stays_empty_when_it_fails(call, judge_at_once) -> None:
    ended = call("run", "node-los", "--json")
    assert (ended.code, ended.out) == (2, "")
    assert "did you mean node-loss?" in ended.err


def test_without_json_the_verdict_is_printed(call, judge_at_once) -> None:
    assert call("run", "node-loss").out == "runs/r1\n"


def test_an_allowed_skip_reaches_junit(call, judge_at_once, monkeypatch) -> None:
    again = []
    monkeypatch.setattr(
        rendering, "write_again", lambda record, directory, *, allow_skip: again.append(allow_skip)
    )
    call("run", "node-loss", "--allow-skip", "alerts", "--allow-skip", "tenants")
    assert again == [frozenset({"alerts", "tenants"})]


def test_plan_prints_and_touches_nothing(call, judge_at_once, home: Path) -> None:
    ended = call("plan", "node-loss", "--size", "smoke")
    assert ended.code == 0
    assert "A node is lost." in ended.out
    assert "node-loss (node=primary)" in ended.out
    assert "process death, not power loss" in ended.out
    line = next(line for line in ended.out.splitlines() if line.startswith("order-capture"))
    assert line.split() == ["order-capture", "critical", "60", "s", "0", "s", "0", "20"]
    assert list(home.iterdir()) == []


def test_plan_as_json(call, judge_at_once) -> None:
    told = json.loads(call("plan", "node-loss", "--json").out)
    assert told["scenario"]["name"] == "node-loss"
    assert told["platform"]["name"] == "embedded"


def test_a_scenario_by_its_file(call, judge_at_once, home: Path) -> None:
    assert call("new", "shelf-loss").code == 0
    assert call("run", "scenarios/shelf_loss.py").code == 0
    assert call("run", "shelf-loss").code == 0
    assert [o.scenario for o in judge_at_once.orders] == ["scenarios/shelf_loss.py", "shelf-loss"]
