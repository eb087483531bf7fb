"""Odoo's creates that timed out had committed. Here the stand-in that speaks Odoo's protocol."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.core.operation import Detail, Outcome
from harness.platforms.embedded import EmbeddedPlatform
from tests.conftest import missing_in_the_end
from tests.track_record.freezing import frozen, of_node
from tests.track_record.till import Till

pytestmark = [pytest.mark.track_record, pytest.mark.platform, pytest.mark.timeout(300)]
CREATES, CLIENT_S, FROZEN_S, SETTLE_S = 18, 2.0, 8.0, 3.0


def test_a_create_that_timed_out_is_unknown_and_was_committed(
    platform: EmbeddedPlatform, tmp_path: Path
) -> None:
    till = Till(platform, tmp_path, "trackrecordtimeouts")
    leader = platform.database.leader()
    assert leader is not None
    with ThreadPoolExecutor(CREATES) as pool:
        before = list(pool.map(till.order, [15.0] * CREATES))  # connections are open
        assert {answer.outcome for answer in before} == {Outcome.ACKED}
        with frozen(of_node(platform, leader, name="postgres")):
            begun = time.monotonic()
            answers = list(pool.map(till.order, [CLIENT_S] * CREATES))
            time.sleep(max(0.0, begun + FROZEN_S - time.monotonic()))
    assert {answer.outcome for answer in answers} == {Outcome.UNKNOWN}  # neither lost nor refused
    assert missing_in_the_end(platform) == ()
    time.sleep(SETTLE_S)
    judged = till.judged()
    timed_out = judged.of(Detail.TIMEOUT)
    there, count = int(judged.classes.recovered[timed_out].sum()), int(timed_out.sum())
    print(f"{count} timed out, {there} of them are in the store; {CREATES - count} had an error")
    assert there > CREATES // 3
    assert not judged.classes.ghost.any()
    assert int(judged.classes.unknown.sum()) == CREATES
    assert not judged.classes.lost.any()
