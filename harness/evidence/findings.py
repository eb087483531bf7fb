"""What verification found: each thing that is wrong, by the name of its file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.core.verdict import Verdict
from harness.evidence.keys import PublicKey

NO_REPORT = "no report was rendered"


class State(StrEnum):
    """How a run directory stands against its signatures."""

    INTACT = "intact"
    INCOMPLETE = "incomplete"  # a bundle without bulk: unchanged as far as it goes
    UNSIGNED = "unsigned"
    DAMAGED = "damaged"

    @property
    def exit_code(self) -> int:
        return {"intact": 0, "incomplete": 3, "unsigned": 3, "damaged": 4}[self.value]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that does not hold."""

    name: str  # of the file, relative to the run directory; or of a run, in the chain
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The answer of `peakdrill verify`."""

    directory: str
    state: State
    problems: tuple[Problem, ...]
    run_id: str = ""
    scenario: str = ""
    verdict: Verdict | None = None  # recomputed; None where the evidence does not allow it
    files: int = 0
    left_out: tuple[str, ...] = ()
    signer: PublicKey | None = None
    vouched: bool = False  # by a key that the reader trusts
    signed_utc: str = ""
    signed_late: bool = False
    envelope_sha256: str = ""
    link: str = ""
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return self.state.exit_code
