"""What images that know nothing of peakdrill need at a start, and are asked when they have begun.

Documents' folder is anybody's to write in, for an image has users of its own. What the file calls
`install` is run once, to its end. And an Odoo is asked what it is, as one of somebody's own would
be: what it lacks is told before a drill begins.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import NotReady, PlatformError, Refused
from harness.inputs.odoo_file import OdooOptions
from harness.platforms.capabilities import Endpoints
from harness.platforms.containers import daemon, names, parts
from harness.platforms.containers.site import ContainersSite
from harness.platforms.containers.state import State
from harness.platforms.odoo.detect import detect
from harness.platforms.odoo.shell import without_secrets
from harness.platforms.reference.site import KEEPER

_POLL_S = 0.5
_LAST_LINES = 8
_OPEN = ("chmod", "0777", "/filestore")


def open_filestore(site: ContainersSite) -> None:
    """Whichever user the application runs as: only its containers and the keeper mount it."""
    site.run(KEEPER, _OPEN)


def run_to_its_end(
    state: State, part: parts.Part, labels: Mapping[str, str], secrets: Sequence[str]
) -> None:
    """One container, which is gone when this returns. Raises PlatformError.

    It has read the stack's secrets, so what it said last is told without them.
    """
    within_s = state.options.application.ready_within_s
    parts.start(state, part, labels)
    container = names.container(state.platform_id, part.name)
    deadline = time.monotonic() + within_s
    while (code := _ended(container)) is None:
        if time.monotonic() >= deadline:
            told = _last_words(container, secrets)
            raise NotReady(f"application.install did not end within {within_s} s: {told}")
        time.sleep(_POLL_S)
    if code:
        raise PlatformError(
            f"application.install ended with exit code {code}: {_last_words(container, secrets)}",
            next_step="mend application.install in platform.yaml",
        )
    with daemon.asking(f"removing {part.name}"):
        daemon.client().containers.get(container).remove(v=True)


def ask_odoo(folder: Path, endpoints: Endpoints) -> str:
    """Its full version. Raises Refused for another one than `dialect` says, and what it lacks."""
    found = detect(
        OdooOptions(
            folder=folder,
            url=endpoints.application_url,
            database=endpoints.database,
            login=endpoints.login,
            password_file=endpoints.password_file,
            dsn=endpoints.dsn,
        )
    )
    if found.version != endpoints.version:
        raise Refused(
            f"the application is Odoo {found.full_version}, and platform.yaml says "
            f"{endpoints.version}",
            next_step="mend dialect in platform.yaml",
        )
    return found.full_version


def _ended(container: str) -> int | None:
    """Its exit code; None while it runs."""
    with daemon.asking(f"the state of {container}"):
        told = daemon.client().api.inspect_container(container)["State"]
    return None if told["Running"] else int(told["ExitCode"])


def _last_words(container: str, secrets: Sequence[str]) -> str:
    with daemon.asking(f"the log of {container}"):
        said = daemon.client().api.logs(container, tail=_LAST_LINES).decode(errors="replace")
    return without_secrets(" ".join(said.split()), secrets)[-600:] or "it said nothing"
