"""What an exec asks of a database container: words in, one JSON object out.

    python3 -m harness.platforms.reference.inside.agent WORDS...

    hold [SECONDS]                 Patroni and PostgreSQL down, the container stays up
    release                        and up again;  held -> {"held": true|false}
    restore                        in place, from the store; the order comes by stdin (in_place.py)
    wipe                           this member's data; only while it is held
    segments                       {"led": bool, "ready": [], "done": [], "histories": []}
    page-checksums                 {"pages": N, "damaged": [...]}
    write-garbage FILE BLOCK       FILE below the data folder
    mark | marked | unmark         a file that goes with the data that it marks
    archive begin|mend|end|state   the fault of an archive that only says that it archives
    open-archive                   this environment serves: what it finished is archived
    ship NAME                      have a segment that is marked as archived archived again

Exit code 0 and JSON on stdout; or 1, and a sentence on stderr. No secret comes as a word, and none
goes out.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import PeakdrillError, PlatformError
from harness.platforms.embedded import archive_marks, wal_names
from harness.platforms.embedded.layout import write_private
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.reference.inside import archive_fault, places
from harness.platforms.reference.inside.settings import Settings

if TYPE_CHECKING:
    from harness.platforms.embedded.disk import Disk

Told = Mapping[str, object]
_RELEASE_S = 20.0
_HOLD_S = 45.0  # Patroni's polite end, and then some


def hold(settings: Settings, seconds: str = "") -> Told:
    """Returns when nothing of them runs any more. Harmless when they are held."""
    asked = places.hold(settings.data)
    write_private(asked.asked, "")
    within_s = float(seconds or _HOLD_S)
    await_ready(f"{settings.name} at a standstill", asked.held.exists, within_s=within_s)
    return {}


def release(settings: Settings) -> Told:
    """Returns when they may start; that they are up again is seen from outside."""
    asked = places.hold(settings.data)
    asked.asked.unlink(missing_ok=True)
    await_ready("the release", lambda: not asked.held.exists(), within_s=_RELEASE_S)
    return {}


def held(settings: Settings) -> Told:
    return {"held": places.hold(settings.data).is_held()}


def restore(settings: Settings) -> Told:
    from harness.platforms.reference.inside import in_place  # drags the ciphers in

    order = in_place.order_of(sys.stdin.buffer.read())
    return in_place.as_json(in_place.run(settings, order))


def wipe(settings: Settings) -> Told:
    """Moved away first, so that no death leaves half a data folder to be taken for a whole one."""
    if not places.hold(settings.data).is_held():
        raise PlatformError(f"{settings.name} is not held: its data are in use")
    away = settings.data / "wiped"
    shutil.rmtree(away, ignore_errors=True)
    place = places.pgdata(settings.data)
    if place.exists():
        place.rename(away)
        shutil.rmtree(away)
    return {}


def segments(settings: Settings) -> Told:
    """What is finished, by the marks of this member's archiver."""
    place = places.pgdata(settings.data)
    return {
        "led": archive_marks.led(place),
        "ready": sorted(archive_marks.marked(place, kinds=(".ready",))),
        "done": sorted(archive_marks.marked(place, kinds=(".done",))),
        "histories": sorted(archive_marks.archived_histories(place)),
    }


def page_checksums(settings: Settings) -> Told:
    damaged, pages = _disk(settings).damaged_pages()
    return {"pages": pages, "damaged": [asdict(page) for page in damaged]}


def write_garbage(settings: Settings, file: str, block: str) -> Told:
    inside = places.pgdata(settings.data)
    if not (inside / file).resolve().is_relative_to(inside.resolve()):
        raise PlatformError(f"{file} is not below the data folder")
    _disk(settings).write_garbage(file, int(block))
    return {}


def mark(settings: Settings) -> Told:
    _disk(settings).mark()
    return {}


def marked(settings: Settings) -> Told:
    return {"marked": _disk(settings).is_marked()}


def unmark(settings: Settings) -> Told:
    _disk(settings).unmark()
    return {}


def archive(settings: Settings, word: str) -> Told:
    acts: dict[str, Callable[[Path], None]] = {
        "begin": archive_fault.begin, "mend": archive_fault.mend, "end": archive_fault.end,
    }  # fmt: skip
    if word in acts:
        acts[word](settings.data)
    elif word != "state":
        raise PlatformError(f"archive {word}: begin, mend, end or state")
    return {"state": archive_fault.state(settings.data)}


def open_archive(settings: Settings) -> Told:
    """Harmless where it is open."""
    places.archive_shut(settings.data).unlink(missing_ok=True)
    return {}


def ship(settings: Settings, name: str) -> Told:
    """Harmless where it waits for the archiver, or is not there."""
    if not (wal_names.is_segment(name) or wal_names.is_history(name)):
        raise PlatformError(f"{name} is no segment and no history")
    archive_marks.ship_again(places.pgdata(settings.data), name)
    return {}


def _disk(settings: Settings) -> Disk:
    from harness.platforms.embedded.disk import LocalDisk  # drags numpy in

    return LocalDisk(places.pgdata(settings.data))


_ASKED: Mapping[str, Callable[..., Told]] = {
    "hold": hold, "release": release, "held": held, "restore": restore, "wipe": wipe,
    "segments": segments, "page-checksums": page_checksums, "write-garbage": write_garbage,
    "mark": mark, "marked": marked, "unmark": unmark, "archive": archive, "ship": ship,
    "open-archive": open_archive,
}  # fmt: skip


def main(words: Sequence[str], settings: Settings | None = None) -> int:
    """What is printed is JSON or nothing."""
    asked = _ASKED.get(words[0] if words else "")
    if asked is None:
        print(f"wanted: {', '.join(_ASKED)}", file=sys.stderr)
        return 1
    try:
        told = asked(settings or Settings(), *words[1:])
    except PeakdrillError as error:
        print(
            f"{error.what}; {error.next_step}" if error.next_step else error.what, file=sys.stderr
        )
        return 1
    except (OSError, ValueError, TypeError) as error:
        print(f"{words[0]}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
