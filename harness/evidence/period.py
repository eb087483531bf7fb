"""What lies in a folder of runs for a period: run directories, links of the chain, game days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical, chain, envelope, layout
from harness.evidence.controls import Day
from harness.evidence.keys import public_from
from harness.evidence.rundir import Head
from harness.json_text import parsed

GAMEDAY = "gameday-"


@dataclass(frozen=True, slots=True)
class Period:
    """Both days belong to it, UTC. ISO 8601 dates."""

    first: str
    last: str

    def holds(self, utc: str) -> bool:
        return self.first <= utc[:10] <= self.last


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that the bundle of a period is made of."""

    directories: tuple[Path, ...]  # by name; those between two links of the period, too
    between: frozenset[str]  # names of those that are there for the chain's sake alone
    links: tuple[chain.Entry, ...]
    days: tuple[tuple[Day, Path], ...]
    gone: tuple[str, ...]  # runs of the chain whose directory is not here
    unreadable: tuple[str, ...]  # nobody can say when they were
    chain_damage: str = ""
    keys: dict[str, bytes] = field(default_factory=dict)


def find(runs: Path, period: Period, day_holds: Callable[[Path], bool]) -> Found:
    """Look through a folder of runs. Raises Refused where the period has none.

    `day_holds`: whether the folder of a closed game day is what closed it.
    """
    begun, unreadable = _begun(runs)
    inside = {name for name, utc in begun.items() if period.holds(utc)}
    links, damage = _links(runs, inside, period)
    linked = {entry.run_id for entry in links}
    between = {name for name in linked - inside if name in begun}
    days, odd = _days(runs, period, day_holds)
    if not any((inside, days, linked, unreadable, damage)):
        raise Refused(
            f"{runs} holds no run from {period.first} to {period.last}",
            next_step="name the folder with --runs, or another period",
        )
    return Found(
        directories=tuple(runs / name for name in sorted(inside | between)),
        between=frozenset(between),
        links=links,
        days=days,
        gone=tuple(sorted(linked - set(begun))),
        unreadable=tuple(sorted({*unreadable, *odd})),
        chain_damage=damage,
        keys=dict(key for entry in links if (key := _key(entry)) is not None),
    )


def _begun(runs: Path) -> tuple[dict[str, str], list[str]]:
    """When each run began, by its own head; and the directories that do not say."""
    begun, unreadable = {}, []
    for directory in sorted(path for path in runs.iterdir() if path.is_dir()):
        if directory.is_symlink() or directory.name.startswith((".", GAMEDAY)):
            continue
        if not any((directory / n).exists() for n in (layout.PLAN, layout.RUN_ENVELOPE)):
            continue
        try:
            begun[directory.name] = canonical.loads(Head, directory / "head.json").begun_utc
        except DamagedEvidence:
            unreadable.append(directory.name)
    return begun, unreadable


def _links(runs: Path, inside: set[str], period: Period) -> tuple[tuple[chain.Entry, ...], str]:
    """The chain's part: from the first link of the period to its last, and all between."""
    try:
        entries = chain.read(runs)
    except DamagedEvidence as error:
        return (), error.what
    places = [n for n, e in enumerate(entries) if e.run_id in inside or _was_in(e, period)]
    return (entries[places[0] : places[-1] + 1] if places else ()), ""


def _was_in(entry: chain.Entry, period: Period) -> bool:
    """By the signed statement: a run whose directory is gone is still of its day."""
    try:
        return period.holds(entry.statement().claim.begun_utc)
    except DamagedEvidence:
        return False


def _key(entry: chain.Entry) -> tuple[str, bytes] | None:
    """By the id that its own bytes give: what a damaged line calls it names no file of ours."""
    try:
        return public_from(entry.key.encode(), entry.run_id).key_id, entry.key.encode()
    except Refused:
        return None


def _days(
    runs: Path, period: Period, day_holds: Callable[[Path], bool]
) -> tuple[tuple[tuple[Day, Path], ...], list[str]]:
    """Game days that have a record in the period. One that only says that it was closed is odd."""
    found, odd = [], []
    for folder in sorted(runs.glob(f"{GAMEDAY}*/")):
        if folder.is_symlink():
            continue
        try:
            records = [_record(file) for file in sorted((folder / "records").glob("*.json"))]
        except (DamagedEvidence, ValueError, KeyError, TypeError):
            odd.append(folder.name)
            continue
        if any(period.holds(at) for at, _ in records):
            closed = [at for at, kind in records if kind == "closed"]
            if closed and not day_holds(folder):
                odd.append(folder.name)
                continue
            name = folder.name.removeprefix(GAMEDAY)
            found.append((Day(name, closed[-1] if closed else ""), folder))
    return tuple(found), odd


def _record(file: Path) -> tuple[str, str]:
    told = parsed(envelope.unchecked(file.read_bytes()).payload)
    return str(told["at_utc"]), str(told["said"]["kind"])


def files_of(folder: Path) -> Sequence[Path]:
    """Plain files below a folder, by name; a link leads out of it and is left where it is."""
    return [f for f in sorted(folder.rglob("*")) if f.is_file() and not _led_away(f, folder)]


def _led_away(file: Path, folder: Path) -> bool:
    return any(part.is_symlink() for part in (file, *file.parents) if part.is_relative_to(folder))
