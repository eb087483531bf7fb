"""What two environments of containers have in common, by what Docker and the mounts really show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.errors import PlatformError
from harness.platforms.containers import daemon, names, state
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.site import KEEPER, MEMBERS, QUEUE, STORE

_INSIDE = (*MEMBERS, *names.REPLICAS, QUEUE, KEEPER, names.CONSENSUS)
Told = Mapping[str, Any]  # as `docker inspect` has a container


def between(old: Layout, new: Layout) -> tuple[str, ...]:
    """A sentence each. Raises PlatformError: what cannot be looked at may be shared."""
    before = {name: _told(old, name) for name in _INSIDE}
    now = {name: _told(new, name) for name in _INSIDE}
    outside = {name: _told(new, name) for name in names.OUTSIDE}
    for which, told in (("old", before), ("new", {**now, **outside})):
        if gone := [name for name, one in told.items() if not one]:
            raise PlatformError(
                f"{', '.join(gone)} of the {which} environment is not there: nothing could be seen"
            )
    return (
        *(f"{name} of the old environment runs" for name, told in before.items() if _runs(told)),
        *_in_both("volume", before, now, _mounts),
        *_in_both("network", before, now, _networks),
        *_outside_on_old(old, outside),
        *_secrets(old, new),
    )


def _told(layout: Layout, name: str) -> Told:
    """{} for one that is not there."""
    from docker.errors import NotFound

    container = names.container(layout.root.name, name, layout.environment)
    with daemon.asking(f"looking at {container}"):
        try:
            found: Told = daemon.client().api.inspect_container(container)
        except NotFound:
            return {}
        return found


def _runs(told: Told) -> bool:
    return bool(told) and bool(told["State"]["Running"])


def _mounts(told: Told) -> Iterable[str]:
    named = (str(one.get("Name") or one.get("Source")) for one in told.get("Mounts") or ())
    return [name for name in named if name]


def _networks(told: Told) -> Iterable[str]:
    return (told.get("NetworkSettings") or {}).get("Networks") or {}


def _in_both(what: str, before: Mapping[str, Told], now: Mapping[str, Told], of: Any) -> list[str]:
    old = {found for told in before.values() for found in of(told)}
    return [
        f"{what} {found}, of {name}"
        for name, told in now.items()
        for found in of(told)
        if found in old
    ]


def _outside_on_old(old: Layout, outside: Mapping[str, Told]) -> list[str]:
    network = names.network(old.root.name)
    return [
        f"{name} is on the old environment's network still"
        for name, told in outside.items()
        if network in _networks(told)
    ]


def _secrets(old: Layout, new: Layout) -> list[str]:
    """Words that containers of both have mounted; the store's own folder has the new ones alone."""
    before = {word for _, word in _words(old, names.OUTSIDE)}
    now = _words(new, ())
    if not before or not now:
        which = "new" if before else "old"
        raise PlatformError(f"no secret of the {which} environment is mounted: nothing to compare")
    found = [name for name, word in now if word in before]
    stale = [
        f"store/{file.name}"
        for file in (state.mounted(Layout(old.root)) / STORE).iterdir()
        if file.is_file() and file.read_text(encoding="utf-8") in before
    ]
    return [f"the mounted secret {name}" for name in (*found, *stale)]


def _words(layout: Layout, without: Iterable[str]) -> list[tuple[str, str]]:
    folder = state.mounted(layout)
    return [
        (f"{file.parent.name}/{file.name}", file.read_text(encoding="utf-8"))
        for file in sorted(folder.glob("*/*"))
        if file.is_file() and file.parent.name not in without
    ]
