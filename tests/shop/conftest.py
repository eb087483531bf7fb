"""One PostgreSQL for all tests of the shop, and a shop on it for most of them."""

from __future__ import annotations

import pytest

from tests.shop.stand import make_shop, postgres


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("postgres")
    with postgres(folder / "pg") as running:
        yield running


@pytest.fixture(scope="session")
def shop(server, tmp_path_factory):
    """Dialect 19, shared by tests that do not stop anything."""
    server.create("shared")
    running = make_shop(tmp_path_factory.mktemp("shop"), server, "shared")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def database(server, shop):
    """A look behind the shop's back."""
    with server.connect("shared") as connection:
        yield connection
