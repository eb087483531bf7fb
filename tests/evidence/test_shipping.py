"""Evidence in object storage: whole, read back, never replaced, and locked where that is asked."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from harness.commands.rendering import render_all
from harness.errors import DamagedEvidence, PeakdrillError, Refused, UsageError
from harness.evidence.shipping import Destination, destination, ship
from harness.evidence.verify import verify
from tests.evidence.stored_run import flipped

NOW = dt.datetime(2026, 11, 22, 5, tzinfo=dt.UTC)
TO = Destination("evidence", "drills")
LOCKED = Destination("evidence", "drills", keep_days=30)
RUN = "20261122T040000Z0002"


@dataclass
class Kept:
    """A shelf in memory, with the ways in which one can fail."""

    lies: dict[str, bytes] = field(default_factory=dict)
    until: dict[str, dt.datetime] = field(default_factory=dict)
    locks: bool = True
    garbles: str = ""
    puts: list[str] = field(default_factory=list)

    def get(self, key: str) -> bytes | None:
        return self.lies.get(key)

    def put(self, key: str, content: bytes, *, keep_until: dt.datetime | None) -> None:
        self.puts.append(key)
        self.lies[key] = content[:-1] if key.endswith(self.garbles or "\0") else content
        if keep_until and self.locks:
            self.until[key] = keep_until

    def is_locked(self, key: str, until: dt.datetime) -> bool:
        return key in self.until and self.until[key] >= until


def shipped(run: Path, shelf: Kept, to: Destination = TO):
    return ship(run, to, shelf, verify=partial(verify, render=render_all), now=NOW)


def test_every_file_and_the_link_lie_there(run: Path) -> None:
    shelf = Kept()
    found = shipped(run, shelf)
    names = {p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()}
    assert {k.removeprefix(f"drills/runs/{RUN}/") for k in shelf.lies if "/runs/" in k} == names
    for name in names:
        assert shelf.lies[f"drills/runs/{RUN}/{name}"] == (run / name).read_bytes()
    link = json.loads(shelf.lies[f"drills/chain/00000002-{RUN}.json"])
    assert link["run_id"] == RUN
    assert shelf.puts[-1].startswith("drills/chain/"), "where the link lies, the whole run does"
    assert found.files == found.sent == len(shelf.lies)
    assert found.size == sum(map(len, shelf.lies.values()))
    assert str(found.files) in found.sentence()


def test_twice_is_harmless_and_sends_nothing(run: Path) -> None:
    shelf = Kept()
    shipped(run, shelf)
    before = dict(shelf.lies)
    assert shipped(run, shelf).sent == 0
    assert shelf.lies == before


def test_what_came_before_a_cut_is_not_sent_again(run: Path) -> None:
    whole, cut = Kept(), Kept()
    shipped(run, whole)
    half = dict(list(whole.lies.items())[: len(whole.lies) // 2])
    cut.lies = dict(half)
    found = shipped(run, cut)
    assert cut.lies == whole.lies
    assert found.sent == len(whole.lies) - len(half)


def test_other_bytes_under_its_name_are_refused_and_left(run: Path) -> None:
    shelf = Kept()
    key = f"drills/runs/{RUN}/verdict.json"
    shelf.lies[key] = b"met"
    with pytest.raises(DamagedEvidence, match=r"verdict\.json holds other bytes"):
        shipped(run, shelf)
    assert shelf.lies[key] == b"met"
    assert not any("/chain/" in name for name in shelf.lies)


def test_a_store_that_garbles_is_caught(run: Path) -> None:
    shelf = Kept(garbles="events.jsonl")
    with pytest.raises(DamagedEvidence, match="does not come back"):
        shipped(run, shelf)


def test_a_damaged_run_is_not_shipped(run: Path) -> None:
    shelf = Kept()
    with (
        flipped(run / "events.jsonl", 10, 1),
        pytest.raises(Refused, match=r"is damaged: .*only a whole, signed run"),
    ):
        shipped(run, shelf)
    assert not shelf.lies


def test_a_lock_is_the_stores_own_word(run: Path) -> None:
    shelf = Kept()
    found = shipped(run, shelf, LOCKED)
    assert set(shelf.until) == set(shelf.lies)
    assert found.keep_until_utc == "2026-12-22T05:00:00Z"
    with pytest.raises(PeakdrillError, match="is not locked until 2026-12-22"):
        shipped(run, Kept(locks=False), LOCKED)


def test_what_lies_there_unlocked_is_locked_now(run: Path) -> None:
    shelf = Kept()
    shipped(run, shelf)
    shipped(run, shelf, LOCKED)
    assert set(shelf.until) == set(shelf.lies)


@pytest.mark.parametrize("text", ["", "evidence", "s3://", "s3://A/b", "http://x/y", "s3://ab\n/x"])
def test_what_names_no_place(text: str) -> None:
    with pytest.raises(UsageError, match="names no place"):
        destination(text)


def test_a_place_is_read_as_it_is_written() -> None:
    assert destination("s3://evidence") == Destination("evidence")
    assert destination("s3://evidence/a/b/", keep_days=3) == Destination(
        "evidence", "a/b", keep_days=3
    )
    assert Destination("evidence").key("x") == "x"
