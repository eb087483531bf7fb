"""Looks at a platform that change nothing: what is well, and what a drill would have to do without.

A look that cannot be made is not well: silence is no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from harness.errors import PeakdrillError
from harness.platforms.capabilities import Platform
from harness.platforms.isolation import DISCONNECT, PAUSE, isolation_of

GROUND = "ground"  # what every capability stands on: without it no drill can run


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was looked at, and the capability that hangs on it."""

    capability: str
    well: bool
    told: str  # what was seen; where it is not well, why


class Unwell(Exception):
    """What was seen is not as it should be: the sentence says why."""


def looked(capability: str, look: Callable[[], str]) -> Look:
    """Whatever goes wrong is told in one sentence, and stops no other look."""
    try:
        return Look(capability, True, look())
    except Unwell as error:
        return Look(capability, False, str(error))
    except PeakdrillError as error:
        told = f"{error.what} ({error.next_step})" if error.next_step else error.what
        return Look(capability, False, told)
    except Exception as error:  # noqa: BLE001  a look that crashes has seen nothing
        return Look(capability, False, f"could not be looked at: {type(error).__name__}: {error}")


def at_running(platform: Platform) -> Iterable[Look]:
    """Every capability that the platform names and that can be asked without harm."""
    named = set(platform.facts().capabilities)
    looks: tuple[tuple[str, Callable[[Platform], str]], ...] = (
        (GROUND, _whole),
        ("application", _application),
        ("nodes", _nodes),
        ("database", _leader),
        ("database.standby", _standby),
        ("backups", _backups),
        ("ingress", _ingress),
        ("filestore", _filestore),
        ("secrets", _secrets),
        ("audit", _audit),
        ("clean-room", _clean_room),
        ("faults.command", _commands),
        (PAUSE, _none_is_frozen),
        (DISCONNECT, _none_is_cut_off),
    )
    for capability, look in looks:
        if capability == GROUND or capability in named:
            yield looked(capability, partial(look, platform))


def _whole(platform: Platform) -> str:
    seen = platform.whole()
    if not seen.whole:
        raise Unwell(f"not whole: {'; '.join(seen.missing)}")
    return (
        f"whole: redundant, {'archiving, backed up, ' if _keeps_backups(platform) else ''}serving"
    )


def _application(platform: Platform) -> str:
    return f"{platform.endpoints().application_url}, and its password is in a file"


def _nodes(platform: Platform) -> str:
    assert platform.nodes is not None
    names = platform.nodes.names()
    primary, standby = platform.nodes.resolve("primary"), platform.nodes.resolve("standby")
    return f"{len(names)}: {', '.join(names)}; primary {primary}, standby {standby}"


def _leader(platform: Platform) -> str:
    assert platform.database is not None
    leader = platform.database.leader()
    if leader is None:
        raise Unwell("no database takes writes")
    return f"{leader} leads and takes writes"


def _standby(platform: Platform) -> str:
    assert platform.database is not None
    seen = platform.database.protected()
    if not seen.whole:
        raise Unwell("; ".join(seen.missing))
    behind = ", and the archive is not behind" if _keeps_backups(platform) else ""
    return f"a standby streams as configured{behind}"


def _keeps_backups(platform: Platform) -> bool:
    """Where nobody here knows of any, nothing is said of them."""
    return "backups" in platform.facts().capabilities


def _backups(platform: Platform) -> str:
    assert platform.backups is not None
    found = platform.backups.candidates()
    if not found:
        raise Unwell("the store lists no base backup")
    sealed = "sealed" if found[0].encrypted else "NOT sealed"
    return f"{len(found)} in the store, the newest {found[0].backup_id}, {sealed}"


def _ingress(platform: Platform) -> str:
    assert platform.ingress is not None
    if not platform.ingress.is_open():
        raise Unwell("the application does not answer at the door")
    return "open, asked as a customer"


def _filestore(platform: Platform) -> str:
    assert platform.filestore is not None
    return f"{len(platform.filestore.names())} documents can be listed"


def _secrets(platform: Platform) -> str:
    assert platform.secrets is not None
    return f"classes that can be rotated: {', '.join(platform.secrets.classes())}"


def _audit(platform: Platform) -> str:
    assert platform.audit is not None
    return f"{platform.audit.entries()} lines in the platform's own logs"


def _clean_room(platform: Platform) -> str:
    assert platform.clean_room is not None
    if name := platform.clean_room.name():
        raise Unwell(f"it lives in {name} already: one clean room a platform")
    return "the original environment serves; one clean room can be made"


def _commands(platform: Platform) -> str:
    assert platform.commands is not None
    return f"the owner offers: {', '.join(platform.commands.names())}"


def _none_is_frozen(platform: Platform) -> str:
    return _none(platform, isolation_of(platform, PAUSE).may_be_frozen, "stands still")


def _none_is_cut_off(platform: Platform) -> str:
    return _none(platform, isolation_of(platform, DISCONNECT).may_be_cut_off, "is cut off")


def _none(platform: Platform, seen: Callable[[str], bool], what: str) -> str:
    """Whether one is can be told, and none is."""
    assert platform.nodes is not None
    names = platform.nodes.names()
    if found := [name for name in names if seen(name)]:
        raise Unwell(f"node {', '.join(found)} {what}")
    return f"none of {', '.join(names)} {what}, by Docker's word"
