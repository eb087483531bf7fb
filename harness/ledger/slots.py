"""The slot file: a header of 64 bytes, then one slot of 64 bytes for every call.

The slot's index is the call's seq, so a key leads straight to its slot and a hole is a finding.
A slot is written twice: the intent and its CRC before the send, the outcome and its CRC after
it. Each time the state byte goes last, so a writer that dies leaves either the old state or
the whole new one. The header is written by a single pwrite, which a signal cannot cut in two.

    0  magic, version, worker, closed   16  run_id   40  capacity   48  end_seq   52  dropped
    60  CRC-32 of the 60 bytes before it
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from harness.core.operations import SLOT

SLOT_BYTES = SLOT.itemsize
HEADER_BYTES = 64
MAGIC = b"PKDLEDGR"
VERSION = 1

STATE_EMPTY, STATE_INTENT, STATE_DONE = 0, 1, 2
INTENT_BYTES = 40  # what intent_crc covers
OUTCOME_AT = 44  # where the outcome's fields begin
OUTCOME_CRC_AT = 56
STATE_AT = 63

INTENT = struct.Struct("<QQQIIIBBBB")
SUMMED_INTENT = struct.Struct(f"<{INTENT_BYTES}sI")  # an intent and its CRC
CRC = struct.Struct("<I")
OUTCOME = struct.Struct("<QIBBB")  # done, answer, detail, sends, outcome: what its CRC covers
OUTCOME_WITH_CRC = struct.Struct("<QIIBBB")  # the same as it lies in the slot
CRC_OF_SUMMED = 0x2144DF1C  # of any bytes followed by their own CRC-32: of every sound intent
_HEADER = struct.Struct("<8sHHI24sQII4x")

assert INTENT.size == INTENT_BYTES
assert SUMMED_INTENT.size == OUTCOME_AT
assert OUTCOME_WITH_CRC.size == STATE_AT - OUTCOME_AT
assert zlib.crc32(b"any" + CRC.pack(zlib.crc32(b"any"))) == CRC_OF_SUMMED
assert _HEADER.size + CRC.size == HEADER_BYTES


@dataclass(frozen=True, slots=True)
class Header:
    """Who wrote the file, how far it goes, and whether its writer said goodbye."""

    worker: int
    run_id: str
    capacity: int  # slots that the file has room for
    closed: bool = False
    end_seq: int = 0  # slots in use; meaningful when closed
    dropped: int = 0  # arrivals that were never sent; meaningful when closed

    def pack(self) -> bytes:
        name = self.run_id.encode("ascii")
        if len(name) > 24:
            raise ValueError(f"run_id {self.run_id!r} is longer than 24 characters")
        body = _HEADER.pack(
            MAGIC,
            VERSION,
            self.worker,
            int(self.closed),
            name,
            self.capacity,
            self.end_seq,
            self.dropped,
        )
        return body + CRC.pack(zlib.crc32(body))

    @classmethod
    def unpack(cls, raw: bytes) -> Header | None:
        """The header in `raw`, or None when it is not whole or not of this format."""
        if len(raw) < HEADER_BYTES:
            return None
        body = raw[: _HEADER.size]
        if CRC.unpack_from(raw, _HEADER.size)[0] != zlib.crc32(body):
            return None
        magic, version, worker, closed, run_id, capacity, end_seq, dropped = _HEADER.unpack(body)
        if magic != MAGIC or version != VERSION:
            return None
        return cls(
            worker, run_id.rstrip(b"\0").decode("ascii"), capacity, bool(closed), end_seq, dropped
        )


def slot_offset(seq: int) -> int:
    """Where the slot of `seq` begins in the file."""
    return HEADER_BYTES + seq * SLOT_BYTES
