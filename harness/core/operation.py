"""Operations: what was asked of the platform, and how sure we are of the answer.

A call is ACKED when a complete body with a parsed result came back, REFUSED when it is
provably without effect, and UNKNOWN in every other case (measurement.md, section 1).
"""

from __future__ import annotations

import hashlib
import uuid
from enum import IntEnum, IntFlag, StrEnum


class Workload(StrEnum):
    """The six retail workloads, in the order of the reports. The ledger stores `code`."""

    ORDER_CAPTURE = "order-capture"
    POINT_OF_SALE = "point-of-sale"
    STOCK_RESERVATION = "stock-reservation"
    FULFILMENT = "fulfilment"
    MARKETPLACE = "marketplace-integration"
    FINANCE = "finance-reporting"

    @property
    def code(self) -> int:
        return _CODES[self]

    @classmethod
    def of_code(cls, code: int) -> Workload:
        return _BY_CODE[code]


_BY_CODE = dict(enumerate(Workload, start=1))
_CODES = {w: i for i, w in _BY_CODE.items()}


class Outcome(IntEnum):
    """How sure we are. The order is that of measurement.md: the greater, the graver."""

    NONE = 0  # an intent without an outcome: judged as UNKNOWN
    ACKED = 1
    REFUSED = 2
    UNKNOWN = 3


class Kind(IntEnum):
    """What a call does to the record that it concerns."""

    CREATE = 1  # makes the record; the op's own seq is the record's key
    ADVANCE = 2  # moves the record to `stage`
    ATTACH = 3  # adds the record's document
    CANCEL = 4  # supersedes the record: it may not come back (RESURRECTED)
    RESYNC = 5  # a till sends a CREATE again under its old key; outside the schedule
    READ = 6  # asks for a record that was acknowledged before; never LOST
    REPORT = 7  # asks for a count over the run's records; never LOST
    TOUCH = 8  # a real write that leaves no record of its own (canaries)


class Stage(IntEnum):
    """How far a record has come; within one workload a greater stage includes the smaller."""

    NONE = 0
    CREATED = 1  # sale.order draft, account.move draft, pos.order paid
    CONFIRMED = 2  # sale.order sale; account.move posted
    RESERVED = 3  # picking assigned
    DONE = 4  # picking done
    CANCELLED = 9


class Flag(IntFlag):
    """Known before the send."""

    NONE = 0
    CANARY = 1  # on the fixed grid; out of money, rates and backlog
    FINAL = 2  # the last step of its arrival: without it ACKED, the arrival is not GOOD
    IDEMPOTENT = 4  # a second send cannot make a second record


class Detail(IntEnum):
    """Why a call was not ACKED; also what a READ found. A code, never a message text."""

    NONE = 0
    FOUND = 1
    NOT_FOUND = 2
    CONNECT_REFUSED = 10
    CONNECT_TIMEOUT = 11
    TIMEOUT = 12
    RESET = 13
    INCOMPLETE_BODY = 14
    BAD_BODY = 15
    HTTP_4XX = 20
    HTTP_5XX = 21
    HTTP_503_SHED = 22
    USER_ERROR = 30
    VALIDATION_ERROR = 31
    ACCESS_ERROR = 32
    ACCESS_DENIED = 33
    MISSING_ERROR = 34
    SERIALIZATION_FAILURE = 35
    OPERATIONAL_ERROR = 40
    INTERFACE_ERROR = 41
    OTHER_ERROR = 42
    SHED_BY_CLIENT = 50  # dropped before the send: makes the run unfit
    INTERRUPTED = 51


def key_of(run_id: str, worker: int, seq: int) -> str:
    """The stamp of a record, e.g. `pd-20261122T032215Z7f3a-0-17`. A run_id has no hyphen.

    >>> key_of("r1", 0, 17)
    'pd-r1-0-17'
    """
    return f"pd-{run_id}-{worker}-{seq}"


_POS_NAMESPACE = uuid.UUID("6b1f0f4e-9f6c-5d0e-8f7b-70656b647269")


def pos_uuid(key: str) -> str:
    """The point of sale's uuid: the uuid5 of the record's key."""
    return str(uuid.uuid5(_POS_NAMESPACE, key))


def content_digest(content: str) -> int:
    """The first 8 bytes of the MD5 of the canonical content, as an unsigned 64-bit integer.

    MD5 because PostgreSQL has it built in, so a read-back computes the same number in SQL:
    `('x' || left(md5(content), 16))::bit(64)::bigint` (there signed). It guards against
    damage, not against an adversary.
    """
    return int.from_bytes(hashlib.md5(content.encode(), usedforsecurity=False).digest()[:8], "big")


def order_content(partner_id: int, lines: list[tuple[int, int, int]]) -> str:
    """Canonical content of an order: partner and lines (product_id, quantity, price_cents).

    >>> order_content(7, [(3, 1, 250), (2, 5, 999)])
    '7|2:5:999|3:1:250'
    """
    return "|".join([str(partner_id), *(f"{p}:{q}:{c}" for p, q, c in sorted(lines))])


def document_bytes(key: str, size: int = 2048) -> bytes:
    """The document that belongs to a record: a function of its key, so nobody need store it."""
    seed = hashlib.sha256(key.encode()).hexdigest()
    text = f"peakdrill document {key}\n" + seed * (size // len(seed) + 1)
    return text[:size].encode()


def document_sha1(key: str, size: int = 2048) -> str:
    """Hex SHA-1 of `document_bytes`: Odoo's `ir_attachment.checksum`."""
    return hashlib.sha1(document_bytes(key, size), usedforsecurity=False).hexdigest()
