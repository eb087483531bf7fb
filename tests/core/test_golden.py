"""Stored evidence is judged today as it was judged then, to the byte."""

from __future__ import annotations

import pytest

from harness.core.judge import judge
from harness.evidence import canonical
from tests.core import golden_evidence

NAMES = sorted(path.stem for path in golden_evidence.GOLDEN.glob("*.json"))


def test_there_is_something_to_replay() -> None:
    assert sorted(golden_evidence.runs()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_judgement_is_the_stored_one(name: str) -> None:
    plan, evidence, stored = golden_evidence.read(name)
    assert canonical.dumps(judge(plan, evidence)) == stored
