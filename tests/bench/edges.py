"""How sharply an outage's ends are seen: cuts whose truth a proxy wrote down, a canary at 200/s."""

from __future__ import annotations

import random
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.core.arrivals import arrivals_of
from harness.core.operation import Workload
from harness.core.recovery_time import Watch, recovery_time
from harness.core.schedule import canary_ns
from harness.ledger.reader import read_ledger
from tests.bench.children import cutting_proxy, generator, light_server, result_of, told
from tests.bench.rows import Job, Row, Spread, held

RATE_PER_S = 200
WIDTH_MS, SHARE = 30.0, 0.95
_S = 10**9
_WELL_S, _CUT_S = 2.6, (0.2, 0.7)


@dataclass(frozen=True)
class Cut:
    """When the proxy cut and mended, each within two instants, and when it was over for us."""

    cut: tuple[int, int]
    mended: tuple[int, int]
    until_ns: int


def edges(job: Job) -> Row:
    folder, count = job.folder("edges"), job.pick(8, 24)
    for_s = 3.0 + count * (_WELL_S + _CUT_S[1] + 0.1)
    with light_server() as (target, _):
        port = _free_port()
        with cutting_proxy(port, target, folder / "edges.log") as proxy:
            process = generator("ours", port, folder / "run", for_s, RATE_PER_S, 0.25)
            time.sleep(3.0)
            cuts, rng = [], random.Random(3)
            for _ in range(count):
                cut = told(proxy, "cut")
                time.sleep(rng.uniform(*_CUT_S))
                mended = told(proxy, "mend")
                time.sleep(_WELL_S)
                cuts.append(Cut(cut, mended, time.monotonic_ns() - _S // 10))
            did = result_of(process)
    widths, inside, lag_ns = intervals(folder / "run", cuts, int(did["begin_ns"]), for_s)
    narrow = float(np.mean(np.array(widths) <= WIDTH_MS))
    spread = Spread.of(widths)
    return Row(
        f"edges of an outage, a canary at {RATE_PER_S}/s",
        f"{SHARE:.0%} of intervals at most {WIDTH_MS:g} ms wide; the truth inside in 100%",
        f"{narrow:.0%} of {len(widths)} are; width {spread.text(' ms')}; the truth inside in "
        f"{np.mean(inside):.0%}",
        "cuts that the proxy wrote down",
        held(narrow >= SHARE and all(inside)),
        "" if narrow >= SHARE else
        f"every interval is widened by the generator's lag, p99.9 {lag_ns / 1e6:.1f} ms in this run: "
        "server, proxy and generator share two cores",
        {"widths ms": [round(w, 2) for w in widths], "lag p99.9 ms": lag_ns / 1e6},
    )  # fmt: skip


def intervals(
    run: Path, cuts: list[Cut], begin_ns: int, for_s: float, *, rate_per_s: int = RATE_PER_S
) -> tuple[list[float], list[bool], int]:
    """Each outage's width in ms, whether the truth lies in it, and the lag that widened it."""
    operations, health = read_ledger(run / "ledger" / "worker-0.slots")
    workload = Workload.ORDER_CAPTURE
    seen = arrivals_of(operations, {workload.code: 2 * _S})
    due = canary_ns(rate_per_s=rate_per_s, until_s=for_s, workload_code=workload.code) + begin_ns
    widths, inside = [], []
    for cut in cuts:
        watch = Watch(*cut.cut, until_ns=cut.until_ns, window_ns=_S, lag_ns=health.lag_p999_ns)
        rto = recovery_time(seen, due, watch, target_ns=60 * _S)
        truth = cut.mended[0] - cut.cut[1], cut.mended[1] - cut.cut[0]  # whatever the proxy saw
        high_ns = rto.high_ns if rto.high_ns is not None else cut.until_ns - cut.cut[0]
        widths.append((high_ns - rto.low_ns) / 1e6)
        inside.append(rto.recovered and rto.low_ns <= truth[1] and truth[0] <= high_ns)
    return widths, inside, health.lag_p999_ns


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
