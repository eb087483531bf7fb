"""`make campaign`: random SIGKILLs in drills on the embedded platform, with a seed and a tally.

What came of each strike is a line in OUT/campaign-<seed>.jsonl; started again with the same seed it
goes on after the last one. Two hundred take hours. Exit code 0 when nothing was found.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.campaign.strikes import SCENARIOS, Strike, strikes
from tests.campaign.striking import Struck, strike

ROOT = Path(__file__).resolve().parents[2]
_TRIES = 3  # strikes a kill: one whose run was over before is made up for


@dataclass(frozen=True, slots=True)
class Lane:
    """One of several processes that share the strikes of a campaign, each with a platform."""

    number: int = 0
    of: int = 1

    def takes(self, one: Strike) -> bool:
        return one.number % self.of == self.number


def conduct(
    out: Path,
    *,
    seed: int,
    kills: int,
    scenarios: tuple[str, ...] = SCENARIOS,
    lane: Lane = Lane(),
) -> list[Struck]:
    """Every strike so far, those of earlier calls and of other lanes among them."""
    out.mkdir(parents=True, exist_ok=True)
    told = out / f"campaign-{seed}.jsonl"
    for one in strikes(seed, scenarios):
        done = _read(told)
        if sum(s.struck for s in done) >= kills or one.number >= _TRIES * kills:
            return done
        if not lane.takes(one) or one.number in {s.number for s in done}:
            continue
        found = _on_a_whole_platform(one, out / f"strike-{seed}-{one.number}")
        with told.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(found), sort_keys=True) + "\n")
        print(line_of(found), flush=True)
    raise AssertionError("strikes never end")


def _on_a_whole_platform(one: Strike, folder: Path) -> Struck:
    """Its run is kept only where something was found."""
    from harness.platforms import find
    from harness.platforms.embedded import platform as embedded

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    standing = find.running("embedded")
    if standing is not None and not standing.whole().whole:
        standing.down()  # what an earlier strike has spoilt is its own finding
        standing = None
    platform = standing or embedded.up()
    found = strike(one, platform, folder)
    if not found.problems:
        shutil.rmtree(folder)
    return found


def _read(file: Path) -> list[Struck]:
    if not file.exists():
        return []
    found = []
    for text in file.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        found.append(Struck(**{**line, "problems": tuple(line["problems"])}))
    return found


def line_of(found: Struck) -> str:
    """
    >>> line_of(Struck(3, "node-loss", "load", "fault-active", True, 4, ()))
    '   3  node-loss              load        at fault-active      check 4  nothing found'
    """
    what = "; ".join(found.problems) or ("nothing found" if found.struck else "over before")
    return (
        f"{found.number:4d}  {found.scenario:21s}  {found.victim:10s}  at {found.mark:16s}"
        f"  check {'-' if found.code is None else found.code}  {what}"
    )


def tally(done: Sequence[Struck], seed: int, kills: int) -> str:
    """The answer, first; then by scenario and victim.

    >>> print(tally([Struck(0, "node-loss", "load", "fault-active", True, 4, ())], 7, 1))
    Nothing found: 1 SIGKILL of 1, none with anything left broken, missing or passed; seed 7.
      node-loss              load 1
    """
    struck = [s for s in done if s.struck]
    bad = [s for s in done if s.problems]
    said = f"{len(struck)} SIGKILL{'' if len(struck) == 1 else 's'} of {kills}"
    if bad:
        head = f"FOUND: {len(bad)} of {said} left something broken, missing or passed; seed {seed}."
    elif len(struck) < kills:
        head = f"Not finished: {said}; nothing found so far; seed {seed}."
    else:
        head = f"Nothing found: {said}, none with anything left broken, missing or passed; seed {seed}."
    counts = Counter((s.scenario, s.victim) for s in struck)
    lines = [head]
    for scenario in sorted({s.scenario for s in struck}):
        each = [f"{v} {n}" for (of, v), n in sorted(counts.items()) if of == scenario]
        lines.append(f"  {scenario:21s}  {', '.join(each)}")
    return "\n".join([*lines, *(f"  {line_of(s)}" for s in bad)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20_261_128)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "campaign")
    parser.add_argument("--lane", type=_lane, default=Lane(), metavar="K/N", help="0/2 and 1/2")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, default=[])
    asked = parser.parse_args()
    out = asked.out.absolute()
    os.environ["PEAKDRILL_HOME"] = str(out / f"home-{asked.lane.number}")
    scenarios = tuple(asked.scenario) or SCENARIOS
    try:
        done = conduct(
            out, seed=asked.seed, kills=asked.kills, scenarios=scenarios, lane=asked.lane
        )
    except KeyboardInterrupt:
        print("stopped: the same command goes on with the strike that was under way")
        done = _read(out / f"campaign-{asked.seed}.jsonl")
    finally:
        _end_platform()
    print(tally(done, asked.seed, asked.kills))
    whole = sum(s.struck for s in done) >= asked.kills
    return 0 if whole and not any(s.problems for s in done) else 1


def _lane(told: str) -> Lane:
    number, _, of = told.partition("/")
    made = Lane(int(number), int(of))
    if not 0 <= made.number < made.of:
        raise ValueError(told)
    return made


def _end_platform() -> None:
    from harness.platforms import find

    if (standing := find.running("embedded")) is not None:
        standing.down()


if __name__ == "__main__":
    sys.exit(main())
