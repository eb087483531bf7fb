"""A bare PostgreSQL with the shop's tables, for the read-back's SQL."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shop.database.schema import schema_sql

STAND = Path(__file__).resolve().parents[1] / "shop" / "stand.py"


def load_stand():
    """By its path, as tests/load does: `shop` is the package here, not the tests' folder."""
    spec = importlib.util.spec_from_file_location("bare_stand", STAND)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    with load_stand().postgres(tmp_path_factory.mktemp("readback")) as running:
        yield running


@pytest.fixture(scope="session")
def seeded(server) -> str:
    """A shop that nobody touches: each test has a copy, which takes less than to seed another."""
    server.create("seeded")
    with server.connect("seeded") as connection:
        connection.execute(schema_sql())
        connection.execute("SELECT shop_seed()")
    return "seeded"


@pytest.fixture
def store(server, seeded: str, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    name = f"t{abs(hash(request.node.nodeid))}"
    with server.connect("postgres") as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{seeded}"')
    with server.connect(name) as connection:
        yield connection


@pytest.fixture
def dsn(server, store: psycopg.Connection) -> str:
    return server.dsn(store.info.dbname)
