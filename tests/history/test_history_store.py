"""What goes into the store comes out of it, once, and nothing that is known is forgotten."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from harness.core.outcome import Outcome
from harness.core.verdict import Verdict
from harness.errors import DamagedEvidence, Refused, UsageError
from harness.history import Filter, History, open_history
from harness.history.address import address_of, holds_password
from tests.history.outcomes_made import ANY, MET, ORDERS, lossy
from tests.season import data

NUMBERS = itertools.count()
HERE = Path("runs/r1")
SHARED = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SHARED
@given(outcome=ANY)
def test_what_is_added_comes_back_the_same(history: History, outcome: Outcome) -> None:
    outcome = replace(outcome, run_id=f"{outcome.run_id}-{next(NUMBERS)}")
    assert history.add(outcome, directory=HERE) is True
    assert outcome in history.outcomes()
    assert outcome in history.outcomes(Filter(release=outcome.release, verdict=outcome.verdict))
    assert history.add(outcome, directory=HERE) is False
    assert history.outcomes().count(outcome) == 1


def test_the_season_goes_in_and_is_read_by_another_process_s_eyes(
    history: History, dsn: str
) -> None:
    season = data.outcomes()
    for outcome in reversed(season):
        history.add(outcome, directory=HERE)
    with open_history(dsn, must_exist=True) as again:
        assert again.outcomes() == season  # oldest first


def test_filters_take_what_a_plain_look_takes(history: History) -> None:
    season = [*data.outcomes(), MET, lossy(replace(MET, run_id="other", tenant="brand-b"))]
    for outcome in season:
        history.add(outcome, directory=HERE)
    asked = {
        "scenario": {o.scenario for o in season} | {"nothing"},
        "release": {o.release for o in season},
        "season": {"black-friday", ""},
        "size": {"smoke", "full"},
        "platform": {"embedded", "kubernetes"},
        "verdict": {*Verdict},
    }
    for name, values in asked.items():
        for value in values:
            found = history.outcomes(Filter(**{name: value}))
            assert sorted(o.run_id for o in found) == sorted(
                o.run_id for o in season if getattr(o, name) == value
            ), (name, value)
    newest = max(o.begun_utc for o in season)
    assert {o.begun_utc for o in history.outcomes(Filter(since_utc=newest))} == {newest}
    assert history.outcomes(Filter(since_utc="2026-11-27")) == history.outcomes()
    assert history.outcomes(Filter(scenario="node-loss", release="none")) == ()


def test_a_run_is_found_where_it_was_last_seen(history: History, tmp_path: Path) -> None:
    history.add(MET, directory=tmp_path / "runs" / "r")
    assert history.directory_of(MET.run_id) == tmp_path / "runs" / "r"
    history.add(MET, directory=tmp_path / "archive" / "r")
    assert history.directory_of(MET.run_id) == tmp_path / "archive" / "r"
    assert history.directory_of("nobody") is None


def test_changed_evidence_is_refused_by_name_and_the_first_is_kept(history: History) -> None:
    history.add(MET, directory=HERE)
    for other in ("f" * 64, ""):
        with pytest.raises(DamagedEvidence, match=f"{MET.run_id}.*somebody changed it"):
            history.add(replace(MET, evidence_digest=other), directory=HERE)
    assert history.outcomes() == (MET,)


def test_a_proven_loss_is_never_replaced_by_a_verdict_without_it(history: History) -> None:
    history.add(lossy(), directory=HERE)
    for judge in ("v1", "v2"):
        with pytest.raises(Refused, match=r"proved a loss \(order-capture\)"):
            history.add(replace(MET, judge=judge), directory=HERE)
    across = replace(MET, run_id="stores", proven_loss=True, verdict=Verdict.MISSED)
    history.add(across, directory=HERE)
    with pytest.raises(Refused, match="across the stores"):
        history.add(replace(MET, run_id="stores", judge="v2"), directory=HERE)
    assert set(history.outcomes()) == {lossy(), across}


def test_a_loss_in_one_workload_is_not_excused_by_one_in_another(history: History) -> None:
    from harness.core.operation import Workload

    history.add(lossy(), directory=HERE)
    till = replace(ORDERS, workload=Workload.POINT_OF_SALE, proven_loss=True)
    with pytest.raises(Refused, match="order-capture"):
        history.add(replace(lossy(), judge="v2", workloads=(ORDERS, till)), directory=HERE)


def test_a_loss_that_is_proven_later_is_kept(history: History) -> None:
    history.add(MET, directory=HERE)
    assert history.add(lossy(), directory=HERE) is False
    assert history.outcomes() == (lossy(),)


def test_one_judge_says_one_thing_and_a_newer_one_may_say_another(history: History) -> None:
    history.add(MET, directory=HERE)
    milder = replace(MET, verdict=Verdict.INCONCLUSIVE)
    with pytest.raises(Refused, match="by the same judge"):
        history.add(milder, directory=HERE)
    history.add(replace(milder, judge="v2"), directory=HERE)
    assert history.outcomes() == (replace(milder, judge="v2"),)


def test_a_run_that_was_not_sealed_may_be_followed_by_its_sealed_self(history: History) -> None:
    dying = replace(MET, evidence_digest="", verdict=Verdict.INVALID)
    history.add(dying, directory=HERE)
    history.add(MET, directory=HERE)
    assert history.outcomes() == (MET,)
    history.add(replace(lossy(), run_id="two", evidence_digest=""), directory=HERE)
    with pytest.raises(Refused, match="proved a loss"):
        history.add(replace(MET, run_id="two"), directory=HERE)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("release", "2026.12.0"), ("scenario", "other"), ("verdict", "met"), ("season", ""),
        ("tenant", "x"), ("size", "full"), ("platform", "x"), ("configuration", "d" * 64),
        ("seed", 8), ("peak", 2.0), ("evidence_digest", ""), ("begun_utc", "2027-01-01T00:00:00Z"),
        ("outcome", "{}"), ("outcome", ""), ("outcome_digest", "0" * 64), ("run_id", "renamed"),
    ],
)  # fmt: skip
def test_a_damaged_row_is_named_whoever_asks(history, by_hand, column: str, value) -> None:
    other = replace(MET, run_id="other", release="elsewhere")
    for outcome in (lossy(), other):
        history.add(outcome, directory=HERE)
    by_hand(f"UPDATE peakdrill_runs SET {column} = :v WHERE run_id = :r", v=value, r=MET.run_id)
    named = "renamed" if column == "run_id" else MET.run_id
    for wanted in (Filter(), Filter(release="elsewhere"), Filter(release="2026.11.0")):
        with pytest.raises(DamagedEvidence, match=f"{named} is damaged"):
            history.outcomes(wanted)


def test_a_row_that_was_altered_with_its_digest_is_no_outcome(history, by_hand) -> None:
    import hashlib

    history.add(MET, directory=HERE)
    text = '{"run_id":"20261127T220000Z0001"}'
    by_hand(
        "UPDATE peakdrill_runs SET outcome = :t, outcome_digest = :d",
        t=text, d=hashlib.sha256(text.encode()).hexdigest(),
    )  # fmt: skip
    with pytest.raises(DamagedEvidence, match="begun_utc"):
        history.outcomes()
    with pytest.raises(DamagedEvidence, match="is damaged"):
        history.add(MET, directory=HERE)


def test_texts_that_no_store_can_hold_are_refused(history: History) -> None:
    with pytest.raises(Refused, match="release holds a NUL"):
        history.add(replace(MET, release="2026\0"), directory=HERE)
    history.add(MET, directory=Path("runs/caf\udce9"))  # a name that is no UTF-8
    assert "caf" in str(history.directory_of(MET.run_id))


def test_no_password_is_shown_and_none_is_taken_on_the_command_line(call) -> None:
    for named in (
        "postgresql://shop:opensesame@db.example/h",
        "postgres://shop@db.example/h?password=opensesame",
    ):
        assert "opensesame" not in address_of(named, Path()).shown
        assert holds_password(named)
        code, out, err = call("history", "--history", named)
        assert code == 2
        assert "opensesame" not in out + err
    assert not holds_password("postgresql://shop@db.example/h")
    assert not holds_password("runs/history.sqlite")


@pytest.mark.parametrize(
    "given", ["mysql://u@h/d", "postgresql://u:opensesame@h:port/d", "sqlite:///x"]
)
def test_a_strange_dsn_is_a_usage_error_that_shows_no_password(given: str) -> None:
    with pytest.raises(UsageError) as failed:
        open_history(given)
    assert "opensesame" not in str(failed.value)


def test_the_store_is_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_history(None, out=tmp_path / "a") as store:
        assert store.place == str(tmp_path / "a" / "history.sqlite")
    monkeypatch.setenv("PEAKDRILL_HISTORY", str(tmp_path / "named.sqlite"))
    with open_history(None, out=tmp_path / "b") as store:
        assert store.place == str(tmp_path / "named.sqlite")
    assert not (tmp_path / "b").exists()
    with pytest.raises(Refused, match="no history in"):
        open_history(str(tmp_path / "none.sqlite"), must_exist=True)
    assert not (tmp_path / "none.sqlite").exists()


def test_what_is_no_store_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("not a database, not at all\n" * 50)
    with pytest.raises(Refused, match=r"text\.sqlite cannot be used"):
        open_history(str(tmp_path / "text.sqlite"))
    with pytest.raises(Refused, match="cannot be used"):
        open_history(str(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot be made"):
        open_history(str(tmp_path / "file" / "history.sqlite"))


def test_a_silent_server_is_named(postgres) -> None:
    port = load_free_port()
    with pytest.raises(Refused, match=f"127.0.0.1:{port}/none cannot be used"):
        open_history(f"postgresql://shop@127.0.0.1:{port}/none")


def load_free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_peek_makes_nothing(dsn: str) -> None:
    from harness.history.peek import peek

    assert "none yet in" in peek(dsn)
    assert "none yet in" in peek(dsn), "the first one made nothing"
    with open_history(dsn) as history:
        history.add(MET, directory=HERE)
    assert peek(dsn).startswith("1 run in ")


def test_the_doctor_shows_the_store_and_can_do_without(call, monkeypatch, tmp_path: Path) -> None:
    from harness.commands import doctor_checks

    assert doctor_checks._history().ok
    assert not (tmp_path / "runs").exists()
    monkeypatch.setenv("PEAKDRILL_HISTORY", "postgresql://u:opensesame@127.0.0.1:1/d")
    line = doctor_checks._history()
    assert not line.ok
    assert not line.needed
    assert "opensesame" not in str(line)
