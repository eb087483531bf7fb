"""What all tests share: a home of their own, and one embedded platform for those that need one."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from page_in_browser import Browser

    from harness.platforms.capabilities import Platform
    from harness.platforms.embedded import EmbeddedPlatform
    from tests.gameday.rehearsal import Rehearsed

# An example's time is the machine's, which others use as well: no test asserts one.
settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("here")

BROWSER_REQUIRED = os.environ.get("PEAKDRILL_REQUIRE_BROWSER") == "1"
ALONE = {"platform", "alone"}  # markers of what trades, breaks or times


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--half", choices=("shared", "alone"),
        help="only tests that may share the machine with others, or only those that may not",
    )  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test is in exactly one half; without --half all of them are run."""
    if (half := config.getoption("--half")) is None:
        return
    halves: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        halves[wants_the_machine(item)].append(item)
    items[:] = halves[half == "alone"]
    config.hook.pytest_deselected(items=halves[half != "alone"])


def wants_the_machine(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ALONE)


def processes_naming(path: Path) -> list[str]:
    """Command lines, in the whole machine, that name a path."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = entry.joinpath("cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(path) in command:
            words = command.decode(errors="replace").split("\0")
            found.append(f"{entry.name}: {' '.join(words)}")
    return found


def missing_in_the_end(platform: Platform, within_s: float = 60.0) -> tuple[str, ...]:
    """What a platform lacks, once what passes has passed: one look can fail on a busy machine."""
    until = time.monotonic() + within_s
    while (missing := platform.whole().missing) and time.monotonic() < until:
        time.sleep(0.1)
    return missing


@pytest.fixture(scope="session")
def private_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """PEAKDRILL_HOME of the session: no test sees what its user has up, nor touches it."""
    home = tmp_path_factory.mktemp("home")
    before = os.environ.get("PEAKDRILL_HOME")
    os.environ["PEAKDRILL_HOME"] = str(home)
    yield home
    if before is None:
        del os.environ["PEAKDRILL_HOME"]
    else:
        os.environ["PEAKDRILL_HOME"] = before


@pytest.fixture(autouse=True)
def _at_home(private_home: Path) -> None:
    """For every test, also for those that only ask what is running."""


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest, private_home: Path) -> Iterator[EmbeddedPlatform]:
    """One whole embedded platform. Who breaks it mends it before the test ends."""
    assert request.config.getoption("--half") != "shared", "the test has no marker `platform`"
    from harness.platforms.embedded import up

    started = up()
    folder = started.directory
    try:
        yield started
    finally:
        started.down()
    assert not folder.exists()
    assert processes_naming(folder) == []


@pytest.fixture(scope="session")
def rehearsed(platform: EmbeddedPlatform, tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """A game day of three drills, held once: they are looked at in several places."""
    from tests.gameday.rehearsal import rehearse

    return rehearse(platform, tmp_path_factory.mktemp("rehearsal"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's chromium. Where it is not installed the tests say so; they never pass unseen."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        why = "not run: chromium and chromium-driver are not installed"
        if BROWSER_REQUIRED:
            pytest.fail(f"{why}, and PEAKDRILL_REQUIRE_BROWSER=1 demands them")
        pytest.skip(why)
    from page_in_browser import start

    folder: Path = tmp_path_factory.mktemp("browser")
    running = start(chromium, driver, folder)
    try:
        yield running
    finally:
        running.quit()
        shutil.rmtree(folder, ignore_errors=True)
