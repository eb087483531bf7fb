"""Over ten thousand calls: a database goes back, and no partner is called twice or left out.

What must be true afterwards is worked out here from what this test itself did, and from the
partners' own memory, without the modules under test.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from harness.core.proofs import Proof
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.readback.settle import await_settled
from harness.recovery import books, replay_integrations
from harness.recovery.streams import connected
from tests.recovery.replay_stand import RUN, STREAM, Stand, key
from tests.shop.stand import postgres, wait_until

PARTNERS = ("payment", "carrier", "marketplace")
# made and shipped before the recovery point; then half done at it; then after it
SHIPPED = range(1900)
CONFIRMED = range(1900, 2200)  # shipped after it
QUOTED = range(2200, 2400)  # confirmed and shipped after it
LATER = range(2400, 3500)  # made, confirmed and shipped after it
SOLD = range(10_000, 10_900)  # the marketplace's, before it
MOVING = range(10_900, 11_200)  # on their way when the copy was made
SOLD_LATER = range(11_200, 11_700)
UNTOLD = range(11_700, 11_750)  # made after it, and nobody was called for them yet
STALE = range(90_000, 90_050)  # on the partners' streams, for orders that are gone
MARKET = range(SOLD[0], UNTOLD[-1] + 1)


@dataclass
class Story:
    """What happened, and what everybody remembered just before the replay."""

    stand: Stand
    run: Path
    known: dict[str, frozenset[str]] = field(default_factory=dict)
    repeats: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    replay_s: float = 0.0
    told: str = ""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("replay")
    (run := folder / "run").mkdir()
    with postgres(folder / "pg") as server:
        stand = Stand(server, folder)
        try:
            yield lived(Story(stand, run))
        finally:
            stand.close()


def lived(story: Story) -> Story:
    stand, ground = story.stand, story.stand.ground(story.run)
    trade(stand)
    replay_integrations.hold(ground)
    wait_until(lambda: replay_integrations.held(ground), "everybody stands still")
    add_stale_entries(stand)
    stand.take_back()
    for partner in PARTNERS:
        calls = stand.told(partner)
        story.known[partner] = frozenset(call["key"] for call in calls)
        story.repeats[partner] = sum(call["repeat"] for call in calls)
        story.calls += len(story.known[partner])
    began_s = time.monotonic()
    replay_integrations.replay(ground)
    wait_until(lambda: replay_integrations.replayed(ground), "the calls are replayed")
    story.replay_s = time.monotonic() - began_s
    story.told = replay_integrations.replayed(ground) or ""
    print(f"\n{story.calls:,} calls; replayed in {story.replay_s:.1f} s: {story.told}")
    return story


def trade(stand: Stand) -> None:
    """Up to the recovery point, and beyond it."""
    stand.push(SOLD)
    stand.create(range(SHIPPED[0], QUOTED[-1] + 1))
    stand.confirm(range(SHIPPED[0], CONFIRMED[-1] + 1))
    stand.ship(SHIPPED)
    stand.push(MOVING)
    stand.remember()
    stand.confirm(QUOTED)
    stand.create(LATER)
    stand.confirm(LATER)
    stand.ship(range(CONFIRMED[0], LATER[-1] + 1))
    stand.push(SOLD_LATER)
    stand.await_settled()
    stand.queue.sadd("shop:shut", "calls")
    stand.push(UNTOLD)
    wait_until(lambda: len(market_orders(stand)) == len(MARKET), "the last orders are made")


def add_stale_entries(stand: Stand) -> None:
    """Published, and not delivered: the restored database gives their numbers out again."""
    for number, n in enumerate(STALE, 1):
        entry = {"id": number, "key": key(n), "payload": "{}"}
        stand.queue.xadd("partner:payment", entry)
    taken = stand.queue.xreadgroup("shop", "a-dead-one", {"partner:payment": ">"}, count=20)
    assert taken, "some of them are pending"


def market_orders(stand: Stand) -> list[str]:
    rows = stand.rows("SELECT client_order_ref FROM sale_order WHERE origin = 'marketplace'")
    return [row[0] for row in rows]


def keys(*ranges: range) -> set[str]:
    return {key(n) for numbers in ranges for n in numbers}


def effects(stand: Stand, partner: str, kind: str = "calls") -> Counter[str]:
    return Counter(call["key"] for call in stand.told(partner, kind) if not call["repeat"])


def test_there_were_ten_thousand_calls(story: Story) -> None:
    assert story.calls >= 10_000


def test_the_recovery_point_lay_in_the_middle_of_it(story: Story) -> None:
    """Else the test would prove less than it says."""
    ours = {row[0] for row in story.stand.rows("SELECT client_order_ref FROM sale_order")}
    assert keys(SHIPPED, CONFIRMED, QUOTED) <= ours
    assert not keys(LATER) & ours
    read_again = int(story.told.split(" ")[0].replace(",", ""))
    assert read_again >= len(SOLD_LATER) + len(UNTOLD)


def test_every_order_of_the_marketplace_is_back_once(story: Story) -> None:
    made = Counter(market_orders(story.stand))
    assert made == Counter(keys(MARKET))
    group = story.stand.queue.xinfo_groups(STREAM)[0]
    assert (group["pending"], group["lag"]) == (0, 0)


@pytest.mark.parametrize(
    ("partner", "taken", "cancelled"),
    [
        ("payment", (SHIPPED, CONFIRMED, QUOTED, LATER, MARKET), (QUOTED, LATER)),
        ("carrier", (SHIPPED, CONFIRMED, QUOTED, LATER), (QUOTED, LATER)),
        ("marketplace", (MARKET,), ()),
    ],
)
def test_each_call_exactly_once_by_the_partners_own_memory(
    story: Story, partner: str, taken: tuple[range, ...], cancelled: tuple[range, ...]
) -> None:
    assert effects(story.stand, partner) == Counter(keys(*taken))
    assert effects(story.stand, partner, "cancellations") == Counter(keys(*cancelled))


@pytest.mark.parametrize("partner", PARTNERS)
def test_what_a_partner_had_was_not_sent_to_it_again(story: Story, partner: str) -> None:
    again = [c for c in story.stand.told(partner) if c["repeat"]][story.repeats[partner] :]
    assert not [call["key"] for call in again if call["key"] in story.known[partner]]


def test_a_stale_entry_calls_nobody_and_marks_no_other_call_as_done(story: Story) -> None:
    assert not keys(*(STALE,)) & effects(story.stand, "payment").keys()
    pending = story.stand.queue.xpending("partner:payment", "shop")["pending"]
    assert pending == 0
    endpoints = story.stand.ground(story.run).platform.endpoints()
    assert await_settled(endpoints, 30.0) == (True, "")  # as the drill itself will ask


def test_it_is_proved_for_each_partner(story: Story) -> None:
    found = proofs(story.run)
    assert [(p.subject, p.ok) for p in found] == [(name, True) for name in PARTNERS]
    assert f"{len(keys(QUOTED, LATER)):,} taken back" in found[0].told


def test_replaying_once_more_changes_nothing(story: Story, tmp_path: Path) -> None:
    before = {name: story.stand.told(name) for name in PARTNERS}
    ground = story.stand.ground(tmp_path)
    replay_integrations.replay(ground)
    wait_until(lambda: replay_integrations.replayed(ground), "replayed once more")
    assert {name: story.stand.told(name) for name in PARTNERS} == before
    assert all(proof.ok for proof in proofs(tmp_path))


def test_partners_that_remember_no_call_of_this_run_prove_nothing(
    story: Story, tmp_path: Path
) -> None:
    ground = replace(story.stand.ground(tmp_path), run_id="another")
    with books.opened(ground.platform.database.application_dsn()) as database:
        replay_integrations.prove(ground, database)
    assert [proof.ok for proof in proofs(tmp_path)] == [None] * len(PARTNERS)


def test_a_payment_that_was_taken_twice_is_caught_and_named(story: Story, tmp_path: Path) -> None:
    twice = key(SHIPPED[7])
    story.stand.forge("payment", key=twice)
    found = proved(story.stand, tmp_path)
    assert [(p.subject, p.ok) for p in found] == [
        ("payment", False), ("carrier", True), ("marketplace", True),
    ]  # fmt: skip
    assert found[0].told == f"payment: {twice} taken 2 times"


def test_a_payment_for_nobody_and_a_missing_one_are_caught_and_named(
    story: Story, tmp_path: Path
) -> None:
    nobody, missing = f"pd-{RUN}-0-777777", key(777_778)
    story.stand.forge("carrier", key=nobody)
    story.stand.create(range(777_778, 777_779))
    story.stand.rows("UPDATE sale_order SET state = 'sale' WHERE client_order_ref = %s", missing)
    told = {proof.subject: proof.told for proof in proved(story.stand, tmp_path)}
    assert told["carrier"] == f"carrier: {nobody} taken, yet no such order is in the store"
    assert told["payment"].endswith(f"payment: {missing} never told")


def test_a_number_that_a_partner_knows_is_not_given_out_again(story: Story) -> None:
    """An order without a reference of its own goes by its number."""
    stand = story.stand
    stand.forge("payment", key="S00999")
    with books.opened(stand.server.dsn("shop")) as database:
        memory = replay_integrations.partners.memories(stand.partners_url)
        books.number_on(database, memory.values())
        name = database.execute("SELECT nextval('shop_sale_name')").fetchone()
    assert name is not None
    assert name[0] > 999


def proved(stand: Stand, run: Path) -> tuple[Proof, ...]:
    ground = stand.ground(run)
    with books.opened(stand.server.dsn("shop")) as database:
        replay_integrations.prove(ground, database)
    return proofs(run)


def proofs(run: Path) -> tuple[Proof, ...]:
    return read_lines(run / layout.PROOFS, Proof)


def test_a_queue_that_lost_its_group_is_read_from_the_start(story: Story) -> None:
    stand = story.stand
    with connected(stand.ground(story.run).platform.endpoints()) as queue:
        queue.shut("orders")
        wait_until(lambda: queue.stand_still("orders"), "nobody reads")
        stand.queue.xgroup_destroy(STREAM, "shop")
        entries = list(queue.orders())
        assert json.loads(stand.queue.xrange(STREAM, count=1)[0][1][b"order"])
        queue.set_back("0-0", 0)
        queue.let_go("orders")
    assert len(entries) == len(MARKET)
    wait_until(
        lambda: (
            not stand.queue.xinfo_groups(STREAM)[0]["lag"]
            and not stand.queue.xpending(STREAM, "shop")["pending"]
        ),
        "all of it is read",
    )
    assert Counter(market_orders(stand)) == Counter(keys(MARKET))


def test_a_stale_entry_calls_nobody_though_nobody_is_held_back(story: Story) -> None:
    """The application's own word: it calls for what its outbox owes, by number and key."""
    stand, gone, new = story.stand, key(91_000), range(91_001, 91_002)
    stand.queue.sadd("shop:shut", "calls")
    stand.create(new)
    stand.confirm(new)
    ((number,),) = stand.rows("SELECT id FROM shop_outbox WHERE key = %s", key(new[0]))
    stand.queue.xadd("partner:payment", {"id": number, "key": gone, "payload": "{}"})
    stand.queue.srem("shop:shut", "calls")
    stand.await_settled()
    wait_until(
        lambda: not stand.queue.xpending("partner:payment", "shop")["pending"], "it is dropped"
    )
    taken = effects(stand, "payment")
    assert (taken[gone], taken[key(new[0])]) == (0, 1)


