"""What is over: runs, game days and readiness, listed from the folder of runs and the history.

A name from a request is only ever looked up among the names that were listed: a path that
somebody made up is no run. Files are served as they lie; they are pages of their own, so they
get a policy of their own and a sandbox.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import PeakdrillError
from harness.evidence import layout
from harness.json_text import parsed

_FILE_MAX = 32 << 20
_DAY = "gameday-"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a list. Texts are as they were found: the page escapes them."""

    name: str
    begun_utc: str = ""
    scenario: str = ""
    verdict: str = ""  # "" when there is none
    reason: str = ""
    release: str = ""
    season: str = ""
    size: str = ""
    report: Path | None = None


class Archive:
    """The folder of runs, and the history where one was named."""

    def __init__(self, runs: Path, history: str | None, targets: Path | None) -> None:
        self._runs, self._history, self._targets = runs, history, targets
        self._one = threading.Lock()
        self._known: dict[str, tuple[tuple[int, ...], Entry]] = {}

    def runs(self) -> tuple[Entry, ...]:
        """Every run, the latest first: those with a directory, and those only remembered."""
        found = {entry.name: entry for entry in map(self._run, _folders(self._runs)) if entry}
        for entry in self._remembered():
            found[entry.name] = _agreed(found.get(entry.name), entry)
        return tuple(sorted(found.values(), key=lambda e: (e.begun_utc, e.name), reverse=True))

    def days(self) -> tuple[Entry, ...]:
        """Every game day that left a folder, the latest first."""
        found = [
            Entry(
                name=folder.name,
                begun_utc=_utc(folder),
                report=_own_file(folder / layout.REPORT_HTML, self._runs),
            )
            for folder in _folders(self._runs)
            if folder.name.startswith(_DAY)
        ]
        return tuple(sorted(found, key=lambda e: (e.begun_utc, e.name), reverse=True))

    def run_report(self, name: str) -> bytes | None:
        """The report of a listed run."""
        return _report(name, self.runs())

    def day_report(self, name: str) -> bytes | None:
        return _report(name, self.days())

    def readiness(self, season: str) -> str:
        """The readiness page, made now. Raises PeakdrillError."""
        from harness.history import open_history
        from harness.inputs.policy_file import read_policy
        from harness.many_runs.readiness_now import readiness_now
        from reports.readiness_page import render_readiness

        season = season or read_policy(self._targets).season
        now_utc = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
        # one at a time, however many ask
        with self._one, open_history(self._history, out=self._runs) as history:
            made = readiness_now(
                history, targets_file=self._targets, season=season, now_utc=now_utc
            )
        return render_readiness(made)

    def _run(self, folder: Path) -> Entry | None:
        """A run's row; read once, and again when its verdict or report has changed."""
        if not (folder / layout.PLAN).is_file():
            return None
        parts = (folder / layout.VERDICT, folder / layout.REPORT_HTML)
        state = tuple(_mtime_ns(part) for part in parts)
        known = self._known.get(folder.name)
        if known is None or known[0] != state:
            known = (state, _entry(folder, self._runs))
            self._known[folder.name] = known
        return known[1]

    def _remembered(self) -> tuple[Entry, ...]:
        """Runs of the history, also of other machines. Raises PeakdrillError."""
        if self._history is None:
            return ()
        from harness.history import Filter, open_history

        with open_history(self._history, out=self._runs) as history:
            return tuple(
                Entry(
                    o.run_id, o.begun_utc, o.scenario, o.verdict.value, o.reason, o.release,
                    o.season, o.size,
                )
                for o in history.outcomes(Filter())
            )  # fmt: skip


def _agreed(lies: Entry | None, known: Entry) -> Entry:
    """A row of both: what was judged from evidence goes before a file that anybody may write."""
    if lies is None or lies.verdict == known.verdict:
        return lies or known
    told = f"its directory says {lies.verdict or 'nothing'}: peakdrill verify {known.name}"
    reason = f"{known.reason} ({told})"
    return replace(lies, verdict=known.verdict, reason=reason, release=known.release)


def _folders(out: Path) -> list[Path]:
    """Folders themselves: a link could point anywhere."""
    try:
        return [p for p in out.iterdir() if p.is_dir() and not p.is_symlink()]
    except OSError:
        return []


def _entry(folder: Path, runs: Path) -> Entry:
    """What the small files of a run say; what cannot be read is left blank, never guessed."""
    plan, verdict = _json(folder / layout.PLAN), _json(folder / layout.VERDICT)
    head = _json(folder / "head.json")
    scenario, targets = plan.get("scenario"), plan.get("targets")
    reasons = verdict.get("reasons")
    return Entry(
        name=folder.name,
        begun_utc=_text(head.get("begun_utc")),
        scenario=_text(scenario.get("name")) if isinstance(scenario, dict) else "",
        verdict=_text(verdict.get("verdict")),
        reason=_text(reasons[0]) if isinstance(reasons, list) and reasons else "",
        release=_text(plan.get("release")),
        season=_text(targets.get("season")) if isinstance(targets, dict) else "",
        size=_text(plan.get("size")),
        report=_own_file(folder / layout.REPORT_HTML, runs),
    )


def _json(file: Path) -> dict[str, object]:
    try:
        found = parsed(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mtime_ns(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _utc(folder: Path) -> str:
    changed = dt.datetime.fromtimestamp(_mtime_ns(folder) / 1e9, dt.UTC)
    return f"{changed:%Y-%m-%dT%H:%M:%SZ}"


def _own_file(file: Path, runs: Path) -> Path | None:
    """A file that lies below the folder of runs itself, not behind a link."""
    try:
        own = file.is_file() and file.resolve().is_relative_to(runs.resolve())
    except OSError:
        return None
    return file if own else None


def _report(name: str, entries: tuple[Entry, ...]) -> bytes | None:
    found = next((e.report for e in entries if e.name == name), None)
    try:
        if found is None or found.stat().st_size > _FILE_MAX:
            return None
        return found.read_bytes()
    except OSError:
        return None


def attempted(make: Callable[[], str]) -> tuple[str, str]:
    """The page, or why there is none: a part that is not there degrades with a clear message."""
    try:
        return make(), ""
    except ImportError as error:
        return "", f"this installation has no readiness page ({error.name} is missing)"
    except PeakdrillError as error:
        return "", str(error)
