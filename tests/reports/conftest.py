"""A real browser for the pages, and the runs that they show."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_in_browser import Browser, start
from report_cases import ALL

from harness.core.record import RunRecord

REQUIRED = os.environ.get("PEAKDRILL_REQUIRE_BROWSER") == "1"


@pytest.fixture(params=ALL, ids=list(ALL))
def record(request: pytest.FixtureRequest) -> RunRecord:
    return ALL[request.param]()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's chromium. Where it is not installed the tests say so; they never pass unseen."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        why = "not run: chromium and chromium-driver are not installed"
        if REQUIRED:
            pytest.fail(f"{why}, and PEAKDRILL_REQUIRE_BROWSER=1 demands them")
        pytest.skip(why)
    folder: Path = tmp_path_factory.mktemp("browser")
    running = start(chromium, driver, folder)
    try:
        yield running
    finally:
        running.quit()
        shutil.rmtree(folder, ignore_errors=True)
