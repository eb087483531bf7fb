"""`make soak`: two hours of load on the embedded platform, a fault every ten minutes, and what grew.

Exit code 0 when memory and descriptors stayed level, every fault was seen, mended and recovered
from, no acknowledged write was lost, and nothing was left of it afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from tests.soak.flat import Soaked

ROOT = Path(__file__).resolve().parents[2]


def conduct(out: Path, *, length_s: float, every_s: float) -> Soaked:
    """On a platform of its own, in OUT; told step by step on stderr."""
    from harness.interrupts import interruptible
    from harness.platforms.embedded import platform as embedded
    from reports.terminal import TerminalProgress
    from tests.soak.sampling import census
    from tests.soak.trade import Soak, soak

    home, temporary = out / "home", out / "tmp"
    for folder in (home, temporary):
        folder.mkdir(parents=True)
    os.environ["PEAKDRILL_HOME"] = str(home)
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    nothing = census(out, temporary)
    with interruptible():
        platform = embedded.up()
        try:
            standing = census(out, temporary)
            found = soak(Soak(platform, out / "run", length_s, every_s, TerminalProgress()))
            left = [f"after the load: {told}" for told in census(out, temporary).beyond(standing)]
        finally:
            platform.down()
    left += [f"at the end: {told}" for told in census(out, temporary).beyond(nothing)]
    return replace(found, found=(*found.found, *left))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--every", type=float, default=10.0, help="minutes from fault to fault")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "soak")
    asked = parser.parse_args()
    out = asked.out.absolute()
    shutil.rmtree(out, ignore_errors=True)
    found = conduct(out, length_s=asked.minutes * 60, every_s=asked.every * 60)
    out.joinpath("soak.json").write_text(json.dumps(asdict(found), indent=1))
    print(found.text())
    for fault in found.faults:
        print(f"  fault {fault.number:2d}, {fault.what}: well after {_told(fault.well_s)}, "
              f"whole after {_told(fault.whole_s)}")  # fmt: skip
    return 1 if found.problems else 0


def _told(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


if __name__ == "__main__":
    sys.exit(main())