def test_what_the_queue_was_given_and_nobody_delivered_is_owed_again(
    story: Story, tmp_path: Path
) -> None:
    stand, ground, new = story.stand, story.stand.ground(tmp_path), range(92_001, 92_002)
    stand.queue.sadd("shop:shut", "calls")
    wait_until(lambda: not stand.queue.keys("shop:busy:calls:*"), "the calls stand still")
    stand.create(new)
    stand.confirm(new)
    stand.rows("UPDATE shop_outbox SET published_at = clock_timestamp() WHERE done_at IS NULL")
    replay_integrations.replay(ground)
    wait_until(lambda: replay_integrations.replayed(ground), "it is sent")
    assert ", 1 sent," in (replay_integrations.replayed(ground) or "")
    assert effects(stand, "payment")[key(new[0])] == 1


def test_nobody_is_held_while_one_task_is_busy(story: Story, tmp_path: Path) -> None:
    stand, ground = story.stand, story.stand.ground(tmp_path)
    assert replay_integrations.held(ground) is None
    replay_integrations.hold(ground)
    wait_until(lambda: replay_integrations.held(ground), "everybody stands still")
    stand.queue.set("shop:busy:calls:app9:deliver", "1")
    assert replay_integrations.held(ground) is None
    stand.queue.delete("shop:busy:calls:app9:deliver")
    stand.push(range(99_000, 99_001))
    # each one is busy for the instant in which it looks at the switch
    wait_until(lambda: replay_integrations.held(ground), "everybody stands still again")
    assert key(99_000) not in market_orders(stand)
    stand.queue.srem("shop:shut", "orders", "calls")
    wait_until(lambda: key(99_000) in market_orders(stand), "they go on")
