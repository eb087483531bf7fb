"""The platform that keeps its contract: every kind, one after the other, whole before each test.

Embedded always; containers and kubernetes are deselected like all tests that bear those markers,
until somebody asks for them: `pytest tests/contracts -m containers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.faults import journal
from harness.platforms.capabilities import Platform
from tests.contracts import stands

KINDS = (
    pytest.param("embedded", marks=pytest.mark.platform),
    pytest.param(stands.CONTAINERS, marks=pytest.mark.containers, id="containers"),
    pytest.param(stands.KUBERNETES, marks=pytest.mark.kubernetes, id="kubernetes"),
)


@pytest.fixture(scope="session", params=KINDS)
def platform_under_contract(
    request: pytest.FixtureRequest, private_home: Path
) -> Iterator[Platform]:
    """Started once. `private_home` keeps it from what its user has up."""
    if isinstance(request.param, stands.Kind):
        with stands.started(request.param, private_home) as platform:
            yield platform
        return
    yield request.getfixturevalue("platform")


@pytest.fixture
def kept(platform_under_contract: Platform) -> Iterator[Platform]:
    """Whole, and whole again afterwards, with nothing left to be undone."""
    stands.await_whole(platform_under_contract)
    yield platform_under_contract
    assert journal.pending(platform_under_contract.directory) == ()
    stands.await_whole(platform_under_contract)
