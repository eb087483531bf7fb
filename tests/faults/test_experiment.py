"""Experiment files: found by name, valid, frozen without losing a comment."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from file_platform import FilePlatform

from harness.errors import BadInput
from harness.faults import experiment as module
from harness.faults.experiment import declared_parameters, find_experiment, resolved_experiment

TEXT = """\
title: t
configuration:
  node: primary  # whom
  count: 3
  hold: {type: env, key: X, default: 1}
method: []
"""


def test_found_by_name_or_refused_with_the_names() -> None:
    assert find_experiment("node-loss").name == "node-loss.yaml"
    for name in ("nope", "../targets", ""):
        with pytest.raises(BadInput, match=r"allowed: .*node-loss, null"):
            find_experiment(name)


def test_only_the_value_changes_and_twice_changes_nothing() -> None:
    once = resolved_experiment(TEXT, {"node": "standby", "count": "5"})
    assert once == TEXT.replace("primary", '"standby"').replace("3", "5")
    assert resolved_experiment(once, {"node": "standby", "count": "5"}) == once
    assert resolved_experiment(TEXT, {}) == TEXT


@pytest.mark.parametrize("value", ["a: b", "x # y", '"quoted"', "null", "\u00fc\n", "{}"])
def test_any_text_is_a_safe_value(value: str) -> None:
    frozen = yaml.safe_load(resolved_experiment(TEXT, {"node": value}))
    assert frozen["configuration"]["node"] == value
    assert frozen["configuration"]["count"] == 3


def test_what_cannot_be_frozen_is_named() -> None:
    assert declared_parameters(TEXT) == {"node": "primary", "count": "3"}
    with pytest.raises(BadInput, match=r"e\.yaml: nodes: not a parameter.*allowed: count, node"):
        resolved_experiment(TEXT, {"nodes": "x"}, file="e.yaml")
    with pytest.raises(BadInput, match="hold: not a parameter"):
        resolved_experiment(TEXT, {"hold": "x"})
    with pytest.raises(BadInput, match=r"e\.yaml:4: count: 'many' is not a whole number"):
        resolved_experiment(TEXT, {"count": "many"}, file="e.yaml")
    with pytest.raises(BadInput, match=r"e\.yaml:2: not YAML"):
        resolved_experiment("a: 1\nb: ]", {}, file="e.yaml")
    with pytest.raises(BadInput, match="must be a mapping"):
        resolved_experiment("- 1", {})


@pytest.mark.parametrize("name", ["node-loss", "null"])
def test_the_chaos_toolkit_accepts_ours_as_they_are_and_frozen(
    name: str, files: FilePlatform, tmp_path: Path
) -> None:
    frozen = tmp_path / "experiment.yaml"
    frozen.write_text(resolved_experiment(find_experiment(name).read_text(), {"node": "standby"}))
    for file in (find_experiment(name), frozen):
        found = subprocess.run(
            [sys.executable, "-P", "-m", "chaostoolkit", "--no-version-check", "--no-log-file",
             "validate", str(file)],
            capture_output=True, check=False, cwd=tmp_path, text=True,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        assert "looks valid" in found.stderr


def test_the_examples_hold() -> None:
    found = doctest.testmod(module)
    assert (found.attempted > 0, found.failed) == (True, 0)
