"""`peakdrill readiness`: exit codes, refusals, the page and its links, on a real store."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from readiness_samples import lost, run

from harness import cli
from harness.core.outcome import Outcome
from harness.core.verdict import Verdict
from harness.history import open_history
from harness.history.address import VARIABLE
from harness.inputs import places
from harness.many_runs.readiness_now import claims

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
Call = Callable[..., tuple[int, str, str]]


def day(days: int) -> str:
    return f"{NOW + dt.timedelta(days=days):%Y-%m-%d}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with targets whose season begins in ten days."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "state"))
    monkeypatch.delenv(VARIABLE, raising=False)
    shipped = (places.SHIPPED / "targets.yaml").read_text()
    seasons = (
        f"seasons:\n  - {{name: sale, begins: {day(10)}, ends: {day(20)}}}\n"
        f"  - {{name: spring, begins: {day(-90)}, ends: {day(-80)}}}\n"
    )
    text = re.sub(r"(?m)^seasons:\n(  - .*\n)+", seasons, shipped)
    assert seasons in text
    (tmp_path / "targets.yaml").write_text(text)
    return tmp_path


@pytest.fixture
def call(home: Path, capfd: pytest.CaptureFixture[str]) -> Call:
    def caller(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = cli.exit_code(["readiness", *arguments])
        return (code, *capfd.readouterr())

    return caller


def clean_runs() -> list[Outcome]:
    """A full run of yesterday for every scenario that ships, which met everything."""
    begun = f"{NOW - dt.timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    made = []
    for number, claim in enumerate(claims(None, "sale", "")):
        scenario = claim.scenario
        checked = tuple((c.name, Verdict.MET) for c in scenario.checks if c.name[:2] != "rt")
        made.append(
            run(
                begun, run_id=f"run-{number}", name=scenario.name,
                fault=scenario.fault.experiment, season="sale",
                checks=tuple(pair for pair in checked if pair[0] != "rpo"),
            )
        )  # fmt: skip
    return made


def remember(home: Path, runs: list[Outcome]) -> None:
    with open_history(None, out=home / "runs") as store:
        for outcome in runs:
            store.add(outcome, directory=home / "runs" / outcome.run_id)


def test_ready_is_0_a_loss_is_1_and_all_else_is_3(home: Path, call: Call) -> None:
    remember(home, [])
    assert call()[0] == 3
    clean = clean_runs()
    remember(home, clean[1:])
    code, out, _ = call()
    assert code == 3
    assert out.startswith("Not ready for sale: ")
    remember(home, clean[:1])
    code, out, _ = call("--season", "sale")
    assert (code, out.splitlines()[0][:15]) == (0, "Ready for sale:")
    loss = replace(run(clean[0].begun_utc, lost()), run_id="loss", size="smoke")  # of node-loss
    remember(home, [loss])
    code, out, _ = call()
    assert code == 1
    assert "order-capture was missed" in " ".join(out.split())


def test_smoke_runs_alone_are_never_0(home: Path, call: Call) -> None:
    remember(home, [replace(o, size="smoke") for o in clean_runs()])
    code, out, _ = call()
    assert code == 3
    assert "more by smoke runs alone" in " ".join(out.split())


def test_a_proof_that_ends_before_the_season_is_never_0(home: Path, call: Call) -> None:
    early = f"{NOW - dt.timedelta(days=75):%Y-%m-%dT%H:%M:%SZ}"
    remember(home, [replace(o, begun_utc=early) for o in clean_runs()])
    code, out, _ = call()
    assert code == 3
    assert out.startswith("Not yet ready for sale: all ")


def test_a_release_that_was_never_drilled_has_no_proof(home: Path, call: Call) -> None:
    remember(home, clean_runs())
    code, out, _ = call("--release", "2099.1.0")
    assert code == 3
    assert "No drill has been run with release 2099.1.0 yet" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--season", "sales"), "no season 'sales'; there are: sale, spring"),
        (("--tenant", "nobody"), "the tenant 'nobody'"),
        (("--targets", "none.yaml"), "there is no targets file none.yaml"),
        (("--out", "no/such/folder/page.html"), "cannot write no/such/folder/page.html"),
    ],
)
def test_a_wrong_order_is_refused(
    home: Path, call: Call, arguments: tuple[str, ...], told: str
) -> None:
    remember(home, [])
    code, _, err = call(*arguments)
    assert code == 2
    assert told in err


def test_without_a_history_nothing_is_made_up(home: Path, call: Call) -> None:
    code, _, err = call()
    assert code == 2
    assert "history.sqlite" in err
    assert not (home / "runs").exists()


def test_json_is_alone_on_stdout(home: Path, call: Call) -> None:
    remember(home, clean_runs())
    code, out, err = call("--json", "--out", "page.html")
    assert code == 0
    assert json.loads(out)["verdict"] == "met"
    assert err == "page.html\n"


def test_the_page_links_the_reports_that_are_there(home: Path, call: Call) -> None:
    runs = clean_runs()
    remember(home, runs)
    folder = home / "runs" / runs[0].run_id
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<!doctype html>")
    (home / "pages").mkdir()
    assert call("--out", "pages/ready.html")[0] == 0
    page = (home / "pages" / "ready.html").read_text()
    assert set(re.findall(r'href="([^"#]*report\.html)"', page)) == {
        f"../runs/{runs[0].run_id}/report.html"
    }
