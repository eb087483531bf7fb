"""Integration calls after the recovery point, made good exactly once.

A restore takes the database back to the recovery point R. The queue and the partners are not taken
back: they know of orders that are gone, and the database owes calls that were made long ago.

    the marketplace's orders    read again from the stream, as far back as the first one that the
                                database does not know; its inbox keeps each to one order
    calls that are owed         done, where the partner's own memory has them; else sent once
    effects that stand for
    no order any more           taken back once, after the stream was read: it may bring them back
    entries on the partners'
    streams                     dropped: the outbox alone says what is owed, and puts it there again

**Who is held back, and how.** The application comes up with the restored database, and its
consumers and publishers with it, before anybody here has looked. So they are shut *before* the
restore, by a switch in the queue (which is not restored), and seen to stand still: each task says
that it is busy before it looks at the switch, so once the switch is on and nobody is busy, nobody
will be (shop/queue/gate.py). `hold` does that; a runbook puts `HOLD` before its restore. `replay`
shuts them again, in case nobody did, and lets the orders go first, the calls last.

**If they run all the same** (a replica that knew of no switch, or a runbook without `HOLD`), three
things of the application still hold. It calls a partner only for a row of the outbox that is
there, is not done, and has the entry's number and key: a stale entry calls nobody, and cannot mark
another row done although the restored database gives its number out again. Partners take a key
once: a call that is sent again is a repeat without effect. And the inbox makes one order of one
key. What would remain is a call that was under way while the books were compared; that it is taken
for no order would be found by `replayed`, and named.

**Order of reading.** A partner's memory is read before the database: an effect's row was committed
before the effect, so whatever the memory holds can be seen in the database by then, also while the
queue's door is open and new orders come in. Where it must be proved that nothing is missing, what
is due is read first, and the memory after it.

Repeatable at any point: each part looks at what is there now.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.core import checks
from harness.core.timeline import MarkName
from harness.errors import NotReady
from harness.platforms.having import having
from harness.readback.partners import unbalanced
from harness.recovery import books, partners, streams
from harness.recovery.books import Database
from harness.recovery.ground import Ground
from harness.recovery.steps import Runbook, Step
from harness.recovery.streams import CALLS, MARKETPLACE, ORDERS, Streams

_STILL_S = 60.0  # longer than a dead replica is taken for busy
_ORDERS_S = 180.0
_LOOK_EVERY_S = 0.1
_NAMED = 5  # keys in a sentence
_CHECK = checks.calls_replayed.name


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one partner's books."""

    partner: str
    marked: int  # owed by the restored database, though the partner had them
    cancelled: int


# before the restore


def hold(ground: Ground) -> None:
    """Shut orders and calls; what is under way goes on to its end. Harmless when they are."""
    with streams.connected(ground.platform.endpoints()) as queue:
        queue.shut(ORDERS, CALLS)


def held(ground: Ground) -> str | None:
    """Seen to stand still."""
    with streams.connected(ground.platform.endpoints()) as queue:
        still = queue.stand_still(ORDERS, CALLS)
    return "consumers and publishers stand still, by their own word" if still else None


HOLD = Step(
    "hold-integrations", "Hold back orders and calls until the books agree", hold, held,
    limit_s=_STILL_S,
)  # fmt: skip


# after the restore, before the doors are opened


def replay(ground: Ground) -> None:
    """Make everything good. Repeatable after any death. Raises PlatformError, NotReady."""
    endpoints = ground.platform.endpoints()
    dsn = having(ground.platform.database, "database").application_dsn()
    with streams.connected(endpoints) as queue, books.opened(dsn) as database:
        queue.shut(ORDERS, CALLS)
        _await("standing still", _STILL_S, lambda: queue.stand_still(ORDERS, CALLS))
        again = _orders_again(queue, database)
        settled = _settle(ground, database)
        queue.forget_calls()
        sent = books.owe_again(database)
        last = books.last_call(database)
        queue.let_go(CALLS)
    marked, cancelled = (sum(getattr(s, w) for s in settled) for w in ("marked", "cancelled"))
    ground.facts["replay_last_call"] = str(last)
    ground.facts["replay_told"] = (
        f"{again:,} orders of the marketplace read again; {marked:,} calls were done already, "
        f"{sent:,} sent, {cancelled:,} effects without an order taken back"
    )
    ground.say(ground.facts["replay_told"])


