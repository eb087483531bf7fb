"""`peakdrill check`: judge the stored evidence again and compare. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.core.judge import judge
from harness.core.verdict import Judgement
from harness.evidence import canonical, layout
from harness.evidence.load import open_run


@dataclass(frozen=True, slots=True)
class Checked:
    """The judgement of today, and whether it is the stored one, byte for byte."""

    judgement: Judgement
    stored: bytes  # b"" where the run never got as far as a verdict
    recomputed: bytes

    @property
    def same(self) -> bool:
        return self.stored == self.recomputed


def check(directory: Path) -> Checked:
    """Recompute the verdict from the evidence. Raises Refused and DamagedEvidence."""
    plan, evidence, _ = open_run(directory)
    judgement = judge(plan, evidence)
    verdict = directory / layout.VERDICT
    return Checked(
        judgement=judgement,
        stored=verdict.read_bytes() if verdict.exists() else b"",
        recomputed=canonical.dumps(judgement),
    )
