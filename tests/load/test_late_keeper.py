"""A pod that answers after its worker was given up: the evidence is sealed, and stays as it is."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from harness.core.clock_bounds import RoundTrip
from harness.evidence import layout
from harness.load_places.keeper import Keeper
from harness.load_places.orders import Passwords
from harness.platforms.load_pods import LoadPod, Role

LEDGER = b"sealed without it"


class Slow:
    """A worker that has ended, and says so late; or hands out its ledger late."""

    def __init__(self, late: str) -> None:
        self.pod = LoadPod(Role("worker", 0), "load-0", "node1", "10.0.0.9")
        self.slewed, self.late = "", late
        self.asked, self.go_on = threading.Event(), threading.Event()

    def clock(self) -> RoundTrip:
        return RoundTrip(0, 1, 2, 3)

    def put(self, name: str, data: bytes) -> None:
        pass

    def ended(self) -> dict[str, object]:
        self._wait("ended")
        digest = hashlib.sha256(LEDGER).hexdigest()
        return {"exit": 0, "sha256": digest, "bytes": len(LEDGER)}

    def file(self, name: str) -> bytes:
        return b"{}"

    def part_of(self, name: str, at: int) -> tuple[bytes, int]:
        self._wait("part")
        return LEDGER[at:], len(LEDGER)

    def close(self) -> None:
        pass

    def _wait(self, where: str) -> None:
        if where == self.late:
            self.asked.set()
            assert self.go_on.wait(60)


@pytest.mark.parametrize("late", ["ended", "part", ""])
def test_nothing_is_written_for_a_worker_that_was_given_up(tmp_path: Path, late: str) -> None:
    for folder in (layout.LOAD, layout.LEDGER):
        (tmp_path / folder).mkdir(parents=True)
    slow = Slow(late)
    keeper = Keeper(slow, tmp_path, Passwords({}), drain_s=60)  # type: ignore[arg-type]
    keeper.ask_to_stop()
    keeper.start()
    if not late:
        keeper.wait(60)
        assert keeper.lost == ""
        assert (tmp_path / layout.LEDGER / "worker-0.slots").read_bytes() == LEDGER
        return
    assert slow.asked.wait(60)
    keeper.wait(0.05)
    assert "not collected within" in keeper.lost
    before = _files(tmp_path)
    slow.go_on.set()
    assert keeper._thread is not None
    keeper._thread.join(60)
    assert not keeper._thread.is_alive()
    assert _files(tmp_path) == before


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part")
    return {path.name: path.read_bytes() for path in found}
