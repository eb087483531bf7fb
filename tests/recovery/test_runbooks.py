"""Every runbook that ships: loadable by its name, and readable before anything is touched."""

import pytest

from harness.core.timeline import MarkName
from harness.errors import UsageError
from harness.recovery.registry import ALL_NAMES, NAMES, runbook_of


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_says_what_it_does_who_decides_and_for_how_long(name: str) -> None:
    book = runbook_of(name)
    assert book.title
    assert book.steps
    names = [step.name for step in book.steps]
    assert len(set(names)) == len(names)
    for step in book.steps:
        assert step.title, step.name
        assert 0 < step.limit_s <= 1800, step.name
        assert bool(step.decision) == bool(step.role), f"{step.name}: a decision is somebody's"
        assert step.mark is not MarkName.REVOKED or step.note, f"{step.name}: which class?"


def test_nobody_registers_twice() -> None:
    assert len(set(ALL_NAMES)) == len(ALL_NAMES)


def test_a_runbook_that_nobody_wrote_is_refused() -> None:
    with pytest.raises(UsageError, match="no runbook 'clean-rom'"):
        runbook_of("clean-rom")
