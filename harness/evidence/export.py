"""The auditor's bundle of a period: one zip, the same bytes when it is made again.

    runs/<run>/...          the run directories as they are, or without their bulk
    runs/chain.jsonl        the chain's part, from the period's first link to its last
    runs/gameday-<name>/    game days that have a record in the period
    keys/<id>.pub.pem       the keys that signed; whether to trust them is the reader's to say
    index.json, index.html  what is in it, what holds, which clauses it speaks for

Nothing is hidden: a damaged, unsigned or missing run stands in the index under its name.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.core.verdict import Verdict
from harness.errors import PeakdrillError, Refused
from harness.evidence import canonical, layout, left_out
from harness.evidence.compare import is_bulk
from harness.evidence.controls import Control, Shown, mapping
from harness.evidence.findings import Problem, State, Verified
from harness.evidence.period import Found, Period, files_of, find
from harness.evidence.shown import shown_of
from harness.evidence.verify import Render, verify
from harness.evidence.walk import links

SCHEMA = "peakdrill/evidence-bundle/v1"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a zip knows: no clock of ours is in the bytes
_LEVEL = 6
_STATES = (State.INTACT, State.INCOMPLETE, State.UNSIGNED, State.DAMAGED)


@dataclass(frozen=True, slots=True)
class Bundled:
    """One run of the bundle."""

    run_id: str
    begun_utc: str
    scenario: str
    state: State  # of the whole directory, before anything was left out
    verdict: Verdict | None
    signed_utc: str
    signed_late: bool
    key_id: str
    self_signed: bool
    for_the_chain: bool  # began outside the period; stands between two of its links
    left_out: tuple[str, ...]
    problems: tuple[Problem, ...]
    limits: str  # "stand-in application, smoke"


@dataclass(frozen=True, slots=True)
class Index:
    """What index.json says, and index.html shows."""

    schema: str
    peakdrill: str
    period: Period
    runs: tuple[Bundled, ...]
    controls: tuple[Control, ...]
    game_days: tuple[str, ...]
    first_link: int  # 0: none of these runs is in a chain
    last_link: int
    chain_problems: tuple[Problem, ...]
    gone: tuple[str, ...]
    unreadable: tuple[str, ...]
    without_bulk: bool

    @property
    def worst(self) -> State:
        """Damage first, then what nobody signed."""
        damaged = bool(self.chain_problems or self.gone or self.unreadable)
        states = [run.state for run in self.runs] + ([State.DAMAGED] if damaged else [])
        return max(states, key=_STATES.index, default=State.INTACT)


Page = Callable[[Index], str]


def export(
    runs: Path,
    period: Period,
    out: Path,
    *,
    bulk: bool,
    render: Render,
    page: Page,
    day_holds: Callable[[Path], bool],
) -> Index:
    """Write the bundle to `out`. Raises Refused: no run in the period, or OUT is there."""
    if out.exists():
        raise Refused(f"{out} is there already", next_step="name another file with --out")
    found = find(runs, period, day_holds)
    looked = [
        _looked(directory, found, bulk=bulk, render=render) for directory in found.directories
    ]
    index = _index(period, found, looked, bulk=bulk)
    temporary = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(temporary, "w") as bundle:
            for name, body in _members(runs, found, index, page):
                _add(bundle, f"peakdrill-evidence/{name}", body)
        temporary.rename(out)
    except OSError as error:
        raise Refused(
            f"cannot write {out}: {error.strerror}", next_step="name another file with --out"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return index


def _looked(
    directory: Path, found: Found, *, bulk: bool, render: Render
) -> tuple[Bundled, Shown | None]:
    """Verify a run whole, before anything of it is left out."""
    told = verify(directory, keys=(), render=render)
    shown = None
    if told.state is not State.DAMAGED:
        try:
            shown = shown_of(directory, sound=told.state is State.INTACT)
        except PeakdrillError:  # incomplete itself: a bundle that was unpacked here
            shown = None
    names = [str(f.relative_to(directory).as_posix()) for f in files_of(directory)]
    absent = () if bulk else tuple(name for name in names if is_bulk(name))
    inside = directory.name not in found.between
    return _bundled(told, shown, inside=inside, absent=absent), shown if inside else None


def _bundled(
    told: Verified, shown: Shown | None, *, inside: bool, absent: tuple[str, ...]
) -> Bundled:
    limits = [] if shown is None else [shown.heading, "" if shown.size == "full" else shown.size]
    return Bundled(
        run_id=told.directory,
        begun_utc=shown.begun_utc if shown else "",
        scenario=told.scenario,
        state=told.state,
        verdict=told.verdict,
        signed_utc=told.signed_utc,
        signed_late=told.signed_late,
        key_id=told.signer.key_id if told.signer else "",
        self_signed=bool(told.signer and told.signer.self_signed),
        for_the_chain=not inside,
        left_out=absent or told.left_out,
        problems=told.problems,
        limits=", ".join(limit for limit in limits if limit),
    )


def _index(
    period: Period, found: Found, looked: list[tuple[Bundled, Shown | None]], *, bulk: bool
) -> Index:
    wrong = list(links(found.links))
    if found.chain_damage:
        wrong.append(Problem(layout.CHAIN, found.chain_damage))
    shown = [one for _, one in looked if one is not None]
    return Index(
        schema=SCHEMA,
        peakdrill=__version__,
        period=period,
        runs=tuple(run for run, _ in looked),
        controls=mapping(shown, [day for day, _ in found.days]),
        game_days=tuple(folder.name for _, folder in found.days),
        first_link=found.links[0].sequence if found.links else 0,
        last_link=found.links[-1].sequence if found.links else 0,
        chain_problems=tuple(wrong),
        gone=found.gone,
        unreadable=found.unreadable,
        without_bulk=not bulk,
    )


def _members(runs: Path, found: Found, index: Index, page: Page) -> Iterator[tuple[str, bytes]]:
    """Every file of the bundle, in its order."""
    yield "index.html", page(index).encode()
    yield "index.json", canonical.dumps(index)
    for key_id, pem in sorted(found.keys.items()):
        yield f"keys/{key_id}.pub.pem", pem
    if found.links:
        yield f"runs/{layout.CHAIN}", b"".join(canonical.dumps(entry) for entry in found.links)
    bundled = {run.run_id: run for run in index.runs}
    for directory in found.directories:
        yield from _run_members(directory, bundled[directory.name])
    for _, folder in found.days:
        for file in (f for f in files_of(folder) if not f.name.startswith(".")):  # locks
            yield f"runs/{file.relative_to(runs).as_posix()}", file.read_bytes()


def _run_members(directory: Path, run: Bundled) -> Iterator[tuple[str, bytes]]:
    for file in files_of(directory):
        name = file.relative_to(directory).as_posix()
        if name not in run.left_out and name != layout.LEFT_OUT:
            yield f"runs/{directory.name}/{name}", file.read_bytes()
    if run.left_out and run.key_id:
        yield f"runs/{directory.name}/{layout.LEFT_OUT}", left_out.dumps(run.left_out)


def _add(bundle: zipfile.ZipFile, name: str, body: bytes) -> None:
    """One member: no clock, no owner and no mode of this machine is in it."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED  # a ledger is mostly room that was not used
    bundle.writestr(entry, body, compresslevel=_LEVEL)
