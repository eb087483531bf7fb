"""The embedded platform, what a drill takes beyond its load, and the start of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from harness.core.timeline import MarkName
from harness.evidence import events, layout
from tests.bench.children import ROOT
from tests.bench.rows import Held, Job, Row, Spread, held, in_turn, ratios

COLD_S, SNAPSHOT_S, IDLE_MB = 10.0, 4.0, 600.0
BEYOND_S, START_S = 20.0, 0.4
_LIMIT_S = 300
_BIN = Path(sys.executable).parent


def embedded(job: Job) -> Row:
    """Cold, then from the snapshot that the first start left, then at rest."""
    home = job.folder("home")
    cold = [_up(home, "--fresh") for _ in range(1)]
    _down(home)
    warm, idle_mb = [], 0.0
    for turn in range(job.pick(1, 3)):
        warm.append(_up(home))
        if turn == 0:
            time.sleep(5)
            idle_mb = resident_mb(home)
        _down(home)
    first, again = Spread.of(cold), Spread.of(warm)
    reached = first.median <= COLD_S and again.median <= SNAPSHOT_S and idle_mb <= IDLE_MB
    return Row(
        "embedded platform: cold, from its snapshot, memory at rest",
        f"{COLD_S:g} s, {SNAPSHOT_S:g} s, at most {IDLE_MB:g} MB",
        f"{first.text(' s')}, {again.text(' s')}, {idle_mb:.0f} MB",
        "docker compose of the same parts and kind: neither is here",
        held(reached),
        "" if reached else
        "two PostgreSQL under two Patroni (Python), etcd, S3, an ingress and two replicas of the shop "
        "(Python), started on two shared cores; memory is the sum of what each process has to itself",
        {"cold s": cold, "snapshot s": warm, "idle MB": idle_mb},
    )  # fmt: skip


def overhead(job: Job) -> Row:
    """One smoke drill: what its clock says beyond the load, which is the drill itself."""
    home, out = job.folder("home"), job.folder("runs")
    begun = time.monotonic()
    done = _peakdrill(home, "run", "node-loss", "--size", "smoke", "--json", "--out", str(out))
    took_s = time.monotonic() - begun
    (run,) = [path.parent for path in out.glob(f"*/{layout.EVENTS}")]
    timeline = events.read(run / layout.EVENTS).timeline
    begin, end = timeline.first(MarkName.LOAD_BEGUN), timeline.last(MarkName.LOAD_STOPPED)
    if begin is None or end is None:
        raise RuntimeError(f"the drill had no load: {done.stderr[-300:]}")
    load_s = (end.latest_ns - begin.earliest_ns) / 1e9
    beyond = took_s - load_s
    return Row(
        "drill: a smoke run beyond its load and recovery", f"at most {BEYOND_S:g} s",
        f"{beyond:.1f} s beyond {load_s:.0f} s of load (verdict {json.loads(done.stdout)['verdict']})",
        "the run's own marks", held(beyond <= BEYOND_S),
        "" if beyond <= BEYOND_S else
        "the platform is started and ended in it, the longest server time-out is waited out, queues "
        "are left to settle, and the stores are read twice",
        {"beyond s": beyond, "load s": load_s},
    )  # fmt: skip


def starts(job: Job) -> Row:
    """How long it takes to say a version: nothing but the start."""
    ways: dict[str, Callable[[], float]] = {
        "peakdrill --version": _run_timed("peakdrill", "--version"),
        "chaos --version": _run_timed("chaos", "--version"),
        "locust --version": _run_timed("locust", "--version"),
    }
    found = in_turn(ways, job.pick(3, 9))
    each = {name: Spread.of(values) for name, values in found.items()}
    ours = found["peakdrill --version"]
    return Row(
        "start of the command line", f"at most {START_S:g} s",
        each["peakdrill --version"].text(" s"),
        f"chaos {ratios(found['chaos --version'], ours).text('x')} as long, locust "
        f"{ratios(found['locust --version'], ours).text('x')}",
        held(each["peakdrill --version"].median <= START_S),
        figures={name: spread.median for name, spread in each.items()},
    )  # fmt: skip


def not_asked(what: str, target: str) -> Row:
    return Row(what, target, "-", "-", Held.UNSEEN, "left out of this run (--without-platform)")


def resident_mb(home: Path) -> float:
    """Memory that the processes of that home have to themselves, and their share of the rest."""
    total_kb = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            if os.fsencode(home) in told and int(entry.name) != os.getpid():
                lines = (entry / "smaps_rollup").read_text().splitlines()
                total_kb += sum(int(s.split()[1]) for s in lines if s.startswith("Pss:"))
        except OSError:
            continue
    return total_kb / 1024


def _up(home: Path, *more: str) -> float:
    begun = time.monotonic()
    done = _peakdrill(home, "platform", "up", "--on", "embedded", *more)
    if done.returncode:
        raise RuntimeError(f"the platform did not start: {done.stderr[-400:]}")
    return time.monotonic() - begun


def _down(home: Path) -> None:
    _peakdrill(home, "platform", "down")


def _peakdrill(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PEAKDRILL_HOME": str(home), "PEAKDRILL_HISTORY": ""}
    return subprocess.run(
        [str(_BIN / "peakdrill"), *words], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=_LIMIT_S,
    )  # fmt: skip


def _run_timed(program: str, *words: str) -> Callable[[], float]:
    def once() -> float:
        begun = time.perf_counter()
        subprocess.run(
            [str(_BIN / program), *words], check=True, capture_output=True, timeout=60, cwd=ROOT
        )
        return time.perf_counter() - begun

    return once
