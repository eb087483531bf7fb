"""The runs that the reports show."""

from __future__ import annotations

import pytest
from report_cases import ALL

from harness.core.record import RunRecord


@pytest.fixture(params=ALL, ids=list(ALL))
def record(request: pytest.FixtureRequest) -> RunRecord:
    return ALL[request.param]()
