"""The examples in the core's docstrings hold."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import harness.core

MODULES = [m.name for m in pkgutil.walk_packages(harness.core.__path__, "harness.core.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
