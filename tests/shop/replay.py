"""Replay the transcripts of real servers against the shop.

    python -m tests.shop.replay --transcripts DIR [--version 14] [--verbose]

What is left out is in left_out.txt, each with its reason. Ends with 1 when a case differs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.shop.cases import Case, load_transcript
from tests.shop.player import Outcome, Player
from tests.shop.stand import Postgres, make_shop, postgres

LEFT_OUT = Path(__file__).with_name("left_out.txt")
VERSIONS = (14, 18, 19)


def left_out() -> dict[tuple[int, str], str]:
    """(version, case) -> reason, from lines `14,18,19 name  reason`."""
    reasons: dict[tuple[int, str], str] = {}
    for line in LEFT_OUT.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        versions, name, reason = line.split(maxsplit=2)
        for version in versions.split(","):
            reasons[int(version), name] = reason
    return reasons


def replay(server: Postgres, folder: Path, version: int, cases: list[Case]) -> Iterator[Outcome]:
    """Every case that is not left out, in order."""
    database = f"replay{version}"
    server.create(database)
    shop = make_shop(folder / str(version), server, database, dialect=version)
    shop.start()
    skipped = left_out()
    try:
        player = Player(server, shop, f"odoo{version}")
        for case in cases:
            if (version, case.name) not in skipped:
                yield player.play(case)
        player.finish()
    finally:
        shop.stop()


def report(version: int, cases: list[Case], outcomes: list[Outcome], *, verbose: bool) -> int:
    failed = [outcome for outcome in outcomes if outcome.problems]
    for outcome in failed:
        print(f"{version} {outcome.case.name}")
        for problem in outcome.problems if verbose else outcome.problems[:3]:
            print(f"    {problem}")
    absent = len(cases) - len(outcomes)
    print(
        f"{version}: {len(cases)} cases, {len(outcomes)} replayed, {len(failed)} differ,"
        f" {absent} left out"
    )
    return len(failed)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.shop.replay")
    parser.add_argument("--transcripts", type=Path, required=True)
    parser.add_argument("--version", type=int, choices=VERSIONS, action="append")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(arguments)
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="replay-") as folder,
        postgres(Path(folder) / "pg") as server,
    ):
        for version in options.version or VERSIONS:
            cases = load_transcript(options.transcripts / f"{version}.jsonl")
            outcomes = list(replay(server, Path(folder), version, cases))
            failed += report(version, cases, outcomes, verbose=options.verbose)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