def _orders_again(queue: Streams, database: Database) -> int:
    """Set the group back to before the first order that is not known; wait until all are."""
    entries = list(queue.orders())
    lacking = books.unknown(database, entries)
    if lacking:
        first = entries.index(lacking[0])
        queue.set_back(entries[first - 1].entry_id if first else "0-0", first)
    queue.let_go(ORDERS)
    if lacking:
        _await(
            f"{len(lacking):,} orders on {MARKETPLACE}",
            _ORDERS_S,
            lambda: not books.unknown(database, lacking),
        )
    return len(lacking)


def _settle(ground: Ground, database: Database) -> list[Settled]:
    url = ground.platform.endpoints().partners_url
    if not url:
        return []
    memories = partners.memories(url)
    settled = []
    for partner, memory in memories.items():
        marked = books.mark_done(database, partner, memory)
        forlorn = books.forlorn(memory, books.allowed(database, partner))
        partners.cancel(url, partner, forlorn)
        settled.append(Settled(partner, marked, len(forlorn)))
    books.number_on(database, memories.values())
    return settled


# seen


def replayed(ground: Ground) -> str | None:
    """Nothing is owed of what was; then proves, once, what each partner says of this run."""
    if "replay_told" not in ground.facts:
        return None
    dsn = having(ground.platform.database, "database").application_dsn()
    with books.opened(dsn) as database:
        if books.owed_until(database, int(ground.facts["replay_last_call"])):
            return None
        if "replay_proved" not in ground.facts:
            prove(ground, database)
            ground.facts["replay_proved"] = "yes"
    return ground.facts["replay_told"]


def prove(ground: Ground, database: Database) -> None:
    """One proof a partner, by its own memory: each call of this run exactly once."""
    url = ground.platform.endpoints().partners_url
    if not url:
        ground.prove(_CHECK, "calls", "partners", None, "the platform has no partners to ask")
        return
    prefix = f"pd-{ground.run_id}-"
    owed = {partner: books.due(database, partner) for partner in partners.PARTNERS}
    memories = partners.memories(url, prefix)
    for partner, memory in memories.items():
        orders = books.allowed(database, partner)
        wrong = unbalanced(
            partner,
            memory,
            due=sorted(key for key in owed[partner] if key.startswith(prefix)),
            allowed={key for key in memory.taken if books.order_of(key) in orders},
        )
        told = (
            f"{partner}: {len(memory.taken):,} calls, each taken exactly once; "
            f"{len(memory.cancelled):,} taken back, {memory.repeats:,} repeats without effect"
        )
        if wrong:
            more = f"; and {len(wrong) - _NAMED:,} more" if len(wrong) > _NAMED else ""
            told = "; ".join(wrong[:_NAMED]) + more
        ok = not wrong if wrong or memory.taken else None  # no call at all shows nothing
        ground.prove(_CHECK, "calls", partner, ok, told)


def _await(what: str, limit_s: float, look: Callable[[], bool]) -> None:
    until = time.monotonic() + limit_s
    while not look():
        if time.monotonic() > until:
            raise NotReady(
                f"{what}: not seen within {limit_s:g} s",
                next_step="see whether the application runs; the replay may be repeated",
            )
        time.sleep(_LOOK_EVERY_S)


REPLAY = Step(
    "replay-integrations", "Make good the integration calls after the recovery point, once each",
    replay, replayed, limit_s=300.0, mark=MarkName.REPLAYED,
    decision="effects that stand for no order are taken back: refunds and voided labels",
    role="head of finance",
)  # fmt: skip

RUNBOOK = Runbook(
    name="replay-integrations",
    title="Make good the integration calls after the recovery point, once each",
    steps=(HOLD, REPLAY),
)
