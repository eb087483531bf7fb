"""A server as a plain process: ended with its family by whoever comes, and nobody else with it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.embedded import process
from harness.platforms.embedded.node import Part, clean_environment
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.reference.inside import in_place
from harness.platforms.reference.inside.child_server import ChildServer

PATIENCE_S = 60.0
# a server that says what it does, has a family, and is deaf to politeness where it is told to be
FAMILY = """
import signal, subprocess, sys, time
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("ready", child.pid, flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    child.kill(); child.wait()
"""
BEGIN = """
import json, sys
from pathlib import Path
from harness.platforms.embedded.node import Part
from harness.platforms.reference.inside.child_server import ChildServer
ChildServer(Path(sys.argv[1])).start(Part(**json.loads(sys.argv[2])))
"""
HOLDS = """
import sys, time
from pathlib import Path
from harness.platforms.reference.inside import in_place
with in_place._alone(Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(600)
"""


def family(folder: Path, *words: str) -> Part:
    return Part(
        name="family",
        argv=[sys.executable, "-c", FAMILY, *words],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(folder / "log"),
        stop_signal=signal.SIGINT,
    )


def both(folder: Path) -> tuple[process.ProcessId, ...]:
    """The server and its child, as soon as it has said so."""

    def look() -> tuple[process.ProcessId, ...] | None:
        log = folder / "log"
        main = process.from_stat_file(folder / "server.pid")
        if main is None or not log.exists() or "ready" not in log.read_text():
            return None
        found = (main, *process.descendants(main.pid))
        return found if len(found) > 1 else None

    return await_ready("the server", look, within_s=PATIENCE_S)


def begun_here(folder: Path, *words: str) -> ChildServer:
    server = ChildServer(folder)
    server.start(family(folder, *words))
    return server


def begun_by_one_who_died(folder: Path, *words: str) -> ChildServer:
    told = json.dumps(asdict(family(folder, *words)))
    subprocess.run([sys.executable, "-c", BEGIN, str(folder), told], check=True, timeout=PATIENCE_S)
    return ChildServer(folder)


def test_a_server_is_asked_to_end_by_the_signal_that_it_knows(tmp_path: Path) -> None:
    server = begun_here(tmp_path, "polite")
    found = both(tmp_path)
    with pytest.raises(PlatformError, match=r"runs in .* already"):
        server.start(family(tmp_path))
    assert server.stop(PATIENCE_S)
    assert not any(process.is_alive(them) for them in found)
    assert server.stop(0.0) is False  # nothing ran that could have ended by itself


def test_a_deaf_server_is_killed_with_its_family(tmp_path: Path) -> None:
    server = begun_here(tmp_path, "deaf")
    found = both(tmp_path)
    assert not server.stop(0.3)
    assert not any(process.is_alive(them) for them in found)


@pytest.mark.parametrize("begin", [begun_here, begun_by_one_who_died])
def test_whoever_comes_later_kills_a_server_with_its_family(
    tmp_path: Path, begin: Callable[..., ChildServer]
) -> None:
    starter = begin(tmp_path, "deaf")
    found = both(tmp_path)
    for _ in range(2):
        ChildServer(tmp_path).kill()
        assert not any(process.is_alive(them) for them in found)
    starter.kill()


def test_another_process_with_that_number_is_left_alone(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        text = Path(f"/proc/{bystander.pid}/stat").read_text().split()
        text[21] = str(int(text[21]) - 1)  # it started at another time
        tmp_path.joinpath("server.pid").write_text(" ".join(text))
        ChildServer(tmp_path).kill()
        time.sleep(0.1)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_second_restore_ends_the_first(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "mine\n"
        with in_place._alone(tmp_path):
            assert first.wait(PATIENCE_S) == -signal.SIGKILL
    finally:
        first.kill()
        first.communicate()
