"""Whose approval counts: every reason to refuse one, by name, and every refusal recorded."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest

from harness.core.gameday import records as said
from harness.errors import Refused
from harness.evidence import envelope
from harness.gameday.approvals import APPROVAL_TYPE, hand_in
from harness.gameday.records import Book
from harness.gameday.windows import policy_of
from tests.gameday.desk import APPROVED, STEPS

ABSENT = """\
  - {scenario: node-loss}
  - {scenario: credential-compromise, absent: [database-administrator]}
  - {scenario: page-corruption}"""


def refusals(desk) -> list[said.ApprovalRefused]:
    return [e.said for e in desk.book().entries() if isinstance(e.said, said.ApprovalRefused)]


def refused(desk, body: bytes, why: str) -> said.ApprovalRefused:
    """Refused, recorded once with that reason, and counted by nobody."""
    before = len(refusals(desk)) if desk.book().exists else 0
    counted = desk.book().state().approvals
    with pytest.raises(Refused, match=why):
        desk.hand_in(body)
    assert desk.book().state().approvals == counted
    (fresh,) = refusals(desk)[before:]
    assert why.lower() in fresh.why.lower()
    return fresh


def test_an_approval_by_another_person_counts(desk) -> None:
    desk.approve("tom")
    (given,) = desk.book().state().approvals
    assert (given.approval.who, given.role) == ("Tom", "platform")
    assert given.key_id == desk.keys["tom"].public.key_id


def test_who_asked_cannot_approve(desk) -> None:
    assert refused(desk, desk.approval("ada"), "cannot approve it too").who == "Ada"


def test_a_role_that_may_not(desk) -> None:
    refused(desk, desk.approval("eve"), "the role intern may not approve")


def test_an_expired_one(desk) -> None:
    body = desk.approval("tom", hours=1)
    desk.now += dt.timedelta(hours=2)
    refused(desk, body, "expired at")


def test_one_for_another_plan(desk) -> None:
    body = desk.approval("tom")
    desk.file.write_text(desk.file.read_text() + "# a word more\n")
    refused(desk, body, "another plan")


def test_one_for_another_day(desk) -> None:
    refused(desk, desk.approval("tom", name="elsewhere"), "for the day elsewhere")


def test_one_for_another_action(desk) -> None:
    refused(desk, desk.approval("tom", action="drill-in-production"), "for the action")


def test_one_with_another_s_key(desk) -> None:
    refused(desk, desk.approval("tom", key="eve"), "forged")


def test_one_that_was_changed_after_it_was_signed(desk) -> None:
    told = envelope.unchecked(desk.approval("eve"))
    tom = desk.keys["tom"].public.raw.hex().encode()
    payload = told.payload.replace(b'"Eve"', b'"Tom"').replace(
        desk.keys["eve"].public.raw.hex().encode(), tom
    )
    changed = envelope.Unchecked(
        payload, told.payload_type, desk.keys["tom"].public.key_id, told.signature
    )
    refused(desk, envelope._spelled(changed), "forged")


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b'{"payload":1}'])
def test_what_is_no_approval_at_all(desk, body: bytes) -> None:
    refused(desk, body, "forged: this is no signed approval")


def test_a_signed_envelope_of_another_kind(desk) -> None:
    told = envelope.unchecked(desk.approval("tom"))
    refused(desk, envelope.seal(told.payload, "application/other", desk.keys["tom"]), "forged")
    assert envelope.unchecked(desk.approval("tom")).payload_type == APPROVAL_TYPE


def test_one_that_was_handed_in_before(desk) -> None:
    body = desk.approval("tom")
    desk.hand_in(body)
    refused(desk, body, "replayed")


def test_somebody_without_a_key(desk) -> None:
    refused(desk, desk.approval("nils", key="tom"), "has no approval key")


def test_somebody_who_takes_no_part(desk) -> None:
    refused(desk, desk.approval("zoe", key="tom"), "is no participant")


def test_one_for_a_scenario_that_is_not_planned(desk) -> None:
    refused(desk, desk.approval("tom", steps=("9-node-loss",)), "names no scenario")


def test_a_role_that_is_absent_is_refused_and_its_deputy_acts(desk) -> None:
    desk.write(scenarios=ABSENT)
    fresh = refused(desk, desk.approval("mina"), "database-administrator is absent")
    assert fresh.absent == "database-administrator"
    assert "deputy: Tom" in fresh.why
    desk.approve("mina", steps=(STEPS[0],))  # elsewhere she is there
    desk.write(
        scenarios=ABSENT,
        targets="workloads: {order-capture: {tier: high, owner: x, rto_s: 60, rpo_s: 0, latency_limit_s: 2, "
        "rate_per_s: 10}}\napprovals: [{action: drill-in-staging, roles: [database-administrator]}]\n",
    )
    desk.approve("tom", steps=(STEPS[1],))
    assert desk.book().state().approvals[-1].role == "database-administrator"
    refused(desk, desk.approval("tom", steps=(STEPS[0],)), "the role platform may not")


def test_a_disposable_platform_takes_one_other_person(desk) -> None:
    with pytest.raises(Refused, match="needs 1 approval"):
        desk.conduct()
    desk.approve("tom")
    assert desk.conduct().phase == "finished"


def test_any_other_platform_takes_two(desk) -> None:
    desk.platform.disposable = False
    desk.approve("tom")
    with pytest.raises(Refused, match="needs 2 approvals by different people"):
        desk.conduct()
    desk.approve("tom")  # the same person once more is not another
    with pytest.raises(Refused, match="has 1"):
        desk.conduct()
    assert desk.drilled() == []
    desk.approve("jonas")
    assert desk.conduct().phase == "finished"


def test_none_is_for_a_disposable_platform_alone(desk) -> None:
    desk.write("approvals: none\n")
    desk.platform.disposable = False
    with pytest.raises(Refused, match="for a disposable platform alone"):
        desk.conduct()
    desk.platform.disposable = True
    assert desk.conduct().phase == "finished"


def test_an_approval_that_expires_in_the_middle_holds_the_day(desk) -> None:
    desk.approve("tom", hours=2)

    def an_hour_later(_order: object) -> None:
        desk.now += dt.timedelta(minutes=61)

    desk.drills.before = an_hour_later
    with pytest.raises(Refused, match=r"held: .*3-page-corruption needs 1 approval"):
        desk.conduct()
    assert desk.drilled() == ["node-loss", "credential-compromise"]
    desk.drills.before = lambda _: None
    desk.approve("jonas")
    assert desk.conduct().phase == "finished"
    assert desk.drilled() == ["node-loss", "credential-compromise", "page-corruption"]


def test_two_names_with_one_key_are_one_person(desk) -> None:
    from harness.errors import BadInput

    desk.write(APPROVED)
    text = desk.file.read_text().replace(
        desk.keys["jonas"].public.key_id, desk.keys["tom"].public.key_id
    )
    desk.file.write_text(text)
    with pytest.raises(BadInput, match="key: is Jonas's too"):
        desk.day()


def elsewhere(desk) -> Book:
    """The same plan under the same name, in another folder."""
    return Book.of(desk.folder / "other", desk.day().name)


def test_one_that_was_handed_in_for_the_same_day_in_another_folder(desk) -> None:
    body = desk.approval("tom")
    desk.hand_in(body)
    book, day = elsewhere(desk), desk.day()
    with pytest.raises(Refused, match="replayed"):
        hand_in(book, day, policy_of(day), body, desk.now)
    assert book.state().approvals == ()
    assert isinstance(book.entries()[-1].said, said.ApprovalRefused)


def test_one_of_a_day_whose_records_were_removed(desk) -> None:
    body = desk.approval("tom")
    desk.hand_in(body)
    shutil.rmtree(desk.book().folder)
    refused(desk, body, "replayed")


def test_one_that_a_closed_book_did_not_take_is_not_used_up(desk, monkeypatch) -> None:
    body = desk.approval("tom")
    with monkeypatch.context() as broken:
        broken.setattr(Book, "add", _full)
        with pytest.raises(OSError, match="disk full"):
            desk.hand_in(body)
    desk.hand_in(body)
    assert [a.approval.who for a in desk.book().state().approvals] == ["Tom"]


def _full(*_: object) -> None:
    raise OSError("disk full")
