"""Both stores: an SQLite file, and a real PostgreSQL of the wheel, on a free port of its own."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from harness import cli
from harness.history import History, open_history
from harness.history.address import VARIABLE

STAND = Path(__file__).resolve().parents[1] / "shop" / "stand.py"
NUMBERS = itertools.count()


def load_stand():
    """By its path, as tests/load does: `shop` is the package here, not the tests' folder."""
    spec = importlib.util.spec_from_file_location("history_stand", STAND)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _nobody_named_a_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    with load_stand().postgres(tmp_path_factory.mktemp("history")) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def dsn(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that does not exist yet."""
    if request.param == "sqlite":
        return str(tmp_path / "deep" / "history.sqlite")
    server = request.getfixturevalue("postgres")
    name = f"history{next(NUMBERS)}"
    server.create(name)
    return f"postgresql://shop@127.0.0.1:{server.port}/{name}"


@pytest.fixture
def history(dsn: str) -> Iterator[History]:
    with open_history(dsn) as store:
        yield store


@pytest.fixture
def by_hand(history: History) -> Callable[..., None]:
    """Somebody's own SQL."""

    def execute(text: str, **values: object) -> None:
        with history.engine.execution_options(writing=True).begin() as connection:
            connection.execute(sa.text(text), values)

    return execute


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """The command line in a folder of its own: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def caller(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = cli.exit_code(arguments)
        return (code, *capfd.readouterr())

    return caller
