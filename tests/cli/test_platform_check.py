"""`peakdrill platform check`: the first line says whether a drill can run, then why."""

from __future__ import annotations

import json

import pytest

from harness.platforms import looks_before
from harness.platforms.looks import GROUND, Look, Unwell, looked


def seen(*looks: Look):
    return lambda kind, file: looks


def test_what_is_well_and_what_would_be_skipped(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        looks_before,
        "looks",
        seen(Look(GROUND, True, "all is there"), Look("backups", False, "no \x1b[31mbackup")),
    )
    ended = call("platform", "check")
    first, *rest = ended.out.splitlines()
    assert ended.code == 0
    assert first.startswith("a drill can run on embedded; ")
    assert any(line.split()[:3] == ["NOT", "WELL", "backups"] for line in rest)
    assert any("skipped" in line and "logical-corruption" in line for line in rest)
    assert "\x1b" not in ended.out
    told = json.loads(call("platform", "check", "--json").out)
    assert told["can_run"]
    assert "backups: no" in told["skipped"]["logical-corruption"]
    assert "node-loss" not in told["skipped"]


def test_without_ground_no_drill_can_run(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        looks_before, "looks", seen(Look("nodes", True, "3"), Look(GROUND, False, "nobody answers"))
    )
    ended = call("platform", "check")
    assert ended.code == 2
    assert ended.out.startswith("no drill can run on embedded: nobody answers\n")


def test_a_look_that_crashes_is_not_well() -> None:
    def crash() -> str:
        raise ZeroDivisionError("x")

    def unwell() -> str:
        raise Unwell("it is broken")

    assert looked("nodes", crash) == Look(
        "nodes", False, "could not be looked at: ZeroDivisionError: x"
    )
    assert looked("nodes", unwell) == Look("nodes", False, "it is broken")


def test_an_unknown_kind_is_refused(call) -> None:
    assert call("platform", "check", "--on", "moon").code == 2
