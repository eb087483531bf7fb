"""Whatever dies in the middle of a runbook, and how often: it comes to the same end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import PlatformError
from harness.recovery import resume as resuming
from harness.recovery.engine import carry_out
from harness.recovery.resume import pending, resume
from tests.faults.file_platform import FilePlatform
from tests.recovery.toy import (
    NAMES,
    POINTS,
    Strike,
    World,
    book,
    die_at_sync,
    ground,
    in_a_process_that_dies,
    striking,
    unharmed,
)

AT_ANY_POINT = st.tuples(st.sampled_from(NAMES), st.sampled_from(POINTS))
AT_ANY_WRITE = st.integers(0, 12)


def resumed(platform: FilePlatform, strike: Strike = unharmed) -> list[str]:
    """As `peakdrill undo` does it, with the toy under its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resuming, "runbook_of", lambda _: book(strike))
        return resume(platform, lambda _: None)


def undisturbed(directory: Path) -> dict[str, str]:
    platform = FilePlatform.up(directory / "undisturbed")
    assert carry_out(book(), ground(platform, directory, witnessed=False)) == ""
    return World(platform.directory).effects()


def deaths(platform: FilePlatform, run: Path, struck: list) -> int:
    """The drill dies at the first blow, each resumption at its own. Returns how many died."""
    died = 0
    for number, blow in enumerate(struck):
        strike = striking(*blow) if isinstance(blow, tuple) else unharmed

        def work(number: int = number, blow: object = blow, strike: Strike = strike) -> None:
            if isinstance(blow, int):
                die_at_sync(blow)
            if number == 0:
                carry_out(book(strike), ground(platform, run))
            else:
                resumed(platform, strike)

        died += in_a_process_that_dies(work)
    return died


def holds(platform: FilePlatform, run: Path, died: int) -> None:
    """Everything is as without a death, nothing is pending, and nobody went back."""
    resumed(platform)
    if not World(platform.directory).deeds():  # killed before it was on disk that it had begun
        return
    assert World(platform.directory).effects() == undisturbed(run)
    assert pending(platform) == ()
    done = [NAMES.index(deed) for deed in World(platform.directory).deeds()]
    assert done == sorted(done), "a step that was done is not done again"
    assert len(done) <= len(NAMES) + died, "a death costs one step at the most"


@pytest.mark.parametrize("step", NAMES)
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_each_step_it_comes_to_the_same_end(
    files: FilePlatform, toy_run: Path, step: str, point: str
) -> None:
    assert deaths(files, toy_run, [(step, point)]) == 1
    (course,) = pending(files)
    assert course.at == step
    assert course.done == NAMES[: NAMES.index(step)]
    shutil.rmtree(toy_run)  # its run is gone: that keeps nobody from mending
    toy_run.mkdir()
    holds(files, toy_run, 1)
    assert World(files.directory).deeds() == sorted([*NAMES, step], key=NAMES.index)
    assert not list(toy_run.glob("*.jsonl")), "what is mended after a run is no evidence of it"


@given(struck=st.lists(AT_ANY_POINT | AT_ANY_WRITE, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_killed_again_and_again_it_comes_to_the_same_end(struck: list) -> None:
    with tempfile.TemporaryDirectory() as folder:
        platform = FilePlatform.up(Path(folder) / "platform")
        run = Path(folder) / "r1"
        run.mkdir()
        holds(platform, run, deaths(platform, run, struck))


def test_nothing_pending_is_nothing_to_resume(files: FilePlatform, toy_run: Path) -> None:
    assert resumed(files) == []
    assert carry_out(book(), ground(files, toy_run)) == ""
    assert resumed(files) == []
    assert World(files.directory).deeds() == list(NAMES)


def test_what_cannot_be_finished_is_named_and_stays(files: FilePlatform, toy_run: Path) -> None:
    in_a_process_that_dies(
        lambda: carry_out(book(striking("restore", "half")), ground(files, toy_run))
    )

    def full(_step: str, point: str) -> None:
        if point == "half":
            raise PlatformError("the disk is full")

    for _ in range(2):
        with pytest.raises(PlatformError, match="toy of run r1: restore: the disk is full"):
            resumed(files, full)
    assert [course.at for course in pending(files)] == ["restore"]
    assert resumed(files) == ["toy of run r1 was finished"]


@pytest.mark.parametrize("damage", ["", "{", '{"runbook": "toy"}', "[]"])
def test_a_course_that_cannot_be_read_is_named(files: FilePlatform, damage: str) -> None:
    (files.directory / "recovery").mkdir()
    (files.directory / "recovery" / "r1.json").write_text(damage)
    with pytest.raises(PlatformError, match=r"a recovery was under way(.|\n)*r1\.json"):
        pending(files)


def test_a_fact_is_text_and_survives(files: FilePlatform, toy_run: Path) -> None:
    stands = ground(files, toy_run)
    stands.facts.begin("choose")
    stands.facts["backup"] = "b1"
    stands.facts["xid"] = "7"
    del stands.facts["xid"]
    (course,) = pending(files)
    assert course.facts == dict(stands.facts) == {"backup": "b1"}
    wrong: Callable[[], None] = lambda: stands.facts.__setitem__("xid", 7)  # type: ignore[arg-type]  # noqa: E731
    with pytest.raises(TypeError, match="a fact is text"):
        wrong()
