"""What the writer writes the reader reads; what was damaged is found and never ACKED."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.operation import Detail, Flag, Kind, Outcome, Stage, Workload
from harness.core.operations import SLOT
from harness.errors import DamagedEvidence
from harness.ledger import reader as reader_module
from harness.ledger import writer as writer_module
from harness.ledger.reader import LagTally, read_from, read_ledger, read_ledgers
from harness.ledger.slots import HEADER_BYTES, SLOT_BYTES, Header
from harness.ledger.soundness import crc_of_columns
from harness.ledger.writer import LedgerFailed, LedgerFull, LedgerWriter

U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**63 - 1)
CALL = st.fixed_dictionaries(
    {
        "intended_ns": U64,
        "sent_ns": U64,
        "workload": st.sampled_from(Workload),
        "kind": st.sampled_from(Kind),
        "stage": st.sampled_from(Stage),
        "flags": st.sampled_from([Flag(n) for n in range(8)]),
        "record": st.none() | U32,
        "digest": st.integers(0, 2**64 - 1),
        "value_cents": U32,
    }
)
ENDING = st.none() | st.fixed_dictionaries(
    {
        "done_ns": U64,
        "outcome": st.sampled_from([Outcome.ACKED, Outcome.REFUSED, Outcome.UNKNOWN]),
        "detail": st.sampled_from(Detail),
        "sends": st.integers(0, 255),
        "answer": U32,
    }
)
each_example_its_own_file = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def new(tmp_path: Path, worker: int = 0, **more) -> tuple[Path, LedgerWriter]:
    path = tmp_path / f"worker-{worker}.slots"
    path.unlink(missing_ok=True)
    return path, LedgerWriter(path, run_id="r1", worker=worker, **more)


def some(ledger: LedgerWriter, count: int, *, acked: bool = True) -> None:
    for n in range(count):
        seq = ledger.intent(
            intended_ns=n, sent_ns=n + 3, workload=Workload.ORDER_CAPTURE, kind=Kind.CREATE
        )
        if acked:
            ledger.outcome(seq, done_ns=n + 9, outcome=Outcome.ACKED)


@each_example_its_own_file
@given(calls=st.lists(st.tuples(CALL, ENDING), max_size=40), worker=st.integers(0, 9))
def test_a_round_trip_changes_nothing(tmp_path, calls, worker):
    path, ledger = new(tmp_path, worker, chunk_slots=3)  # grows on the way
    for call, ending in calls:
        seq = ledger.intent(**call)
        if ending is not None:
            ledger.outcome(seq, **ending)
    ledger.close()
    read, health = read_ledger(path)
    assert health.closed
    assert (health.torn, health.end_seq, len(read)) == (0, len(calls), len(calls))
    for row, (call, ending) in enumerate(calls):
        assert read.worker[row] == worker
        assert read.seq[row] == row
        assert read.record[row] == (row if call["record"] is None else call["record"])
        assert read.workload[row] == call["workload"].code
        for name in ("intended_ns", "sent_ns", "kind", "stage", "flags", "digest", "value_cents"):
            assert getattr(read, name)[row] == call[name]
        for name in ("done_ns", "outcome", "detail", "sends", "answer"):
            assert getattr(read, name)[row] == (ending[name] if ending else 0)


@each_example_its_own_file
@given(call=CALL, ending=ENDING)
def test_a_slot_holds_what_its_layout_says_byte_by_byte(tmp_path, call, ending):
    path, ledger = new(tmp_path)
    ledger.outcome(ledger.intent(**call), **ending) if ending else ledger.intent(**call)
    ledger.close()
    raw = path.read_bytes()[HEADER_BYTES : HEADER_BYTES + SLOT_BYTES]
    row = np.zeros(1, dtype=SLOT)
    for name, value in call.items():
        row[name] = 0 if value is None else value.code if name == "workload" else value
    row["intent_crc"], row["state"] = zlib.crc32(row.tobytes()[:40]), 1
    if ending:
        for name, value in ending.items():
            row[name] = value
        row["outcome_crc"] = zlib.crc32(row.tobytes()[:56] + row.tobytes()[60:63])
        row["state"] = 2
    assert raw == row.tobytes()


@each_example_its_own_file
@given(rows=st.lists(st.binary(min_size=60, max_size=60), min_size=1, max_size=20))
def test_the_vectorised_crc_is_zlib_s(tmp_path, rows):
    table = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(-1, 60)
    columns = (*range(7, 31), *range(40, 59))
    wanted = [zlib.crc32(row[7:31] + row[40:59]) for row in rows]
    assert crc_of_columns(table, columns).tolist() == wanted


@each_example_its_own_file
@given(seq=st.integers(0, 39), byte=st.integers(0, 63), flip=st.integers(1, 255))
def test_a_flipped_byte_is_found_wherever_it_is(tmp_path, seq, byte, flip):
    path, ledger = new(tmp_path)
    some(ledger, 40)
    ledger.close()
    raw = bytearray(path.read_bytes())
    raw[HEADER_BYTES + seq * SLOT_BYTES + byte] ^= flip
    path.write_bytes(raw)
    read, health = read_ledger(path)
    assert health.torn >= 1
    assert seq not in read.seq[read.outcome == Outcome.ACKED]
    assert len(read) >= 39


@each_example_its_own_file
@given(byte=st.integers(0, 63), flip=st.integers(1, 255))
def test_a_flipped_byte_of_the_header_is_found(tmp_path, byte, flip):
    path, ledger = new(tmp_path)
    some(ledger, 5)
    ledger.close()
    raw = bytearray(path.read_bytes())
    raw[byte] ^= flip
    path.write_bytes(raw)
    _, health = read_ledger(path)
    assert health.torn >= 1
    assert not health.closed


def test_a_hole_and_a_cut_end_are_found(tmp_path):
    path, ledger = new(tmp_path)
    some(ledger, 10)
    ledger.close()
    raw = bytearray(path.read_bytes())
    third = HEADER_BYTES + 3 * SLOT_BYTES
    path.write_bytes(raw[:third] + bytes(SLOT_BYTES) + raw[third + SLOT_BYTES :])
    assert read_ledger(path)[1].torn == 1
    path.write_bytes(raw[: third + 20])
    read, health = read_ledger(path)
    assert len(read) == 3
    assert health.torn == 7


def test_swapped_slots_are_found(tmp_path):
    path, ledger = new(tmp_path)
    some(ledger, 2)
    ledger.close()
    raw = path.read_bytes()
    first, second = raw[64:128], raw[128:192]
    path.write_bytes(raw[:64] + second + first + raw[192:])
    read, health = read_ledger(path)
    assert (len(read), health.torn) == (0, 2)


def test_a_ledger_of_another_worker_is_not_taken_for_this_one(tmp_path):
    path, ledger = new(tmp_path, 4)
    some(ledger, 2)
    ledger.close()
    path.rename(tmp_path / "worker-5.slots")
    assert read_ledger(tmp_path / "worker-5.slots")[1].torn == 1
    stranger = tmp_path / "worker-x.slots"
    stranger.write_bytes(b"")
    with pytest.raises(DamagedEvidence):
        read_ledgers(tmp_path)


def test_an_open_ledger_can_be_read_while_it_grows(tmp_path):
    path, ledger = new(tmp_path, chunk_slots=16)
    for begun in range(0, 6000, 1000):
        some(ledger, 1000)
        read, health = read_ledger(path)
        assert not health.closed
        assert (len(read), health.torn) == (begun + 1000, 0)
        assert read_from(path, begun).seq.tolist() == list(range(begun, begun + 1000))
    some(ledger, 1, acked=False)
    ledger.close()
    read, health = read_ledger(path)
    assert health.closed
    assert read.outcome[-1] == Outcome.NONE


def test_an_empty_file_holds_nothing_and_is_not_closed(tmp_path):
    path = tmp_path / "worker-0.slots"
    path.write_bytes(b"")
    read, health = read_ledger(path)
    assert (len(read), health.closed) == (0, False)


def test_an_outcome_is_written_once_and_only_to_an_open_intent(tmp_path):
    _, ledger = new(tmp_path)
    some(ledger, 1)
    for seq in (0, 1, 99):
        with pytest.raises(ValueError, match="no open intent"):
            ledger.outcome(seq, done_ns=1, outcome=Outcome.ACKED)
    ledger.close()
    ledger.close()  # twice is harmless


def test_an_existing_ledger_is_never_overwritten(tmp_path):
    path, ledger = new(tmp_path)
    ledger.close()
    with pytest.raises(FileExistsError):
        LedgerWriter(path, run_id="r1", worker=0)


def test_a_full_disk_is_an_error_before_the_send(tmp_path, monkeypatch):
    """Room is promised in chunks; when the disk promises no more, intents end, outcomes do not."""
    path, ledger = new(tmp_path)
    some(ledger, 1023)
    last = ledger.intent(intended_ns=1, sent_ns=1, workload=Workload.FINANCE, kind=Kind.CREATE)

    def full(fd: int, offset: int, length: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(writer_module.os, "posix_fallocate", full)
    for _ in range(2):  # and it stays an error
        with pytest.raises(LedgerFull, match="No space left"):
            some(ledger, 1)
    ledger.outcome(last, done_ns=2, outcome=Outcome.ACKED)
    ledger.close()
    read, health = read_ledger(path)
    assert not health.closed, "a ledger that could not grow makes the run unfit"
    assert (len(read), health.torn) == (1024, 0)
    assert read.outcome[-1] == Outcome.ACKED


def test_a_disk_that_is_full_from_the_start_leaves_no_writer(tmp_path, monkeypatch):
    def full(fd: int, offset: int, length: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(writer_module.os, "posix_fallocate", full)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(LedgerFull):
        new(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_failed_flush_ends_the_intents(tmp_path, monkeypatch):
    path, ledger = new(tmp_path, sync_every_s=0.001)

    def broken(fd: int) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(writer_module.os, "fdatasync", broken)
    with pytest.raises(LedgerFailed, match="was not flushed"):
        some(ledger, 10**9)
    monkeypatch.undo()
    ledger.close()
    assert not read_ledger(path)[1].closed


def test_the_sync_thread_flushes_by_itself(tmp_path):
    _, ledger = new(tmp_path, sync_every_s=0.001)
    some(ledger, 100)
    while not ledger.durable:
        pass
    ledger.close()


def test_dropped_arrivals_are_counted(tmp_path):
    path, ledger = new(tmp_path)
    for n in range(3):
        seq = ledger.intent(
            intended_ns=n, sent_ns=n, workload=Workload.FINANCE, kind=Kind.CREATE
        )  # fmt: skip
        shed = {"outcome": Outcome.REFUSED, "detail": Detail.SHED_BY_CLIENT, "sends": 0}
        ledger.outcome(seq, done_ns=n, **shed)
        ledger.drop()
    assert read_ledger(path)[1].dropped == 3  # while it is open, by their rows
    ledger.close()
    assert read_ledger(path)[1].dropped == 3


def test_lag_is_that_of_scheduled_first_calls(tmp_path):
    path, ledger = new(tmp_path)
    make = {"workload": Workload.ORDER_CAPTURE, "kind": Kind.CREATE}
    first = ledger.intent(intended_ns=100, sent_ns=107, **make)
    more = {"workload": Workload.ORDER_CAPTURE, "record": first}
    ledger.intent(intended_ns=100, sent_ns=900, kind=Kind.ADVANCE, **more)
    ledger.intent(intended_ns=500, sent_ns=511, kind=Kind.READ, **more)
    ledger.intent(intended_ns=1, sent_ns=999, kind=Kind.RESYNC, **more)
    ledger.close()
    assert read_ledger(path)[1].lag_max_ns == 11


def test_the_header_is_one_slot_and_refuses_a_long_name():
    header = Header(3, "20261122T032215Z7f3a", 10, closed=True, end_seq=7, dropped=1)
    assert len(header.pack()) == HEADER_BYTES
    assert Header.unpack(header.pack()) == header
    assert Header.unpack(b"short") is None
    with pytest.raises(ValueError, match="longer than 24"):
        Header(0, "x" * 25, 1).pack()
    assert SLOT.itemsize == SLOT_BYTES


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2**62), max_size=700), max_size=8), st.integers(0, 9))
def test_the_lag_of_all_stretches_is_numpy_s_quantile(parts, more):
    every = [n for part in parts for n in part]
    tally = LagTally(len(every) + more)
    for part in parts:
        tally.add(np.array(part, dtype=np.int64))
    wanted = int(np.quantile(np.array(every), 0.999, method="higher")) if every else 0
    assert (tally.p999_ns, tally.greatest_ns) == (wanted, max(every, default=0))


@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 1002, 2001, 123_456])
def test_a_lag_that_falls_all_the_time_keeps_its_rank(count):
    falling, tally = np.arange(count, 0, -1), LagTally(count)
    for start in range(0, count, 777):
        tally.add(falling[start : start + 777])
    assert tally.p999_ns == int(np.quantile(falling, 0.999, method="higher"))


def test_a_file_read_by_small_stretches_is_the_same_file(tmp_path, monkeypatch):
    path, ledger = new(tmp_path)
    some(ledger, 40)
    some(ledger, 3, acked=False)
    found = [read_ledger(path)]
    for at_once in (1, 2, 7, 43):
        monkeypatch.setattr(reader_module, "SLOTS_AT_ONCE", at_once)
        found.append(read_ledger(path))
    ledger.close()
    for operations, health in found:
        assert health == found[0][1]
        assert operations.seq.tolist() == list(range(43))
        assert operations.outcome.tolist() == found[0][0].outcome.tolist()
