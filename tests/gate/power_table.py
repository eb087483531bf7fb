"""How often a release passes: the two tables of docs/gate.md.

    python -m tests.gate.power_table

Seeded, and by the product's own looks and ranks. First the claim on its own, by the share of drills
that in truth miss; then the comparison. `same`: the candidate is the baseline again;
`1.1x` to `1.3x`: every recovery takes so much longer; `edge`: a hair more than the margin allows,
which may pass in at most 5% of cases, whatever the distribution. With more runs than the first look
takes, later looks count too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harness.core.gate import sequential
from harness.core.gate.miss_rate import plan_of_looks
from harness.core.gate.noninferiority import looks, quantiles, ranks

MARGIN, GATED, CONFIDENCE, FLOOR_S, FIRST = 0.25, 0.8, 0.95, 1.0, 14
TRIALS = 20_000
RUNS = (14, 28, 56)
CLAIM_RUNS = (16, 36, 64)
MISSED = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
Times = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Times]


def two_modes(slow: float) -> Draw:
    """A fail-over that takes 5 s, or 25 s in a share of the drills; each within 1%."""
    return lambda rng, shape: (
        np.where(rng.random(shape) < slow, 25.0, 5.0) * rng.uniform(0.99, 1.01, shape)
    )


LAWS: dict[str, Draw] = {
    "a time-out, 18 to 20.5 s": lambda rng, shape: rng.uniform(18, 20.5, shape),
    "normal, 20 s, 5%": lambda rng, shape: rng.normal(20, 1, shape),
    "normal, 20 s, 10%": lambda rng, shape: np.maximum(0, rng.normal(20, 2, shape)),
    "lognormal, sigma 0.4": lambda rng, shape: rng.lognormal(3, 0.4, shape),
    "two modes, slow in 1%": two_modes(0.01),
    "two modes, slow in 10%": two_modes(0.1),
    "heavy tail (Pareto 1.1)": lambda rng, shape: 10 * (1 + rng.pareto(1.1, shape)),
}
CANDIDATES = {"same": 1.0, "1.1x": 1.1, "1.2x": 1.2, "edge": 1 + MARGIN + 1e-4, "1.3x": 1.3}


def passes(candidate: Times, baseline: Times, first: int = FIRST) -> npt.NDArray[np.bool_]:
    """Row by row, whether any appointed look passes: the product's ranks on sorted columns."""
    ever = np.zeros(len(candidate), bool)
    for look in looks(GATED, CONFIDENCE, first):
        if look.runs > candidate.shape[1]:
            break
        good = np.ones(len(candidate), bool)
        for quantile in quantiles(GATED):
            found = ranks(look.runs, look.runs, quantile, look.error)
            assert found is not None
            upper = np.sort(candidate[:, : look.runs])[:, found[0] - 1]
            lower = np.sort(baseline[:, : look.runs])[:, found[1] - 1]
            allowed = np.maximum(lower * (1 + MARGIN), lower + FLOOR_S)
            good &= np.isfinite(upper) & (upper <= allowed)
        ever |= good
    return ever


def rates(law: Draw, runs: int, *, trials: int = TRIALS, seed: int = 20261127) -> dict[str, float]:
    """How often each candidate passes with so many runs of each."""
    rng = np.random.default_rng(seed)
    baseline, candidate = law(rng, (trials, runs)), law(rng, (trials, runs))
    return {
        name: float(passes(candidate * times, baseline).mean())
        for name, times in CANDIDATES.items()
    }


def claim_rates(missed: float, *, trials: int = TRIALS, seed: int = 20261127) -> list[float]:
    """How often the claim has passed by so many runs, appointed looks first, then sequential."""
    rng = np.random.default_rng(seed)
    misses = np.cumsum(rng.random((trials, CLAIM_RUNS[-1])) < missed, axis=1)
    appointed = plan_of_looks(GATED, CONFIDENCE, FIRST)
    found = []
    for most in CLAIM_RUNS:
        within = [look for look in appointed if look.runs <= most]
        passed = [misses[:, look.runs - 1] <= look.allowed for look in within]
        found.append(float(np.any(passed, axis=0).mean()))
    ever = np.zeros(trials, bool)
    by_runs: dict[int, float] = {}
    for runs in range(1, CLAIM_RUNS[-1] + 1):
        counts = misses[:, runs - 1]
        rule = [sequential.decided(k, runs, GATED, CONFIDENCE) for k in range(counts.max() + 1)]
        ever |= np.array(rule)[counts]
        by_runs[runs] = float(ever.mean())
    return found + [by_runs[most] for most in CLAIM_RUNS]


def claim_rows() -> list[str]:
    head = ["drills that miss", *(f"{n} runs" for n in CLAIM_RUNS)]
    head += [f"sequential, {n}" for n in CLAIM_RUNS]
    lines = [f"| {' | '.join(head)} |", "|:--" + "|--:" * (len(head) - 1) + "|"]
    for missed in MISSED:
        told = [f"{100 * rate:.1f}%" for rate in claim_rates(missed)]
        lines.append(f"| {missed:.1%} | {' | '.join(told)} |")
    return lines


def rows() -> list[str]:
    head = ["recovery time", "runs of each", *CANDIDATES]
    lines = [f"| {' | '.join(head)} |", "|:--" + "|--:" * (len(head) - 1) + "|"]
    for name, law in LAWS.items():
        for runs in RUNS:
            told = [f"{100 * rate:.1f}%" for rate in rates(law, runs).values()]
            lines.append(f"| {name} | {runs} | {' | '.join(told)} |")
    return lines


if __name__ == "__main__":
    print("\n".join([*claim_rows(), "", *rows()]))
