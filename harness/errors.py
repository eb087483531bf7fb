"""Every error that peakdrill raises on purpose, drawn as a tree.

    PeakdrillError
    ├── UsageError           exit 2   the order itself is wrong; nothing was touched
    │   ├── BadInput         exit 2   a file is wrong: file, line, key, allowed values
    │   └── Refused          exit 2   a guard said no (port in use, disk full, no run there)
    ├── DamagedEvidence      exit 4   a run directory is not what was sealed
    ├── PlatformError        exit 5   the platform did not do what a step needs
    │   └── NotReady         exit 5   ... within its time limit
    ├── FaultError           exit 5   an injection could not be made, or could not be undone
    └── Interrupted          exit 4   a person or a signal stopped the run

Each message says what happened, to what, and what to do next. What may not live
here: handling. The command line maps errors to exit codes in one place.
"""

from pathlib import Path


class PeakdrillError(Exception):
    """What happened, to what, and what to do next."""

    exit_code = 5

    def __init__(self, what: str, *, next_step: str = "") -> None:
        super().__init__(f"{what}\n  next: {next_step}" if next_step else what)
        self.what = what
        self.next_step = next_step


class UsageError(PeakdrillError):
    exit_code = 2


class BadInput(UsageError):
    """A file that a person wrote is wrong.

    The message reads `FILE:LINE: KEY: what is wrong; allowed: ...`.
    """

    def __init__(
        self,
        file: Path | str,
        what: str,
        *,
        line: int | None = None,
        key: str = "",
        allowed: tuple[str, ...] = (),
        next_step: str = "",
    ) -> None:
        place = f"{file}:{line}" if line is not None else f"{file}"
        told = f"{place}: {key + ': ' if key else ''}{what}"
        if allowed:
            told += f"; allowed: {', '.join(allowed)}"
        super().__init__(told, next_step=next_step)
        self.file, self.line, self.key, self.allowed = str(file), line, key, allowed


class Refused(UsageError):
    pass


class DamagedEvidence(PeakdrillError):
    exit_code = 4


class PlatformError(PeakdrillError):
    pass


class NotReady(PlatformError):
    pass


class FaultError(PeakdrillError):
    pass


class Interrupted(PeakdrillError):
    exit_code = 4
    at_ns = 0  # when it was asked for, on the run's clock; 0 where nobody noted it
