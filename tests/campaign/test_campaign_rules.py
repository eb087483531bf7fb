"""The campaign's own rules: what is drawn, what counts as found, and that it goes on where it ended."""

from __future__ import annotations

import doctest
import itertools
import json
import subprocess
from pathlib import Path

import pytest

from harness.ledger.reader import ledger_files
from tests.campaign import crash, strikes, striking
from tests.campaign.strikes import SCENARIOS, Strike, Victim
from tests.campaign.striking import Struck
from tests.evidence.stored_run import store


def drawn(seed: int, count: int) -> list[Strike]:
    return list(itertools.islice(strikes.strikes(seed), count))


def found(number: int, *problems: str, struck: bool = True) -> Struck:
    return Struck(number, "node-loss", "load", "fault-active", struck, 4, problems)


@pytest.mark.parametrize("module", [strikes, crash])
def test_examples(module) -> None:
    tried = doctest.testmod(module)
    assert tried.attempted
    assert tried.failed == 0


def test_two_hundred_reach_every_scenario_and_every_victim_in_each() -> None:
    assert {(s.scenario, s.victim) for s in drawn(20_261_128, 200)} == {
        (scenario, victim) for scenario in SCENARIOS for victim in Victim
    }


def test_a_longer_campaign_holds_the_shorter_one() -> None:
    assert drawn(5, 40)[:10] == drawn(5, 10)
    assert drawn(5, 10) != drawn(6, 10)


@pytest.mark.parametrize(
    ("victim", "code", "healed", "is_found"),
    [
        (Victim.HARNESS, 0, True, True),
        (Victim.HARNESS, 4, False, False),
        (Victim.LOAD, 0, True, True),
        (Victim.LOAD, 4, True, False),
        (Victim.EXPERIMENT, 0, False, True),
        (Victim.EXPERIMENT, 0, True, False),
        (Victim.CHILD, 1, False, False),
        (Victim.CHILD, 5, True, True),
        (Victim.HARNESS, -1, True, True),
    ],
)
def test_a_run_in_which_somebody_was_killed_does_not_pass(
    victim: Victim, code: int, healed: bool, is_found: bool
) -> None:
    one = Strike(0, "node-loss", victim, "fault-active", 0.0, 0.5)
    assert bool(list(striking.omission(one, code, healed=healed))) is is_found


@pytest.mark.parametrize(("words", "is_found"), [(("sleep", "60"), True), (("true",), False)])
def test_a_run_that_never_ends_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], is_found: bool
) -> None:
    def child(*_: str, **__: object) -> subprocess.Popen[str]:
        return subprocess.Popen(words, text=True)

    monkeypatch.setattr(striking, "_peakdrill", child)
    monkeypatch.setattr(striking, "_strike", lambda *_: True)
    monkeypatch.setattr(striking, "left_behind", lambda *_: iter(()))
    monkeypatch.setattr(striking, "_RUN_S", 5.0 if not is_found else 0.2)
    one = Strike(0, "node-loss", Victim.LOAD, "fault-active", 0.0, 0.5)
    made = striking.strike(one, None, tmp_path)  # type: ignore[arg-type]
    assert made.struck
    assert any("did not end" in problem for problem in made.problems) is is_found


def test_a_stored_write_that_no_ledger_holds_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store(tmp_path)
    monkeypatch.setattr(striking, "stored", lambda *_: iter([("pd-r-0-3", 0, 3)]))
    assert list(striking.missing(None, run)) == []  # type: ignore[arg-type]
    monkeypatch.setattr(striking, "stored", lambda *_: iter([("pd-r-0-999999", 0, 999_999)]))
    assert list(striking.missing(None, run)) == [  # type: ignore[arg-type]
        "1 stored and in no ledger, pd-r-0-999999 among them"
    ]


def test_a_torn_slot_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store(tmp_path)
    monkeypatch.setattr(striking, "stored", lambda *_: iter([]))
    (ledger,) = ledger_files(run / "ledger")
    damaged = bytearray(ledger.read_bytes())
    damaged[64 + 8] ^= 0xFF
    ledger.write_bytes(damaged)
    (said,) = striking.missing(None, run)  # type: ignore[arg-type]
    assert said == "worker-0.slots: 1 torn"


def test_it_goes_on_after_the_last_line_and_makes_up_for_what_was_over_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    struck: list[int] = []

    def pretended(one: Strike, folder: Path) -> Struck:
        struck.append(one.number)
        return found(one.number, struck=one.number != 1)

    monkeypatch.setattr(crash, "_on_a_whole_platform", pretended)
    assert len(crash.conduct(tmp_path, seed=3, kills=2)) == 3
    assert struck == [0, 1, 2]
    assert sum(s.struck for s in crash.conduct(tmp_path, seed=3, kills=4)) == 4
    assert struck == [0, 1, 2, 3, 4]
    lines = (tmp_path / "campaign-3.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [0, 1, 2, 3, 4]


def test_lanes_share_the_strikes_and_the_tally(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crash, "_on_a_whole_platform", lambda one, _: found(one.number))
    first = crash.conduct(tmp_path, seed=3, kills=3, lane=crash.Lane(0, 2))
    assert [s.number for s in first] == [0, 2, 4]
    both = crash.conduct(tmp_path, seed=3, kills=5, lane=crash.Lane(1, 2))
    assert sorted(s.number for s in both) == [0, 1, 2, 3, 4]


def test_a_campaign_that_strikes_nobody_ends_and_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        crash, "_on_a_whole_platform", lambda one, _: found(one.number, struck=False)
    )
    done = crash.conduct(tmp_path, seed=3, kills=2)
    assert len(done) == 6
    assert crash.tally(done, 3, 2).startswith("Not finished: 0 SIGKILLs of 2")


def test_the_tally_names_what_was_found() -> None:
    told = crash.tally([found(0), found(1, "not whole: B")], 3, 2)
    assert told.startswith("FOUND: 1 of 2 SIGKILLs of 2")
    assert "not whole: B" in told
