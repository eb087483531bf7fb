"""Whatever bytes a file holds: a value or a typed error, and never a crash."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import PeakdrillError
from harness.inputs import places
from harness.inputs.platform_file import read_platform
from harness.inputs.targets_file import read_targets
from harness.inputs.yaml_lines import check_syntax, read_yaml

READERS: list[Callable[[Path], object]] = [read_yaml, read_targets, read_platform, check_syntax]
EXAMPLE = (places.SHIPPED / "targets.yaml").read_bytes()
SYNTAX = st.sampled_from([*"[]{}:,-?&*!|>'\"%@`#<~ \n\t\\", "---", "...", "<<: ", "\\U", "\\x"])
KEYS = st.sampled_from(
    [
        *["workloads", "overrides", "when", "scenario", "season", "approvals", "order-capture"],
        *["rto_s", "rpo_s", "not_applicable", "reason", "lost_max", "kind", "dialect", "embedded"],
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
# derandomize: the same examples every time, because a test that fails once in fifty is a defect
QUICK = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def complaint(reader: Callable[[Path], object], file: Path) -> PeakdrillError | None:
    try:
        reader(file)
    except PeakdrillError as error:
        return error
    return None


def survives(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file.yaml"
        file.write_bytes(raw)
        for reader in READERS:
            error = complaint(reader, file)
            told = str(error)
            assert error is None or error.exit_code == 2
            assert told.encode()
            assert all(c.isprintable() or c == "\n" for c in told), told


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    survives(raw)


@QUICK
@given(st.lists(SYNTAX | KEYS | st.text(max_size=3), max_size=40))
def test_any_yaml_like_text(parts: list[str]) -> None:
    survives("".join(parts).encode("utf-8", "surrogatepass"))


@QUICK
@given(VALUES)
def test_any_value(value: object) -> None:
    survives(yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass"))


@QUICK
@given(st.integers(0, len(EXAMPLE) - 1), st.integers(0, 30), st.binary(max_size=6))
def test_the_example_with_a_scratch(at: int, length: int, scratch: bytes) -> None:
    survives(EXAMPLE[:at] + scratch + EXAMPLE[at + length :])


@pytest.mark.parametrize("raw", [b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"%", b"? ", b"- - - -"])
def test_small_oddities(raw: bytes) -> None:
    survives(raw)
