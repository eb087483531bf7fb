"""Run directories into the history: each is judged again from its evidence before it counts.

    sealed              its stored verdict must be the recomputed one; where the harness died before
                        it could store one, the recomputed one counts
    never sealed        the harness died: invalid with that reason, or missed where a loss is proven
                        all the same; while it is still being written, refused
    anything else       refused by name: changed, foreign, half removed

A seal can be made anew by anybody. So where a run was signed, or its folder's chain knows it, the
seal must be the one that was signed (vouching.py).

One that is refused stops no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.judge import judge
from harness.core.outcome import Outcome
from harness.errors import DamagedEvidence, PeakdrillError, Refused
from harness.evidence import canonical, layout
from harness.evidence.load import open_run
from harness.evidence.outcome import outcome_of
from harness.evidence.rundir import Head
from harness.history.store import History
from harness.history.vouching import hold_to_signature

_HEAD = "head.json"
_HEAD_SCHEMA = "peakdrill/head/v1"
_QUIET_S = 300  # a run that lives writes more often: its ledgers, its events, its read-backs
_TRACES = (layout.PLAN, layout.SEAL, layout.VERDICT, layout.EVENTS, layout.OBSERVATION, _HEAD)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of each directory, by name."""

    added: tuple[str, ...] = ()
    there: tuple[str, ...] = ()  # known already, and the same
    refused: tuple[tuple[str, str], ...] = ()  # name, why
    strangers: tuple[str, ...] = ()  # folders beside the runs that hold none


def import_run(history: History, directory: Path) -> Outcome:
    """Judge one run directory again and add it. Raises Refused and DamagedEvidence."""
    outcome = judged_again(directory)
    history.add(outcome, directory=directory)
    return outcome


def import_all(
    history: History, paths: Iterable[Path], say: Callable[[str], None] = lambda _: None
) -> Imported:
    """Every run directory that is named, or lies in a folder that is."""
    added: list[str] = []
    there: list[str] = []
    refused: list[tuple[str, str]] = []
    strangers: list[str] = []
    for directory in tuple(_directories(paths, strangers)):  # a wrong path stops all, at once
        try:
            outcome = judged_again(directory)
            new = history.add(outcome, directory=directory)
        except PeakdrillError as error:
            why = error.what.removeprefix(f"{directory.name}: ")
            refused.append((directory.name, why))
            say(f"refused: {directory.name}: {why}")
        except Exception as error:  # noqa: BLE001 (files of anybody: one must not stop the others)
            refused.append((directory.name, f"cannot be read: {type(error).__name__}: {error}"))
            say(f"refused: {directory.name}: cannot be read: {type(error).__name__}")
        else:
            (added if new else there).append(directory.name)
            say(f"{'imported' if new else 'already there'}: {directory.name}: {outcome.verdict}")
    return Imported(tuple(added), tuple(there), tuple(refused), tuple(strangers))


def judged_again(directory: Path) -> Outcome:
    """The outcome that follows from the evidence of a run, and from nothing else."""
    plan, evidence, digest = open_run(directory)
    head = canonical.loads(Head, directory / _HEAD)
    if head.schema != _HEAD_SCHEMA:
        raise Refused(
            f"{directory.name}: {_HEAD} is of {head.schema!r}, not of {_HEAD_SCHEMA}",
            next_step="use the peakdrill that made it",
        )
    judgement = judge(plan, evidence)
    hold_to_signature(directory, plan.run_id, digest, judgement.verdict)
    verdict = directory / layout.VERDICT
    stored = verdict.read_bytes() if verdict.exists() else b""
    if not digest:
        _refuse_unfinished(directory, stored)
    elif stored and stored != canonical.dumps(judgement):
        raise DamagedEvidence(
            f"{directory.name}: its evidence says {judgement.verdict}, and its stored verdict "
            "says something else",
            next_step=f"peakdrill check {directory}",
        )
    return outcome_of(plan, judgement, begun_utc=head.begun_utc, evidence_digest=digest)


def _refuse_unfinished(directory: Path, verdict: bytes) -> None:
    """Without a seal there is only a run whose harness died; nobody may just take the seal away."""
    if verdict:
        raise DamagedEvidence(
            f"{directory.name}: it has a verdict but no {layout.SEAL}: that was taken away",
            next_step="restore the run directory from where it was archived",
        )
    written = max(path.stat().st_mtime for path in [directory, *directory.rglob("*")])
    age_s = time.time() - written
    if age_s < _QUIET_S:
        raise Refused(
            f"{directory.name}: unfinished, and written to {max(0, age_s):.0f} s ago: it may be "
            "running",
            next_step=f"import it when it has ended, or has been quiet for {_QUIET_S} s",
        )


def _directories(paths: Iterable[Path], strangers: list[str]) -> Iterator[Path]:
    """The run directories, each once. Raises Refused where a path holds none at all."""
    seen: set[Path] = set()
    for path in paths:
        if not path.is_dir():
            raise Refused(f"there is no folder {path}", next_step="name a run directory")
        inside = [path] if _is_run(path) else sorted(p for p in path.iterdir() if p.is_dir())
        runs = [folder for folder in inside if _is_run(folder)]
        if not runs:
            raise Refused(
                f"there is no run in {path}: no {layout.PLAN}",
                next_step="name a run directory, or a folder of them",
            )
        strangers += [folder.name for folder in inside if folder not in runs]
        for run in runs:
            if run.resolve() not in seen:
                seen.add(run.resolve())
                yield run


def _is_run(folder: Path) -> bool:
    """Any trace of a run makes it one: a damaged run must be named, not passed over."""
    return any((folder / trace).exists() for trace in _TRACES)
