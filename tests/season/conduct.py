"""`make season`: at least 60 real smoke drills on the embedded platform, hours long.

Three releases take turns, so that a busy machine treats them alike: the baseline, a candidate
that is the same, and one whose leader lock outlives its holder by 28 s instead of 20 s, which
makes its recovery a third slower. Every round ends with one drill of another scenario. What was
run stands in OUT/season.jsonl; started again, it goes on after the last line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASELINE, CANDIDATE, SLOWER = "2026.10.0", "2026.11.0", "2026.11.1"
_TTL_S = {BASELINE: 20, CANDIDATE: 20, SLOWER: 28}
_OTHERS = (
    "page-corruption", "logical-corruption", "credential-compromise", "archive-gap", "ransomware",
)  # fmt: skip
_LIMIT_S = 600


@dataclass(frozen=True)
class Slot:
    """One drill of the season's plan."""

    number: int
    release: str
    scenario: str


def slots(rounds: int) -> Iterator[Slot]:
    """Four drills a round: node-loss for each release, then one of the other scenarios."""
    for turn in range(rounds):
        for place, release in enumerate((BASELINE, CANDIDATE, SLOWER)):
            yield Slot(4 * turn + place, release, "node-loss")
        yield Slot(4 * turn + 3, CANDIDATE, _OTHERS[turn % len(_OTHERS)])


def conduct(out: Path, rounds: int, lane: int = 0, lanes: int = 1) -> int:
    """Run what is missing of one lane; returns how many drills the season has.

    Two lanes at once, each with a PEAKDRILL_HOME of its own, where the machine has room for both.
    """
    out.mkdir(parents=True, exist_ok=True)
    told = out / "season.jsonl"
    done = {json.loads(line)["number"] for line in _lines(told)}
    for slot in slots(rounds):
        if slot.number in done or slot.number % lanes != lane:
            continue
        report = _drill(slot, out)
        line = {**asdict(slot), "run_id": report["run_id"], "verdict": report["verdict"]}
        with told.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, sort_keys=True) + "\n")
        print(
            f"{slot.number:3d}  {slot.release}  {slot.scenario:22s} {report['verdict']}", flush=True
        )
    return len(_lines(told))


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _drill(slot: Slot, out: Path) -> dict[str, str]:
    """One drill by the command line, as a user runs it, on a platform of its own."""
    platform = out / f"platform-{slot.release}.yaml"
    platform.write_text(f"kind: embedded\nleader_ttl_s: {_TTL_S[slot.release]}\n")
    command = [
        sys.executable, "-m", "harness.cli", "run", slot.scenario, "--size", "smoke", "--json",
        "--release", slot.release, "--season", "black-friday", "--seed", str(1000 + slot.number),
        "--platform", str(platform.resolve()), "--out", str(out.resolve()),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=_LIMIT_S, check=False,
    )  # fmt: skip
    if not done.stdout:
        raise SystemExit(f"drill {slot.number} ended with {done.returncode}:\n{done.stderr}")
    report = json.loads(done.stdout)
    return {"run_id": str(report["run_id"]), "verdict": str(report["verdict"])}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "season")
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--lane", default="0/1", metavar="K/N", help="Every Nth drill, from K.")
    asked = parser.parse_args()
    lane, _, lanes = asked.lane.partition("/")
    print(f"{conduct(asked.out, asked.rounds, int(lane), int(lanes))} drills in {asked.out}")
