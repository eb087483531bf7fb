"""The records and the state machine: any prefix goes on, and whatever was tampered with is found."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.gameday import records as said
from harness.core.gameday.findings import Finding, Reach
from harness.core.gameday.plan import GameDay, PlannedScenario
from harness.core.gameday.state import Do, Phase, next_of, state_of
from harness.core.verdict import Verdict
from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical
from harness.gameday.records import Book, _adapter, books
from tests.gameday.desk import NOON

DAY = GameDay(
    name="d",
    digest="0" * 64,
    requested_by="Ada",
    action="",
    scenarios=tuple(PlannedScenario(f"{n}-s", "s") for n in (1, 2, 3)),
    windows=(),
    participants=(),
)
STEPS = st.sampled_from([s.step for s in DAY.scenarios])
TEXT = st.text(max_size=20)


def ended(step: str, cut: str = "") -> said.ScenarioEnded:
    verdict = Verdict.INVALID if cut else Verdict.MET
    return said.ScenarioEnded(step, "s", 1, "r1", verdict, "", "", (), Reach(), cut)


SAID = st.one_of(
    st.builds(said.Noted, TEXT, TEXT, st.just("2026-11-28T12:00:00Z")),
    st.builds(said.Answered, TEXT, TEXT, TEXT, st.booleans(), TEXT),
    st.builds(said.ScenarioBegun, STEPS, st.integers(1, 3), st.integers(0, 9)),
    st.builds(ended, STEPS, st.sampled_from(["", "aborted", "stopped by SIGINT"])),
    st.builds(said.ScenarioLost, STEPS, st.integers(1, 3), TEXT, st.booleans()),
    st.builds(said.Looked, STEPS, st.booleans(), st.tuples(TEXT)),
    st.builds(said.AbortAsked, TEXT, TEXT),
    st.builds(said.FindingOpened, st.builds(Finding, TEXT, TEXT, TEXT)),
    st.builds(said.FindingClosed, TEXT, TEXT, TEXT, TEXT),
    st.builds(said.Held, st.tuples(TEXT)),
    st.builds(said.PlatformUp, st.booleans(), TEXT),
)


def entries(*told: said.Said) -> tuple[said.Entry, ...]:
    return tuple(said.Entry(n, "", "2026-11-28T12:00:00Z", t) for n, t in enumerate(told, 1))


@settings(deadline=None)
@given(SAID)
def test_every_record_comes_back_as_it_was_written(told: said.Said) -> None:
    (entry,) = entries(told)
    body = canonical.dumps(entry)
    again = _adapter().validate_json(body)
    assert again == entry
    assert type(again.said) is type(told)
    assert canonical.dumps(again) == body


@settings(deadline=None)
@given(st.lists(SAID, max_size=12))
def test_every_heap_of_records_is_a_state_with_one_thing_next(told: list[said.Said]) -> None:
    """Nothing that can stand in a day's folder leaves it without an answer."""
    state = state_of(entries(said.Opened("d", "0"), said.Started("0", "0", "Ada"), *told))
    following = next_of(DAY, state)
    assert following == next_of(DAY, state)
    if state.aborts and following.do is Do.RUN:
        pytest.fail("an abort was asked for, and something is to be broken")
    begun = [s for s in state.steps if s.begun is not None and s is state.steps[-1]]
    assert not begun or following.do is Do.SETTLE


def played(outcomes: tuple[str, ...], killed_at: int | None = None) -> list[said.Said]:
    """A day by its state machine alone; the world does to each scenario what `outcomes` says."""
    told: list[said.Said] = [said.Opened("d", "0"), said.Started("0", "0", "Ada")]
    world = dict(zip((s.step for s in DAY.scenarios), outcomes, strict=True))
    while True:
        if killed_at is not None and len(told) >= killed_at:
            told, killed_at = told[:killed_at], None
        following = next_of(DAY, state_of(entries(*told)))
        if following.do is Do.NOTHING:
            return told
        told += _deed(following.do, following.step, world)


def _deed(do: Do, step: str, world: dict[str, str]) -> list[said.Said]:
    if do is Do.RUN:
        cut = "aborted" if world[step] == "cut" else ""
        return [said.ScenarioBegun(step, 1, 7), ended(step, cut)]
    return {
        Do.SETTLE: [said.ScenarioLost(step, 1, "killed", again=True)],
        Do.LOOK: [said.Looked(step, whole=world.get(step) != "broken")],
        Do.STOP: [said.Stopped("because")],
        Do.FINISH: [said.Finished()],
    }[do]


OUTCOMES = ("met", "cut", "broken")


