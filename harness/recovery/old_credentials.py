"""The thief's credentials, tried once more on what serves now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness.attack import leaked
from harness.attack.__main__ import way_in
from harness.attack.order import Order
from harness.attack.told import Denied, Down
from harness.platforms.capabilities import CleanRoom, Platform, Secrets


@dataclass(frozen=True, slots=True)
class Answer:
    """`refused` is None where nobody could be asked: that is no refusal."""

    credential: str
    refused: bool | None
    told: str


def hand_out_all(secrets: Secrets, folder: Path) -> tuple[str, ...]:
    """What a thief has, one file of mode 0600 a class; their names. Harmless when repeated."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for credential in secrets.classes():
        file = folder / f"{credential}.json"
        if not file.exists():
            secrets.hand_out(credential, file)
    return secrets.classes()


def try_all(platform: Platform, room: CleanRoom, folder: Path, run_id: str) -> Iterator[Answer]:
    """Each of them, inside the environment that serves now, behind its closed doors."""
    for credential in leaked.CLASSES:
        file = folder / f"{credential}.json"
        if not file.exists():
            yield Answer(credential, None, "nobody kept this credential, so it was not tried")
            continue
        held = replace(leaked.load(file), where=room.inside(credential))
        given = _once(run_id, platform.endpoints().version)
        try:
            way_in(held, given)(0)
        except Denied as denied:
            yield Answer(credential, True, f"refused: {denied}")
        except Down as down:
            yield Answer(credential, None, f"nobody could be asked: {down}")
        else:
            yield Answer(credential, False, "accepted")


def _once(run_id: str, version: int) -> Order:
    """One try each, with the run's marker."""
    return Order(leaked.marker_of(run_id), "", "", version, {}, max_s=0.0, max_tries=1)
