"""The ledger's writer: one per load worker, from one thread; the sync thread only flushes.

An intent that was not written cannot be sent: space is allocated ahead of use, so a full disk
is LedgerFull before the send, never a SIGBUS after it. What was stored survives the death of
the process at once (the page cache has it) and the death of the machine within one period.
"""

from __future__ import annotations

import _thread
import mmap
import os
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.core.operation import Detail, Flag, Kind, Outcome, Stage, Workload
from harness.errors import PeakdrillError
from harness.ledger.slots import (
    CRC_OF_SUMMED,
    HEADER_BYTES,
    INTENT,
    OUTCOME,
    OUTCOME_AT,
    OUTCOME_WITH_CRC,
    SLOT_BYTES,
    STATE_AT,
    STATE_DONE,
    STATE_INTENT,
    SUMMED_INTENT,
    Header,
    slot_offset,
)

_CHUNK_SLOTS = 1024  # 64 KiB are allocated at a time: seconds of a small load


class LedgerFull(PeakdrillError):
    """There is no room for another intent: nothing may be sent, and the run is unfit."""


class LedgerFailed(PeakdrillError):
    """The disk refused a flush: what was acknowledged may not survive the machine."""


@dataclass(frozen=True, slots=True)
class Native:
    """True threads and true sleep. A process that gevent has patched passes the originals."""

    start: Callable[[Callable[[], None], tuple[()]], int] = _thread.start_new_thread
    sleep: Callable[[float], None] = time.sleep


class LedgerWriter:
    """Appends intents, completes them with outcomes. The seqs are dense, from 0."""

    def __init__(
        self,
        path: Path,
        *,
        run_id: str,
        worker: int,
        chunk_slots: int = _CHUNK_SLOTS,
        sync_every_s: float = 0.007,
        native: Native | None = None,
    ) -> None:
        self._run_id, self._worker = run_id, worker
        self._chunk_slots = chunk_slots
        self._native = native or Native()
        self._sync_every_s = sync_every_s
        self._next = 0
        self._dropped = 0
        self._backed = 0  # slots whose blocks the disk has promised
        self._written = self._synced = 0
        self._failure: PeakdrillError | None = None
        self._closing, self._sync_ended = False, False
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            self._back(1)
            self._write_header(closed=False)
            self._map = mmap.mmap(self._fd, slot_offset(self._backed))
        except BaseException:
            os.close(self._fd)
            raise
        self._native.start(self._sync_until_closed, ())

    @property
    def next_seq(self) -> int:
        """The seq that the next intent will get: a record's key is known before it is sent."""
        return self._next

    @property
    def durable(self) -> bool:
        """Everything written so far has reached the disk."""
        return self._synced == self._written

    def intent(
        self,
        *,
        intended_ns: int,
        sent_ns: int,
        workload: Workload,
        kind: Kind,
        stage: Stage = Stage.NONE,
        flags: Flag = Flag.NONE,
        record: int | None = None,
        digest: int = 0,
        value_cents: int = 0,
    ) -> int:
        """Write what is about to be sent and return its seq. `record` None: a record of its own."""
        seq = self._next
        if seq >= self._backed or self._failure is not None:
            self._make_room(seq)
        body = INTENT.pack(
            intended_ns,
            sent_ns,
            digest,
            seq,
            seq if record is None else record,
            value_cents,
            workload.code,
            kind,
            stage,
            flags,
        )
        at = HEADER_BYTES + seq * SLOT_BYTES
        slots = self._map
        SUMMED_INTENT.pack_into(slots, at, body, zlib.crc32(body))
        slots[at + STATE_AT] = STATE_INTENT
        self._next = seq + 1
        self._written += 1
        return seq

    def outcome(
        self,
        seq: int,
        *,
        done_ns: int,
        outcome: Outcome,
        detail: Detail = Detail.NONE,
        sends: int = 1,
        answer: int = 0,
    ) -> None:
        """Write how the call of `seq` ended. Once only."""
        at = HEADER_BYTES + seq * SLOT_BYTES
        slots = self._map
        if seq >= self._next or slots[at + STATE_AT] != STATE_INTENT:
            raise ValueError(f"seq {seq} has no open intent")
        answer, sends = min(answer, 0xFFFFFFFF), min(sends, 255)
        fields = OUTCOME.pack(done_ns, answer, detail, sends, outcome)
        crc = zlib.crc32(
            fields, CRC_OF_SUMMED
        )  # goes on from the intent's, which is the same for all
        OUTCOME_WITH_CRC.pack_into(
            slots, at + OUTCOME_AT, done_ns, answer, crc, detail, sends, outcome
        )
        slots[at + STATE_AT] = STATE_DONE
        self._written += 1

    def drop(self) -> None:
        """Count an arrival that was never sent."""
        self._dropped += 1

    def sync(self) -> None:
        """A durable barrier: everything written before it is on disk when it returns."""
        written = self._written
        os.fdatasync(self._fd)
        self._synced = max(self._synced, written)

    def close(self) -> None:
        """Flush, write the end, say goodbye. Open intents stay open: they are UNKNOWN.

        After a failure the file is left unclosed, so that a reader sees that its tail is
        not to be trusted.
        """
        if self._closing:
            return
        self._closing = True
        while not self._sync_ended:
            self._native.sleep(0.001)
        try:
            if self._failure is None:
                os.fdatasync(self._fd)
                self._write_header(closed=True)
                os.fdatasync(self._fd)
        finally:
            self._map.close()
            os.close(self._fd)

    def _make_room(self, seq: int) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            self._back(seq + 1)
        except PeakdrillError as error:
            self._failure = error
            raise
        self._map.resize(slot_offset(self._backed))
        self._write_header(closed=False)

    def _back(self, slots: int) -> None:
        """Have the disk promise room for `slots`, a chunk at a time; the file is that long."""
        until = -(-slots // self._chunk_slots) * self._chunk_slots
        start = slot_offset(self._backed) if self._backed else 0
        try:
            os.posix_fallocate(self._fd, start, slot_offset(until) - start)
        except OSError as error:
            raise LedgerFull(
                f"ledger of worker {self._worker} cannot grow beyond {self._backed} slots: {error}",
                next_step="free disk space and run again; this run is unfit",
            ) from error
        self._backed = until

    def _write_header(self, *, closed: bool) -> None:
        header = Header(self._worker, self._run_id, self._backed, closed, self._next, self._dropped)
        os.pwrite(self._fd, header.pack(), 0)

    def _sync_until_closed(self) -> None:
        """Runs in a thread of its own: fdatasync frees the GIL, so calls go on meanwhile."""
        try:
            while not self._closing:
                if not self.durable:
                    self.sync()
                self._native.sleep(self._sync_every_s)
        except OSError as error:
            self._failure = LedgerFailed(
                f"ledger of worker {self._worker} was not flushed: {error}"
            )
        finally:
            self._sync_ended = True
