"""The examples in the core's docstrings hold."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import harness.core

MODULES = [m.name for m in pkgutil.iter_modules(harness.core.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"harness.core.{name}")).failed == 0
