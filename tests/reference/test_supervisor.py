"""Process 1 of a database container, over programs that only wait."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.platforms.embedded import process
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.reference.inside import places

# `main` leaves an orphan that works in pgdata and ignores everything, as a PostgreSQL may that
# outlives its Patroni; `beside` goes on while there is a hold.
RUN = """
import sys
from pathlib import Path
from harness.platforms.reference.inside import places
from harness.platforms.reference.inside.supervisor import Program, Supervisor
data = Path(sys.argv[1])
def main():
    return [sys.executable, "-c", sys.argv[2], str(data)]
def beside():
    return [sys.executable, "-c", sys.argv[3], str(data)]
places.pgdata(data).mkdir(exist_ok=True)
sys.exit(Supervisor(
    programs=(Program("beside", beside), Program("main", main, stops_on_hold=True)),
    hold=places.hold(data), environ={"PATH": "/usr/bin:/bin"}, home=data,
    left_behind=places.pgdata(data), log=places.log(data), stop_s=float(sys.argv[4]),
).run())
"""
WAITS = """
import os, signal, sys, time
name = "{name}"
def end(*_):
    print(name, "ends", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
open(sys.argv[1] + "/" + name + ".pid", "w").write(str(os.getpid()))
print(name, "runs", flush=True)
time.sleep(600)
"""
ORPHAN = """
import os, sys, subprocess
subprocess.Popen(
    [sys.executable, "-c", "import signal, time\\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\\ntime.sleep(600)"],
    cwd=sys.argv[1] + "/pgdata", start_new_session=True,
)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
MAIN, BESIDE = WAITS.format(name="main"), WAITS.format(name="beside")
PATIENCE_S = 30.0

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    begun: list[subprocess.Popen[bytes]] = []

    def run(
        main: str = MAIN, beside: str = BESIDE, stop_s: float = 20.0
    ) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", RUN, str(tmp_path), main, beside, str(stop_s)]
        begun.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return begun[-1]

    yield run
    for child in begun:
        if child.poll() is None:
            child.terminate()
            child.wait(PATIENCE_S)
        child.communicate()
    assert works_in_pgdata(tmp_path) == []


def works_in_pgdata(data: Path) -> list[int]:
    folder = places.pgdata(data)
    return [them.pid for them in process.everybody() if process.works_in(them, folder)]


def seen(data: Path, what: str, look: Callable[[], bool]) -> None:
    await_ready(what, look, within_s=PATIENCE_S, next_step=str(list(data.iterdir())))


def told(data: Path) -> str:
    log = places.log(data)
    return log.read_text() if log.exists() else ""


def test_a_hold_stops_what_it_stops_and_a_release_starts_it_anew(
    tmp_path: Path, start: Start
) -> None:
    running = start(ORPHAN + MAIN)
    hold = places.hold(tmp_path)
    seen(tmp_path, "both", lambda: told(tmp_path).count("runs") == 2)
    assert len(works_in_pgdata(tmp_path)) == 1
    assert not hold.held.exists()
    hold.asked.touch()
    seen(tmp_path, "the hold", hold.is_held)
    assert works_in_pgdata(tmp_path) == []
    assert "main ends" in told(tmp_path)
    assert "beside ends" not in told(tmp_path)
    hold.asked.unlink()
    seen(tmp_path, "main again", lambda: told(tmp_path).count("main runs") == 2)
    assert not hold.held.exists()
    assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE_S) == 0
    lines = told(tmp_path).splitlines()
    assert lines.index("beside ends") == len(lines) - 1  # it archives until the very end


def test_a_hold_survives_the_container(tmp_path: Path, start: Start) -> None:
    hold = places.hold(tmp_path)
    hold.asked.touch()
    hold.held.touch()  # of the container before
    start()
    seen(tmp_path, "beside", lambda: "beside runs" in told(tmp_path))
    seen(tmp_path, "the hold", hold.is_held)
    time.sleep(0.5)
    assert "main runs" not in told(tmp_path)


@pytest.mark.parametrize("code", [0, 3])
def test_a_program_that_ends_takes_the_container_with_it(
    tmp_path: Path, start: Start, code: int
) -> None:
    running = start(f"{ORPHAN}\nimport time\ntime.sleep(1)\nsys.exit({code})")
    assert running.wait(PATIENCE_S) == (code or 1)
    assert works_in_pgdata(tmp_path) == []


def test_who_was_killed_says_so_in_the_exit_code(tmp_path: Path, start: Start) -> None:
    running = start()
    pid_file = tmp_path / "main.pid"
    seen(tmp_path, "main", lambda: pid_file.exists() and pid_file.read_text().isdigit())
    main = process.identify(int(pid_file.read_text()))
    assert main is not None
    with process.held([main]) as descriptors:
        process.send(descriptors, signal.SIGKILL)
    assert running.wait(PATIENCE_S) == 128 + signal.SIGKILL


def test_who_does_not_end_politely_is_ended(tmp_path: Path, start: Start) -> None:
    running = start(DEAF, stop_s=0.5)
    seen(tmp_path, "beside", lambda: "beside runs" in told(tmp_path))
    hold = places.hold(tmp_path)
    hold.asked.touch()
    seen(tmp_path, "the hold", hold.is_held)
    running.terminate()
    _, stderr = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0
    assert b"main did not end within 0.5 s: killed" in stderr
