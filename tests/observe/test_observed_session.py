"""An order that names whose alerts are asked and who is told: what the run keeps, and what leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from stand_in_servers import Reply, serving

from harness import session
from harness.commands.plan_text import plan_text
from harness.core.plan import Plan
from harness.core.targets import Targets
from harness.core.verdict import Verdict
from harness.errors import UsageError
from harness.evidence import canonical, layout
from harness.observe.destinations import Destinations
from harness.progress import Silent
from harness.tenancy import taking
from tests.core import simulate


class Bare:
    """A platform that can do nothing, so that nothing is broken."""

    def facts(self) -> object:
        return replace(simulate.FACTS, capabilities=())


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> session.Order:
    @contextmanager
    def platform(*_: object, agreed: bool) -> Iterator[Bare]:
        yield Bare()

    monkeypatch.setattr(taking, "platform_for", platform)
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))
    return session.Order("node-loss", out=tmp_path / "runs")


def test_nobody_is_told_where_nobody_asked(
    order: session.Order, capsys: pytest.CaptureFixture[str]
) -> None:
    _, run = session.execute(order, Silent())
    assert '"alerts"' not in (run / layout.PLAN).read_text()
    assert capsys.readouterr().err == ""


def test_the_run_keeps_the_host_of_the_alerts_and_no_more(order: session.Order) -> None:
    url = "https://prometheus.example:9090/tenants/secret-path"
    record, run = session.execute(replace(order, alerts_url=url), Silent())
    assert record.plan.alerts == "prometheus.example:9090"
    everything = b"".join(f.read_bytes() for f in run.rglob("*") if f.is_file())
    assert b"prometheus.example:9090" in everything
    assert b"secret-path" not in everything


def test_it_is_told_after_the_run_is_sealed_and_a_refusal_changes_nothing(
    order: session.Order, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = []

    def answer(_: object) -> Reply:
        sealed.append(bool(list(order.out.glob(f"*/{layout.SEAL}"))))
        return Reply(500)

    with serving(answer) as server:
        to = Destinations(otlp_url=server.url, prometheus_file=tmp_path / "x.prom")
        record, _ = session.execute(replace(order, observe=to), Silent())
    assert record.judgement.verdict is Verdict.INCONCLUSIVE
    assert set(sealed) == {True}
    told = capsys.readouterr()
    assert "not told otlp: " in told.err
    assert "told prometheus: " in told.err
    assert (tmp_path / "x.prom").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"alerts_url": "prometheus:9090"},
        {"alerts_url": "http://admin:hunter2@prometheus:9090"},
        {"observe": Destinations(grafana_url="grafana")},
    ],
)
def test_a_wrong_address_is_refused_before_anything_is_touched(
    order: session.Order, wrong: dict[str, object]
) -> None:
    with pytest.raises(UsageError) as error:
        session.execute(replace(order, **wrong), Silent())
    assert "hunter2" not in str(error.value)
    assert not order.out.exists()


def test_the_environment_names_the_alerts_and_the_plan_says_whose(
    order: session.Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEAKDRILL_ALERTS_URL", "http://alertmanager:9093/x")
    made = session.plan_only(order)
    assert made.alerts == "alertmanager:9093"
    assert "alerts     asked of alertmanager:9093 once a second" in plan_text(made)
    assert "alerts  " not in plan_text(replace(made, alerts=""))


def test_the_declared_cost_is_kept_in_the_plan(order: session.Order) -> None:
    assert session.plan_only(order).targets.cost_per_hour_cents == 1850


def test_what_came_later_leaves_older_plans_their_bytes(tmp_path: Path) -> None:
    plan = simulate.plan_of()
    text = canonical.dumps(plan)
    assert b"cost_per_hour_cents" not in text
    assert b'"alerts"' not in text
    later = replace(
        plan, alerts="h:1", targets=Targets(plan.targets.workloads, cost_per_hour_cents=0)
    )
    (tmp_path / "plan.json").write_bytes(canonical.dumps(later))
    assert canonical.loads(Plan, tmp_path / "plan.json") == later
