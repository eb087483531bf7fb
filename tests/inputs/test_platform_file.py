"""platform.yaml: only what the embedded platform takes, strictly."""

from pathlib import Path

import pytest

from harness.errors import BadInput
from harness.inputs.platform_file import PlatformOptions, read_platform


def read(tmp_path: Path, text: str) -> PlatformOptions:
    file = tmp_path / "platform.yaml"
    file.write_text(text)
    return read_platform(file)


def test_the_defaults_are_those_of_make_drill(tmp_path: Path) -> None:
    assert read(tmp_path, "kind: embedded\n") == PlatformOptions("embedded", True, 19)


def test_everything_said(tmp_path: Path) -> None:
    text = "kind: embedded\nsynchronous: false\ndialect: 14\n"
    assert read(tmp_path, text) == PlatformOptions("embedded", False, 14)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("synchronous: true\n", "platform.yaml:1: kind: is missing"),
        ("kind: embeded\n", "did you mean embedded?"),
        ("kind: embedded\nsynchronous: yes\n", ":2: synchronous: must be true or false, not 'yes'"),
        ("kind: embedded\ndialect: 17\n", "dialect: 17 is not known; allowed: 14, 18, 19"),
        ("kind: embedded\ndialect: '19'\n", "allowed: 14, 18, 19"),
        ("kind: embedded\nsynchronus: true\n", "did you mean synchronous?"),
        ("kind: embedded\nport: 8069\n", "port: is not known"),
    ],
)
def test_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(tmp_path, text)
    assert told in str(refused.value)


def test_how_long_a_dead_leader_holds_the_lock_has_patronis_own_floor(tmp_path: Path) -> None:
    assert read(tmp_path, "kind: embedded\nleader_ttl_s: 28\n").leader_ttl_s == 28
    with pytest.raises(BadInput, match="leader_ttl_s"):
        read(tmp_path, "kind: embedded\nleader_ttl_s: 5\n")
