"""How a day ends: by its red button, and by closing it for good.

Closing renders the post-exercise report, and signs one manifest over every file of the day and
over the evidence of its runs. After that nothing can be added: a changed byte is found.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from harness.core.gameday import records as said
from harness.core.gameday.findings import Finding
from harness.core.gameday.state import Phase
from harness.errors import DamagedEvidence, PeakdrillError, Refused
from harness.evidence import canonical, envelope, layout
from harness.evidence.keys import signer, trusted_keys
from harness.evidence.seal import digest_of
from harness.gameday.conduct import wind_down
from harness.gameday.records import PLAN, Book, put
from harness.gameday.scene import Scene
from harness.watching import abort as red_button
from harness.watching.live_state import in_progress, live_folder

MANIFEST_TYPE = "application/vnd.peakdrill.gameday-manifest.v1+json"
MANIFEST = "manifest.dsse.json"
REPORT_HTML, REPORT_MARKDOWN, REPORT_JSON = "report.html", "report.md", "report.json"
_EVIDENCE = (layout.PLAN, layout.SEAL, layout.VERDICT, layout.RUN_ENVELOPE)
_POLL_S = 0.5
_WITHIN_S = 300.0


@dataclass(frozen=True, slots=True)
class Manifest:
    """Digests of everything that the day rests on; SHA-256, hex, by name."""

    schema: str
    day: str
    files: dict[str, str]  # of the day's folder
    runs: dict[str, dict[str, str]]  # run -> the files that carry its evidence


def abort(scene: Scene, who: str, why: str) -> None:
    """The day ends here. A drill in progress is undone first; then the platform is looked at."""
    book = scene.book
    try:
        phase = book.state().phase
        if phase not in {Phase.PLANNED, Phase.GOING}:
            raise Refused(f"the day is {phase.value}: there is nothing to abort")
        book.add(said.AbortAsked(who, why), scene.clock())
    except DamagedEvidence:
        _press(scene, who, why)  # a fault is undone whatever the records are like
        raise
    if book.is_conducted():
        _await_the_conductor(scene, who, why)
    if book.state().phase in {Phase.PLANNED, Phase.GOING}:
        wind_down(scene)  # nobody conducts it any more


def _await_the_conductor(scene: Scene, who: str, why: str) -> None:
    """Its drill is told to stop, as soon as there is one; the day then stops by itself."""
    deadline = time.monotonic() + _WITHIN_S
    pressed = False
    while scene.book.is_conducted():
        if time.monotonic() > deadline:
            raise Refused(
                f"the day has not stopped within {_WITHIN_S:g} s",
                next_step="peakdrill gameday status; `peakdrill undo` mends what a drill left",
            )
        pressed = pressed or _press(scene, who, why)
        time.sleep(_POLL_S)


def _press(scene: Scene, who: str, why: str) -> bool:
    """True once the drill of this day was told. None in progress is no error: it may come yet."""
    state = in_progress(live_folder())
    if state is None or Path(state.directory).resolve().parent != scene.out:
        return False
    try:
        red_button.abort(who, why, run_id=state.run_id, say=scene.say)
    except PeakdrillError as error:
        scene.say(error.what)
        return False
    return True


def refuse_unready(book: Book) -> None:
    """What keeps a day from being closed. Raises Refused."""
    state = book.state()
    if state.phase is Phase.CLOSED:
        raise Refused(f"{book.day} is closed already")
    if state.phase not in {Phase.STOPPED, Phase.FINISHED} or book.is_conducted():
        raise Refused(
            f"{book.day} is {state.phase.value}: only a day that is over can be closed",
            next_step="peakdrill gameday start goes on with it, peakdrill gameday abort stops it",
        )
    lacking = [f"{f.name} lacks {' and '.join(f.lacks)}" for f in _unfinished(state.findings)]
    if lacking:
        raise Refused(
            f"{book.day} cannot be closed: {'; '.join(lacking)}",
            next_step="peakdrill gameday finding assign FILE NAME --owner WHO --due DATE",
        )


def _unfinished(findings: tuple[Finding, ...]) -> list[Finding]:
    return [f for f in findings if f.is_open and f.lacks]


def close(book: Book, who: str, render: Callable[[], dict[str, str]], now: dt.datetime) -> Path:
    """Reports, manifest, signature, last record. Returns the folder. Raises Refused."""
    with book.conducting():
        _refuse_while_open(book)
        for name, text in render().items():
            put(book.folder / name, text.encode())
        body = canonical.dumps(manifest_of(book))
        put(book.folder / MANIFEST, envelope.seal(body, MANIFEST_TYPE, signer()))
        book.add(said.Closed(hashlib.sha256(body).hexdigest(), who), now)
    return book.folder


def _refuse_while_open(book: Book) -> None:
    """The same once more, with the day held: nobody starts it in between."""
    state = book.state()
    if state.phase not in {Phase.STOPPED, Phase.FINISHED} or _unfinished(state.findings):
        raise Refused(f"{book.day} changed while it was being closed", next_step="try again")


def manifest_of(book: Book, *, records: int | None = None) -> Manifest:
    """Over what is there now, or over the first so many records."""
    entries = book.entries()
    files = book.files()[: len(entries) if records is None else records]
    named = [
        *files,
        *(book.folder / name for name in (PLAN, REPORT_HTML, REPORT_MARKDOWN, REPORT_JSON)),
    ]
    digests = {
        file.relative_to(book.folder).as_posix(): digest_of(file) for file in named if file.exists()
    }
    runs = [e.said.run_id for e in entries if isinstance(e.said, said.ScenarioEnded)]
    out = book.folder.parent
    return Manifest(
        schema="peakdrill/gameday-manifest/v1",
        day=book.day,
        files=digests,
        runs={run: _of_run(out / run) for run in runs},
    )


def _of_run(directory: Path) -> dict[str, str]:
    return {name: digest_of(directory / name) for name in _EVIDENCE if (directory / name).exists()}


def hold_to_manifest(book: Book) -> None:
    """A closed day is what was signed. Raises DamagedEvidence that names what is not."""
    entries = book.entries()
    last = entries[-1].said
    assert isinstance(last, said.Closed)
    body = _read(book.folder / MANIFEST)
    try:
        payload = envelope.opened(body, (signer().public, *trusted_keys()), MANIFEST_TYPE).payload
    except DamagedEvidence as error:
        raise _damaged(book, f"{MANIFEST}: {error.what}") from error
    if hashlib.sha256(payload).hexdigest() != last.manifest_digest:
        raise _damaged(book, f"{MANIFEST} is not the one that closed the day")
    signed = _adapter().validate_json(payload)
    now = manifest_of(book, records=len(entries) - 1)
    wrong = _differences("", signed.files, now.files)
    for run, files in signed.runs.items():
        wrong += _differences(f"{run}/", files, now.runs.get(run, {}))
    if wrong:
        raise _damaged(book, "; ".join(wrong))


def day_holds(folder: Path) -> bool:
    """Whether the folder of a closed day is what closed it, by keys of ours or trusted ones."""
    try:
        hold_to_manifest(Book(folder))
    except (PeakdrillError, ValueError, AssertionError):
        return False
    return True


def _differences(prefix: str, signed: dict[str, str], now: dict[str, str]) -> list[str]:
    """Changed, missing or added. A run that was moved to the archive is missing, and said so."""
    found = [f"{prefix}{n}: missing" for n in signed if n not in now]
    found += [f"{prefix}{n}: changed" for n in signed if n in now and now[n] != signed[n]]
    return found + [f"{prefix}{n}: added after the day was closed" for n in now if n not in signed]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        told = f"{file.parent.name}/{file.name} cannot be read: {error.strerror}"
        raise DamagedEvidence(
            told, next_step="restore the day's folder from its archive"
        ) from error


def _damaged(book: Book, what: str) -> DamagedEvidence:
    return DamagedEvidence(
        f"{book.folder.name}: {what}", next_step="restore the day's folder from its archive"
    )


@cache
def _adapter() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)
