"""Ledgers, journals and events that an accident has been at: fewer records, never better ones."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import VALUES, damaged

from harness.core.operation import Outcome
from harness.core.operations import Operations
from harness.errors import PeakdrillError
from harness.evidence import events
from harness.faults import journal
from harness.ledger.reader import read_from, read_ledger
from tests.evidence.stored_run import store

OFTEN = settings(
    max_examples=int(os.environ.get("PEAKDRILL_FUZZ", "150")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated run, as it lies on disk; nobody writes here."""
    out = tmp_path_factory.mktemp("whole")
    return store(out)


def acknowledged(operations: Operations) -> set[tuple[int, ...]]:
    """What the ledger says was acknowledged, field by field."""
    acked = operations.where(operations.outcome == Outcome.ACKED)
    columns = (
        acked.worker,
        acked.seq,
        acked.record,
        acked.sent_ns,
        acked.done_ns,
        acked.value_cents,
    )
    return set(zip(*(c.tolist() for c in columns), strict=True))


@OFTEN
@given(data=st.data())
def test_a_damaged_ledger_acknowledges_nothing_new(
    data: st.DataObject, whole: Path, tmp_path: Path
) -> None:
    """No bit that flips may turn what was not acknowledged into an acknowledged write."""
    source = whole / "ledger" / "worker-0.slots"
    true = acknowledged(read_ledger(source)[0])
    file = tmp_path / source.name
    file.write_bytes(data.draw(damaged(source.read_bytes())))
    try:
        operations, health = read_ledger(file)
        read_from(file, 0)
    except PeakdrillError:
        return
    found = acknowledged(operations)
    assert found <= true
    lost = len(true) - len(found)
    assert not lost or health.torn or not health.closed or health.end_seq < len(true), (
        f"{lost} acknowledged writes are gone, and the ledger says that it is whole"
    )


@OFTEN
@given(content=st.binary(max_size=2000))
def test_any_bytes_as_a_ledger(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "worker-3.slots"
    file.write_bytes(content)
    try:
        operations, health = read_ledger(file)
    except PeakdrillError:
        return
    assert not acknowledged(operations)
    assert not health.closed or health.torn == 0


@OFTEN
@given(data=st.data())
def test_damaged_events(data: st.DataObject, whole: Path, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(data.draw(damaged((whole / "events.jsonl").read_bytes())))
    try:
        found = events.read(file)
    except PeakdrillError as error:
        told = str(error)
    else:
        told = file.name
        found_marks(found)
    assert file.name in told


def found_marks(found: events.Events) -> None:
    for mark in found.timeline.marks:
        assert mark.earliest_ns <= mark.latest_ns


@OFTEN
@given(data=st.data())
def test_a_damaged_undo_is_named_and_never_forgotten(data: st.DataObject, tmp_path: Path) -> None:
    """Something may be broken: an entry is either read as it was written or stands in the way."""
    home = tmp_path / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    entry = journal.write(home, "node-loss", {"node": "a", "selector": "primary"}, "run")
    written = entry.file.read_bytes()
    entry.file.write_bytes(
        data.draw(damaged(written) | VALUES.map(lambda v: json.dumps(v).encode()))
    )
    readable, unreadable = journal.scan(home)
    assert len(readable) + len(unreadable) == 1
    if unreadable:
        with pytest.raises(PeakdrillError, match="cannot be read"):
            journal.pending(home)


def test_an_undo_that_is_nested_too_deep_stands_in_the_way(tmp_path: Path) -> None:
    entry = journal.write(tmp_path, "node-loss", {"node": "a"}, "run")
    entry.file.write_bytes(b"[" * 100_000)
    assert journal.scan(tmp_path) == ((), (entry.file,))