@pytest.mark.parametrize("outcomes", list(itertools.product(OUTCOMES, repeat=3)), ids="-".join)
def test_a_day_that_is_killed_anywhere_ends_as_the_one_that_was_not(outcomes) -> None:
    whole = state_of(entries(*played(outcomes)))
    assert whole.phase is (Phase.FINISHED if set(outcomes) == {"met"} else Phase.STOPPED)
    bad = next((i for i, o in enumerate(outcomes) if o != "met"), 2)
    assert [s.step for s in whole.steps] == [s.step for s in DAY.scenarios[: bad + 1]]
    for length in range(2, len(played(outcomes)) + 1):
        again = state_of(entries(*played(outcomes, killed_at=length)))
        assert again.phase is whole.phase
        assert [s.step for s in again.steps] == [s.step for s in whole.steps]
        drilled = [s.step for s in again.steps if s.ended is not None]
        assert drilled == [s.step for s in whole.steps][: len(drilled)]
        assert len(drilled) >= len(whole.steps) - ("broken" in outcomes)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of nine records, once; each test takes a copy of it."""
    folder = tmp_path_factory.mktemp("kept")
    patch = pytest.MonkeyPatch()
    patch.setenv("PEAKDRILL_HOME", str(folder / "home"))
    book = Book.of(folder / "runs", "d")
    book.add(said.Started("0", "0", "Ada"), NOON)
    for planned in DAY.scenarios:
        book.add(said.ScenarioBegun(planned.step, 1, 7), NOON)
        book.add(ended(planned.step), NOON)
    book.add(said.Noted("Tom", "joined", "2026-11-28T12:00:00Z"), NOON)
    patch.undo()
    return folder


@pytest.fixture
def book(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    """The same installation, and the folder in the same place: its head belongs to the path."""
    monkeypatch.setenv("PEAKDRILL_HOME", str(kept / "home"))
    there = Book.of(kept / "runs", "d")
    shutil.copytree(there.folder, tmp_path / "safe", dirs_exist_ok=True)
    yield there
    shutil.rmtree(there.folder)
    shutil.copytree(tmp_path / "safe", there.folder)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_changed_byte_is_found_and_the_record_is_named(book: Book, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(book.files()))
    body = file.read_bytes()
    place = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda b: b != body[place]))
    file.write_bytes(body[:place] + bytes([other]) + body[place + 1 :])
    try:
        with pytest.raises(DamagedEvidence, match=file.name):
            book.entries()
    finally:
        file.write_bytes(body)
    assert len(book.entries()) == 9


@pytest.mark.parametrize("number", range(1, 10))
def test_a_record_that_was_taken_away_is_missed(book: Book, number: int) -> None:
    """The last one too: the head lies with the installation."""
    (book.folder / "records" / f"{number:04d}.json").unlink()
    with pytest.raises(DamagedEvidence, match=r"missing|follow|gone"):
        book.entries()


def test_records_that_changed_places_are_found(book: Book) -> None:
    first, second = book.files()[2:4]
    bodies = first.read_bytes(), second.read_bytes()
    first.write_bytes(bodies[1])
    second.write_bytes(bodies[0])
    with pytest.raises(DamagedEvidence, match="0003"):
        book.entries()


def test_a_record_of_another_day_does_not_belong(book: Book) -> None:
    moved = book.folder.with_name("gameday-other")
    shutil.copytree(book.folder, moved)
    try:
        with pytest.raises(DamagedEvidence, match="does not open the day other"):
            Book(moved).entries()
    finally:
        shutil.rmtree(moved)


def test_somebody_else_s_key_is_not_believed(book: Book, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "another"))
    with pytest.raises(DamagedEvidence, match="signed by the unknown key"):
        book.entries()


def test_nothing_is_added_to_a_day_that_was_tampered_with(book: Book) -> None:
    file = book.files()[4]
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedEvidence):
        book.add(said.Noted("Tom", "left", "2026-11-28T12:00:00Z"), NOON)
    assert len(book.files()) == 9


def test_what_a_kill_left_half_written_is_no_record(book: Book) -> None:
    (book.folder / "records" / ".0010.json.4711").write_bytes(b'{"payload":')
    assert len(book.entries()) == 9
    book.add(said.Noted("Tom", "left", "2026-11-28T12:00:00Z"), NOON)
    assert len(book.entries()) == 10
    (book.folder / "records" / "0010.json").unlink()
    (book.folder / "records" / ".0010.json.4711").unlink()


def test_a_closed_day_takes_nothing_more(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))
    closed = Book.of(tmp_path, "d")
    closed.add(said.Closed("0", "Ada"), NOON)
    with pytest.raises(Refused, match="nothing can be added"):
        closed.add(said.Noted("Tom", "late", "2026-11-28T12:00:00Z"), NOON)


def test_days_are_listed_oldest_first(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))
    assert books(tmp_path) == ()
    for name, hours in (("young", 5), ("old", 0)):
        Book.of(tmp_path, name).add(said.Held(("x",)), NOON + dt.timedelta(hours=hours))
    assert [b.day for b in books(tmp_path)] == ["old", "young"]


def test_two_processes_that_add_at_once_keep_one_chain(tmp_path: Path, monkeypatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))
    both = Book.of(tmp_path, "d")

    def add(number: int) -> None:
        both.add(said.Noted("Tom", str(number), "2026-11-28T12:00:00Z"), NOON)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(12)))
    told = [e.said.what for e in both.entries() if isinstance(e.said, said.Noted)]
    assert sorted(told, key=int) == [str(n) for n in range(12)]
