"""An Odoo of one's own that runs, as a stand-in, on a PostgreSQL of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from own_odoo import SECRET, OwnOdoo, load_stand


@contextmanager
def running(folder: Path) -> Iterator[OwnOdoo]:
    stand = load_stand()
    with stand.postgres(folder / "pg") as server:
        server.create("own")
        shop = stand.make_shop(folder / "shop", server, "own", dialect=14, admin_password=SECRET)
        shop.start()
        try:
            own = OwnOdoo(folder, server, shop, folder / "home")
            own.write()
            yield own
        finally:
            shop.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnOdoo]:
    """For whoever breaks it, or changes its files."""
    with running(tmp_path) as own:
        yield own


@pytest.fixture(scope="session")
def _standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnOdoo]:
    with running(tmp_path_factory.mktemp("standing")) as own:
        yield own


@pytest.fixture
def standing(_standing: OwnOdoo, tmp_path: Path) -> OwnOdoo:
    """One for all who only ask it; what peakdrill keeps of it is each test's own."""
    return replace(_standing, home=tmp_path / "home")
