"""An Odoo of one's own that runs, as a stand-in, on a PostgreSQL of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from own_odoo import SECRET, OwnOdoo, load_stand


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnOdoo]:
    stand = load_stand()
    with stand.postgres(tmp_path / "pg") as server:
        server.create("own")
        shop = stand.make_shop(tmp_path / "shop", server, "own", dialect=14, admin_password=SECRET)
        shop.start()
        try:
            own = OwnOdoo(tmp_path, server, shop, tmp_path / "home")
            own.write()
            yield own
        finally:
            shop.stop()
