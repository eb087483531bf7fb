"""The table of calls, derived from real servers, holds against the shop in every dialect."""

from __future__ import annotations

import pytest

from tests.shop.contract import VERSIONS, load_table
from tests.shop.player import Player
from tests.shop.stand import make_shop


@pytest.mark.parametrize("version", VERSIONS)
def test_the_shop_answers_as_the_table_says(server, tmp_path, version):
    database = f"contract{version}"
    server.create(database)
    shop = make_shop(tmp_path, server, database, dialect=version)
    shop.start()
    try:
        player = Player(server, shop, f"odoo{version}")
        outcomes = [player.play(case) for case in load_table()[version]]
        player.finish()
    finally:
        shop.stop()
    wrong = {o.case.name: o.problems for o in outcomes if o.problems}
    assert not wrong
    assert len(outcomes) > 150


def test_the_table_knows_both_states_of_the_database():
    for version, cases in load_table().items():
        assert any(case.needs_outage for case in cases), version
        assert any(case.error for case in cases), version
        assert {case.kind for case in cases} >= {"json", "html"}, version
