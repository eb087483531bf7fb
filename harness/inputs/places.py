"""Where the files that ship with peakdrill lie: in a checkout and in an installed wheel alike."""

from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[2]
SCENARIOS = SHIPPED / "scenarios"
EXPERIMENTS = SHIPPED / "experiments"
