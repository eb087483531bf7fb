"""What the docstrings show is so."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["envelope", "compare"])
def test_doctests(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"harness.evidence.{name}"))
    assert found.attempted
    assert not found.failed
