"""Whether the platform's own alerts could be asked, and when the attack fell silent."""

from __future__ import annotations

import pytest

from harness.core.access import SILENCE_MAX_NS, _Log
from harness.core.alerting import AlertWatch, Detection
from harness.core.evidence import Use


@pytest.mark.parametrize(("answered", "could"), [(0, False), (1, True), (7, True)])
def test_alerts_could_be_asked_where_one_look_was_answered(answered: int, could: bool) -> None:
    watch = AlertWatch(9, answered, 0, 9, None, (), "")
    assert Detection("host:9090", watch, (), ()).could_be_asked is could
    assert Detection("host:9090", None, (), ()).could_be_asked is False


@pytest.mark.parametrize(
    ("before_ns", "silent"), [(SILENCE_MAX_NS, False), (SILENCE_MAX_NS + 1, True)]
)
def test_an_attack_is_silent_from_beyond_its_limit_on(before_ns: int, silent: bool) -> None:
    end_ns = 100 * 10**9
    use = Use("api-key", end_ns - before_ns - 5, end_ns - before_ns, accepted=True, told="accepted")
    assert _Log("api-key", (use,), None, None, end_ns, 0).silent is silent
