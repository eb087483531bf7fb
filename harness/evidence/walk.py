"""The chain of a store, link by link: what is missing, altered, out of its order or forked.

Every run before the one in question is verified as that one was, in its own directory. Runs
after it are looked at only as far as the chain's own bytes go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DamagedEvidence, PeakdrillError, Refused
from harness.evidence import chain, layout
from harness.evidence.findings import Problem, Verified
from harness.evidence.seal import digest_of
from harness.evidence.statement import Link

Verify = Callable[[Path], Verified]
"""How the run in question was verified, for every run before it."""


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of runs: its chain, and where each envelope lies in it."""

    folder: Path
    entries: tuple[chain.Entry, ...]
    directories: dict[str, Path]  # envelope's SHA-256 -> run directory

    @classmethod
    def at(cls, folder: Path) -> Store:
        """Raises Refused where there is no chain, DamagedEvidence where it cannot be read."""
        folder = folder.parent if folder.name == layout.CHAIN else folder
        if not (folder / layout.CHAIN).is_file():
            raise Refused(
                f"there is no chain in {folder}: {layout.CHAIN} is missing",
                next_step="name the folder that holds the runs, --chain runs",
            )
        found = sorted(folder.glob(f"*/{layout.RUN_ENVELOPE}"))
        places = {digest_of(file): file.parents[1] for file in found if not file.is_symlink()}
        return cls(folder, chain.read(folder), places)


@dataclass(frozen=True, slots=True)
class Walk:
    """What was found on the way along a chain."""

    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    whole: bool = True  # False: the chain begins later, or bulk was left out of a run


def walked(store: Path, verified: Verified, verify: Verify) -> Walk:
    """Walk the chain up to a run. Raises Refused where there is none."""
    try:
        found = Store.at(store)
    except DamagedEvidence as error:
        return Walk((Problem(layout.CHAIN, error.what.rpartition(f"{layout.CHAIN}:")[2]),))
    problems = [*links(found.entries), *_strangers(found)]
    here = [e for e in found.entries if e.envelope_sha256 == verified.envelope_sha256]
    if not here:
        same = [e for e in found.entries if e.run_id in {verified.run_id, verified.directory}]
        if not verified.signer and not same:
            return Walk(tuple(problems), ("it is not in the chain either",))
        told = "the chain holds another envelope of it" if same else "it is not in the chain"
        problems.append(Problem(verified.run_id or verified.directory, told))
        return Walk(tuple(problems))
    before = [e for e in found.entries if e.sequence < here[0].sequence]
    notes = [f"{len(before)} runs before it in the chain were verified too"]
    whole = True
    for entry in before:
        wrong, left_out = _predecessor(found, entry, verify)
        problems += wrong
        if left_out:
            whole = False
            notes.append(f"{entry.run_id}: {left_out} files left out, its verdict not recomputed")
    if found.entries[0].sequence > 1:
        whole = False
        notes.append(f"this chain begins with link {found.entries[0].sequence}, not with the first")
    return Walk(tuple(problems), tuple(notes), whole)


def links(entries: Sequence[chain.Entry]) -> Iterator[Problem]:
    """Each link against the one before it, and against what was signed."""
    first = entries[0].sequence if entries else 1
    expected = Link(1, "", "")
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, first):
        try:
            claim = entry.statement().claim
            if number == first > 1:  # a bundle's part: what came before it is not here
                expected = claim.link
        except PeakdrillError as error:
            yield Problem(entry.run_id, f"its envelope in the chain was altered: {error.what}")
        else:
            if claim.run_id != entry.run_id or claim.link.sequence != entry.sequence:
                yield Problem(entry.run_id, "its line in the chain is not what was signed")
            elif claim.link != expected or entry.sequence != number:
                yield Problem(entry.run_id, _break(entry, claim.link, number, entries))
        if entry.run_id in seen:
            yield Problem(
                entry.run_id, f"it stands twice in the chain, first as {seen[entry.run_id]}"
            )
        seen.setdefault(entry.run_id, number)
        expected = Link(number + 1, entry.run_id, entry.envelope_sha256)


def _break(entry: chain.Entry, link: Link, number: int, entries: Sequence[chain.Entry]) -> str:
    """Why a link does not follow the one before it."""
    twins = [e for e in entries if e.sequence == entry.sequence and e is not entry]
    if twins:
        return f"forked: {twins[0].run_id} is link {entry.sequence} too"
    place = next(
        (n for n, e in enumerate(entries, 1) if e.envelope_sha256 == link.previous_sha256), 0
    )
    if not place and link.previous_run_id:
        return f"the run before it is missing from the chain: {link.previous_run_id}"
    return f"out of its order: link {link.sequence} stands at {number}"


def _strangers(store: Store) -> Iterator[Problem]:
    """Signed runs that lie here and that the chain does not know: cut off, or a fork's arm."""
    known = {entry.envelope_sha256: entry for entry in store.entries}
    for digest, directory in sorted(store.directories.items(), key=lambda item: item[1].name):
        if digest not in known:
            yield Problem(directory.name, "it is signed, and its envelope is not in the chain")


def _predecessor(store: Store, entry: chain.Entry, verify: Verify) -> tuple[list[Problem], int]:
    """What is wrong with an earlier run, and how many of its files a bundle left out."""
    directory = store.directories.get(entry.envelope_sha256)
    if directory is None:
        altered = (store.folder / entry.run_id / layout.RUN_ENVELOPE).exists()
        return [Problem(entry.run_id, "its envelope was altered" if altered else "missing")], 0
    found = verify(directory)
    wrong = [Problem(f"{entry.run_id}/{p.name}", p.what) for p in found.problems]
    return wrong, len(found.left_out)
