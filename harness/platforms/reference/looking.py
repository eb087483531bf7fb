"""What a clean room looks at with its own eyes: logs that it keeps, ports, and who reaches whom."""

from __future__ import annotations

import io
import json
import socket
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded.layout import write_private
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import APPLICATION, KEEPER, MEMBERS, QUEUE, Site

_REACHED = ("python3", "-m", "harness.platforms.reference.inside", "reached")
_OWN = ("pg_0", "pg_1", "patroni_0", "patroni_1", "queue", "application")  # the rest is the doors'
_ANSWER_S, _LOOK_S = 1.0, 40.0


def keep_output(site: Site, into: Path) -> None:
    """What the containers of an environment wrote to stdout: it is gone with them."""
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    for part in (*MEMBERS, APPLICATION, QUEUE, KEEPER):
        file = into / f"{part}.log"
        if not file.exists():
            with suppress(PlatformError):  # one that is gone has said all that it will
                write_private(file, site.logs(part))


def unpack_logs(answer: bytes, into: Path) -> None:
    """Of a volume's tar: `log/NAME` becomes NAME, `audit/NAME` keeps its folder."""
    try:
        with tarfile.open(fileobj=io.BytesIO(answer), mode="r|") as archive:
            for entry in archive:
                content = archive.extractfile(entry)
                name = Path(entry.name)
                if content is None or len(name.parts) != 2:
                    continue
                file = into / (name.name if name.parts[0] == "log" else entry.name)
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                file.write_bytes(content.read())
    except tarfile.TarError as error:
        raise PlatformError(f"the logs of a volume cannot be read: {error}") from error


def ports_in_common(before: Ports, now: Ports) -> list[str]:
    """Numbers of both, and doors of the old environment behind which somebody still answers."""
    old, new = before.named(), now.named()
    found = [f"port {name}" for name in _OWN if old[name] and old[name] == new[name]]
    found += [
        f"port {name} of the old environment answers"
        for name in _OWN
        if old[name] and old[name] != new[name] and _answers(old[name])
    ]
    return found


def reached(site: Site, addresses: Sequence[str]) -> list[str]:
    """Parts of another environment that take a connection from within this one.

    Raises PlatformError where nothing could be seen: not even the store is reached.
    """
    asked = json.dumps({"addresses": list(addresses)}).encode()
    answer = site.run(KEEPER, _REACHED, stdin=asked, within_s=_LOOK_S)
    try:
        told = json.loads(answer)
        found, looked = [str(place) for place in told["reached"]], told["store"] is True
    except (ValueError, KeyError, TypeError) as error:
        raise PlatformError("whom the new environment reaches cannot be understood") from error
    if not looked:
        raise PlatformError("the new environment's keeper reaches nobody: nothing could be seen")
    return [f"{place} of the old environment is reached from the new one" for place in found]


def _answers(port: int) -> bool:
    """Somebody speaks, or keeps the line open: a proxy without a target hangs up at once."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S) as line:
            line.settimeout(_ANSWER_S)
            return line.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False
