"""The auditor's bundle: the same bytes twice, nothing hidden, and no claim beyond what was tried."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.commands.rendering import bundle_page, render_all
from harness.core.verdict import Verdict
from harness.errors import Refused
from harness.evidence import canonical, envelope, layout, signing
from harness.evidence.controls import Control, Day, Shown, Status, mapping
from harness.evidence.export import Index, export
from harness.evidence.findings import State
from harness.evidence.period import Period
from harness.evidence.verify import verify
from harness.gameday.ending import day_holds
from tests.evidence.stored_run import flipped, store
from tests.evidence.test_envelope import MINE

FIRST, SECOND = "20261122T030000Z0001", "20261122T040000Z0002"
NOVEMBER = Period("2026-11-01", "2026-11-30")


def exported(
    runs: Path, out: Path, *, period: Period = NOVEMBER, bulk: bool = True,
    day_holds: Callable[[Path], bool] = lambda _: True,
) -> Index:  # fmt: skip
    return export(
        runs, period, out, bulk=bulk, render=render_all, page=bundle_page, day_holds=day_holds
    )


def unpacked(file: Path, into: Path) -> Path:
    with zipfile.ZipFile(file) as bundle:
        assert bundle.testzip() is None
        bundle.extractall(into)
    return into / "peakdrill-evidence"


def test_the_same_files_give_the_same_bytes(runs: Path, tmp_path: Path) -> None:
    index = exported(runs, tmp_path / "one.zip")
    assert index.worst is State.INTACT
    for number, file in enumerate(sorted(runs.rglob("*"), reverse=True)):
        if file.is_file():
            file.chmod(0o600 + (number % 2) * 0o044)
            file.touch()
    exported(runs, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with pytest.raises(Refused, match="there already"):
        exported(runs, tmp_path / "two.zip")
    assert sorted(p.name for p in tmp_path.glob("*")) == ["one.zip", "runs", "two.zip"]


def test_a_bundle_is_verified_like_the_store_it_came_from(runs, tmp_path, key_file) -> None:
    exported(runs, tmp_path / "b.zip")
    bundle = unpacked(tmp_path / "b.zip", tmp_path / "out")
    found = verify(bundle / "runs" / SECOND, chain=bundle / "runs", render=render_all)
    assert (found.state, found.problems) == (State.INTACT, ())
    (key,) = (bundle / "keys").iterdir()
    assert key.read_bytes() == key_file.with_name("ours.pem.pub").read_bytes()
    assert key.name == f"{found.signer.key_id}.pub.pem"
    told = json.loads((bundle / "index.json").read_bytes())
    assert [run["run_id"] for run in told["runs"]] == [FIRST, SECOND]
    assert (told["first_link"], told["last_link"]) == (1, 2)
    for file in runs.rglob("*"):
        if file.is_file():
            assert (bundle / "runs" / file.relative_to(runs)).read_bytes() == file.read_bytes()


def test_what_was_left_out_is_said_and_is_no_pass(runs: Path, tmp_path: Path) -> None:
    index = exported(runs, tmp_path / "b.zip", bulk=False)
    assert (index.worst, index.runs[0].state) == (State.INTACT, State.INTACT)
    assert "ledger/worker-0.slots" in index.runs[0].left_out
    bundle = unpacked(tmp_path / "b.zip", tmp_path / "out")
    assert "Bulk was left out" in (bundle / "index.html").read_text()
    run = bundle / "runs" / SECOND
    assert not list(run.rglob("*.slots"))
    found = verify(run, chain=bundle / "runs", render=render_all)
    assert (found.state, found.exit_code, found.problems) == (State.INCOMPLETE, 3, ())
    assert found.left_out == index.runs[1].left_out
    assert found.verdict is None
    with flipped(run / layout.VERDICT, 30, 0):
        assert verify(run).exit_code == 4


def test_a_list_of_what_was_left_out_excuses_nothing_else(runs: Path, tmp_path: Path) -> None:
    exported(runs, tmp_path / "b.zip", bulk=False)
    run = unpacked(tmp_path / "b.zip", tmp_path / "out") / "runs" / SECOND
    marker = run / layout.LEFT_OUT
    told = json.loads(marker.read_bytes())
    for files in (
        told["files"] + [layout.VERDICT],  # no bulk
        told["files"] + ["ledger/worker-9.slots"],  # never there
        told["files"][1:],  # one is missing and not told
        [],
    ):
        marker.write_bytes(canonical.dumps(told | {"files": sorted(files)}))
        assert verify(run).exit_code == 4
    marker.write_bytes(json.dumps(told).encode())
    assert {p.name for p in verify(run).problems} >= {layout.LEFT_OUT}
    marker.unlink()
    assert {p.name for p in verify(run).problems} == set(told["files"])
    whole = runs / SECOND
    (whole / layout.LEFT_OUT).write_bytes(canonical.dumps(told))
    assert {p.name for p in verify(whole).problems} == {layout.LEFT_OUT}


def test_damage_gaps_and_unsigned_runs_stand_in_the_index(runs: Path, tmp_path: Path) -> None:
    store(runs, "20261123T000000Z0009", begun_utc="2026-11-23T00:00:00Z")
    assert exported(runs, tmp_path / "1.zip").worst is State.UNSIGNED
    (runs / FIRST / layout.EVENTS).write_text("")
    index = exported(runs, tmp_path / "2.zip")
    assert index.worst is State.DAMAGED
    assert {p.name for p in index.runs[0].problems} == {layout.EVENTS}
    shutil.rmtree(runs / FIRST)
    (runs / "odd").mkdir()
    (runs / "odd" / layout.PLAN).write_text("{}")
    index = exported(runs, tmp_path / "3.zip")
    assert (index.gone, index.unreadable, index.worst) == ((FIRST,), ("odd",), State.DAMAGED)
    page = (unpacked(tmp_path / "3.zip", tmp_path / "out") / "index.html").read_text()
    assert f"{FIRST}: the chain holds its envelope, and its directory is gone" in page
    assert "odd: it cannot be read" in page


def test_a_period_takes_its_part_of_the_chain_and_all_between(
    runs, key_file, tmp_path, monkeypatch
):
    monkeypatch.setenv("PEAKDRILL_SIGNING_KEY_FILE", str(key_file))
    notary = signing.ready(runs)
    store(runs, "20260101T000000Z0003", begun_utc="2026-01-01T00:00:00Z", notary=notary)
    store(runs, "20261125T000000Z0004", begun_utc="2026-11-25T00:00:00Z", notary=notary)
    day = Period("2026-11-22", "2026-11-25")
    index = exported(runs, tmp_path / "a.zip", period=day)
    assert [(r.run_id[-4:], r.for_the_chain) for r in index.runs] == [
        ("0003", True), ("0001", False), ("0002", False), ("0004", False),
    ]  # fmt: skip
    assert not any("0003" in line for control in index.controls for line in control.runs)
    late = exported(runs, tmp_path / "b.zip", period=Period("2026-11-25", "2026-11-25"))
    assert (late.first_link, late.last_link, len(late.runs)) == (4, 4, 1)
    bundle = unpacked(tmp_path / "b.zip", tmp_path / "out")
    found = verify(bundle / "runs" / late.runs[0].run_id, chain=bundle / "runs")
    assert (found.state, found.problems) == (State.INCOMPLETE, ())
    with pytest.raises(Refused, match="no run from 2020"):
        exported(runs, tmp_path / "c.zip", period=Period("2020-01-01", "2020-12-31"))


def game_day(runs: Path, *kinds: str) -> None:
    folder = runs / "gameday-autumn" / "records"
    folder.mkdir(parents=True)
    for number, kind in enumerate(kinds, 1):
        told = {"at_utc": f"2026-11-22T0{number}:00:00Z", "said": {"kind": kind}}
        sealed = envelope.seal(canonical.dumps(told), "application/x", MINE)
        (folder / f"{number:04d}.json").write_bytes(sealed)
    (runs / "gameday-autumn" / "report.html").write_text("what was found")


def test_game_days_of_the_period_are_in_it(runs: Path, tmp_path: Path) -> None:
    game_day(runs, "opened", "closed")
    index = exported(runs, tmp_path / "a.zip")
    assert index.game_days == ("gameday-autumn",)
    assert status(index.controls, "post-exercise") is Status.SHOWN
    bundle = unpacked(tmp_path / "a.zip", tmp_path / "out")
    assert (bundle / "runs/gameday-autumn/report.html").read_text() == "what was found"
    (runs / "gameday-autumn/records/0002.json").write_text("?")
    assert exported(runs, tmp_path / "b.zip").unreadable == ("gameday-autumn",)


def test_a_day_that_only_says_that_it_was_closed_shows_nothing(runs: Path, tmp_path: Path) -> None:
    game_day(runs, "opened", "closed")  # by a key of nobody's, without a manifest
    index = exported(runs, tmp_path / "a.zip", day_holds=day_holds)
    assert index.unreadable == ("gameday-autumn",)
    assert index.worst is State.DAMAGED
    assert status(index.controls, "post-exercise") is Status.NOT_SHOWN


def status(controls: tuple[Control, ...], asks: str) -> Status:
    (found,) = [control for control in controls if asks in control.asks]
    return found.status


def run_of(**given: object) -> Shown:
    base = Shown(
        run_id="r1", begun_utc="2026-11-22T03:00:00Z", scenario="ransomware", fault="ransomware",
        runbook="clean-room", platform="embedded", heading="stand-in application", unproven=False,
        size="full", verdict=Verdict.MET, looks=2, sound=True,
        checks=tuple((c, Verdict.MET) for c in (
            "stores-agree", "environment-clean", "restored-wanted", "backup-chosen",
        )),
    )  # fmt: skip
    return replace(base, **given)


ASKS = (
    "cyber-attacks",
    "switchovers",
    "segregated",
    "reconciliations",
    "post-exercise",
    "exercises and",
)


@pytest.mark.parametrize(
    ("run", "shown"),
    [
        (run_of(), {"cyber-attacks", "segregated", "reconciliations", "exercises and"}),
        (run_of(fault="node-loss", runbook="automatic"), {"switchovers", "reconciliations", "exercises and"}),
        (run_of(fault="logical-corruption", runbook="point-in-time"), {"reconciliations", "exercises and"}),
        (run_of(looks=1), {"cyber-attacks", "segregated", "exercises and"}),
        (run_of(verdict=Verdict.MISSED), {"exercises and"}),
        (run_of(verdict=Verdict.INVALID), set()),
        (run_of(verdict=Verdict.INCONCLUSIVE), set()),
        (run_of(sound=False), set()),
        (run_of(checks=()), {"cyber-attacks", "exercises and"}),
    ],
)  # fmt: skip
def test_only_what_was_tested_is_claimed(run: Shown, shown: set[str]) -> None:
    controls = mapping([run], [])
    assert {asks for asks in ASKS if status(controls, asks) is Status.SHOWN} == shown


def test_nothing_tried_is_not_shown_and_tried_in_vain_is_not_met() -> None:
    assert {control.status for control in mapping([], [])} == {Status.NOT_SHOWN}
    missed = mapping([run_of(verdict=Verdict.MISSED)], [Day("autumn", "")])
    assert status(missed, "segregated") is Status.NOT_MET
    assert status(missed, "switchovers") is Status.NOT_SHOWN
    assert status(missed, "post-exercise") is Status.NOT_SHOWN
    assert all(control.beyond for control in missed)


def test_how_little_a_run_is_stands_beside_every_claim() -> None:
    small, whole = run_of(size="smoke", unproven=True), run_of(heading="", run_id="r2")
    for control in mapping([small], []):
        for told in (*control.runs, *([" ".join(control.limits)] if control.runs else [])):
            assert "stand-in application: no proof of production" in told
            assert "smoke size: no proof at full length" in told
            assert "unproven platform adapter" in told
    for control in mapping([small, whole, run_of(heading="", verdict=Verdict.MISSED)], []):
        assert control.limits == ()
    for control in mapping([small, run_of()], []):
        if control.runs:
            assert control.limits == ("stand-in application: no proof of production",)


def test_hostile_names_stay_text_on_the_page(runs: Path, tmp_path: Path) -> None:
    index = exported(runs, tmp_path / "a.zip")
    odd = "<script>alert(1)</script>\x1b[2J\u202e"
    page = bundle_page(replace(index, gone=(odd,), unreadable=(odd,), game_days=(odd,)))
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
