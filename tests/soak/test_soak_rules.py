"""The soak's own rules: what is flat, what has grown, what was left."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.flat import Fault, Sample, Soaked, levels
from tests.soak.sampling import Census, census, sample

_LENGTH_S = 7200.0


def _samples(mb_an_hour: float = 0.0, *, descriptors_each: float = 0.0) -> list[Sample]:
    """Two hours, a look a minute; noise of one MB."""
    return [
        Sample(
            at_s=60.0 * minute,
            harness_mb=80 + mb_an_hour * minute / 60 + minute % 2,
            load_mb=60.0,
            harness_descriptors=8 + descriptors_each * (minute // 10),
            load_descriptors=70.0,
            harness_threads=3.0,
        )
        for minute in range(120)
    ]


def _grown(samples: list[Sample]) -> list[str]:
    return [level.what for level in levels(samples, _LENGTH_S) if not level.flat]


def test_what_stays_level_is_flat() -> None:
    assert _grown(_samples()) == []


@pytest.mark.parametrize("mb_an_hour", [6.0, 20.0, 500.0])
def test_a_leak_of_some_megabytes_an_hour_is_told(mb_an_hour: float) -> None:
    assert _grown(_samples(mb_an_hour)) == ["harness_mb"]


def test_one_descriptor_a_fault_is_told() -> None:
    assert _grown(_samples(descriptors_each=1.0)) == ["harness_descriptors"]


def test_growth_that_ends_with_the_warm_up_is_none() -> None:
    early = [replace(s, harness_mb=20.0) if s.at_s < 500 else s for s in _samples()]
    assert _grown(early) == []


def test_without_samples_at_one_end_nothing_is_shown() -> None:
    whole = _samples()
    for lacking in (whole[:60], whole[60:], []):
        with pytest.raises(ValueError, match="nothing is shown"):
            levels(lacking, _LENGTH_S)


def _soaked(**changes: object) -> Soaked:
    fault = Fault(1, "primary lost", 300.0, effect=True, well_s=20.0, whole_s=40.0)
    made = Soaked(_LENGTH_S, 9, 8, (fault,), tuple(levels(_samples(), _LENGTH_S)), ())
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_first_line_answers() -> None:
    assert _soaked().problems == ()
    assert _soaked().text().startswith("Flat: 120 minutes of load, 9 operations")
    bad = _soaked(found=("order-capture: 1 lost, planted by nobody",))
    assert bad.text().startswith("NOT FLAT: 1 found in 120 minutes")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(1, "primary lost", 300.0, effect=False, well_s=20.0, whole_s=40.0),
        Fault(1, "primary lost", 300.0, effect=True, well_s=None, whole_s=40.0),
        Fault(1, "primary lost", 300.0, effect=True, well_s=20.0, whole_s=None),
    ],
)
def test_a_fault_that_was_not_seen_through_is_a_problem(fault: Fault) -> None:
    assert len(_soaked(faults=(fault,)).problems) == 1


def test_a_soak_without_faults_shows_nothing() -> None:
    assert _soaked(faults=()).problems == ("no fault was made",)


def test_what_there_is_more_of_is_named() -> None:
    before = Census(Counter({"python": 2, "etcd": 3}), 5, frozenset({"kept"}))
    after = Census(Counter({"python": 3, "etcd": 2}), 6, frozenset({"kept", "new"}))
    assert after.beyond(before) == [
        "1 more of the process python", "1 more listening ports", "left behind: new",
    ]  # fmt: skip
    assert before.beyond(before) == []


def test_a_census_sees_a_process_its_port_and_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.soak.sampling._SHARED", tmp_path / "none")  # everybody's
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    temporary.mkdir()
    before = census(home, temporary)
    listen = (
        "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        "print('up', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", listen, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        temporary.joinpath("left").touch()
        told = census(home, temporary).beyond(before)
    finally:
        child.communicate(timeout=30)
    assert [line.split(": ")[0] for line in told] == [
        f"1 more of the process {Path(sys.executable).name}", "1 more listening ports",
        "left behind",
    ]  # fmt: skip


def test_a_look_finds_this_process_and_no_load(tmp_path: Path) -> None:
    found = sample(tmp_path, 0)
    assert found.harness_mb > 1
    assert found.harness_descriptors > 1
    assert (found.load_mb, found.load_descriptors) == (0, 0)
