"""The reference alert against plain counting: answers on every edge of both its windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.arrivals import Arrivals
from harness.core.detection import burn_rate_alert_ns
from harness.core.in_time import Timed

S = 10**9
type_answers = list[tuple[int, bool]]


def arrivals(answers: type_answers) -> Arrivals:
    done_ns = np.array([done for done, _ in answers], dtype=np.int64)
    good = np.array([is_good for _, is_good in answers], dtype=np.bool_)
    no = np.zeros(len(answers), dtype=np.bool_)
    intended_ns = np.maximum(done_ns - S // 2, 0)
    return Arrivals(
        np.ones(len(answers), np.uint8), no, intended_ns, done_ns, good, good, done_ns, no
    )


def slowly(answers: type_answers, begin_ns: int, until_ns: int) -> int | None:
    """14.4% bad over the last 60 s and over the last 5 s; 0 is no end on record."""
    for at_ns in range(begin_ns, until_ns, S):
        for window_ns in (60 * S, 5 * S):
            here = [good for done, good in answers if max(1, at_ns - window_ns) <= done < at_ns]
            if not here or 1000 * here.count(False) < 144 * len(here):
                break
        else:
            return at_ns
    return None


edges = st.tuples(st.integers(0, 80), st.sampled_from([-1, 0, 1, S // 2])).map(
    lambda at: max(0, at[0] * S + at[1])
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(edges, st.sampled_from([True, True, True, True, False])), max_size=40),
    edges, st.sampled_from([0, 1, S, 7 * S, 30 * S + 1]), st.sampled_from([S, 3 * S, 64 * S]),
)  # fmt: skip
def test_it_fires_at_the_first_second_at_which_both_windows_are_bad(
    answers: type_answers, begin_ns: int, length_ns: int, stretch_ns: int
) -> None:
    found = burn_rate_alert_ns(arrivals(answers), begin_ns, begin_ns + length_ns)
    assert found == slowly(answers, begin_ns, begin_ns + length_ns)
    cut = Timed.of(arrivals(answers), stretch_ns)
    assert burn_rate_alert_ns(cut, begin_ns, begin_ns + length_ns) == found


@pytest.mark.parametrize("done_ns", [14 * S - 1, 14 * S, 14 * S + 1, 99 * S])
def test_what_is_answered_after_the_last_look_tells_it_nothing(done_ns: int) -> None:
    """Looked at from 10 s on, once a second, before 14 s: the last look is at 13 s."""
    assert burn_rate_alert_ns(arrivals([(done_ns, False)]), 10 * S, 14 * S) is None
    assert (
        burn_rate_alert_ns(arrivals([(done_ns, False), (12 * S, False)]), 10 * S, 14 * S) == 13 * S
    )
