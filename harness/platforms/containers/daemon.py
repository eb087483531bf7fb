"""The one place that makes a Docker client, and turns its errors into ours.

Only a daemon of this machine will do: load and probes go to ports on 127.0.0.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from harness.errors import PlatformError, Refused

if TYPE_CHECKING:
    from docker import DockerClient

_TRIES = 4  # a part that ends as often as that within its start will not come up
_ANSWER_S = 60  # a busy daemon removes a container's volumes slowly
_INSTALL = "install Docker and start it, or set DOCKER_HOST=unix://SOCKET to one of this machine"


@dataclass(frozen=True, slots=True)
class ContainerState:
    """By the daemon's own word."""

    running: bool  # its processes exist, also while they are frozen
    paused: bool
    networks: tuple[str, ...]


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Whatever Docker answers with is told as a PlatformError about `what`."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException) as error:
        raise PlatformError(f"{what}: {_told(error)}", next_step="docker ps -a") from error


@cache
def client() -> DockerClient:
    """The daemon that DOCKER_HOST or the current context names, once a process.

    Raises Refused where none of this machine answers.
    """
    try:
        from testcontainers.core.config import testcontainers_config
        from testcontainers.core.docker_client import DockerClient as Connected
    except ImportError as error:
        raise Refused(
            "the platform containers needs testcontainers, which is not installed",
            next_step="install peakdrill[containers]",
        ) from error
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    # removal is ours, by label: the helper would have to be pulled, and dies with the starter
    testcontainers_config.ryuk_disabled = True
    try:
        found: DockerClient = Connected(timeout=_ANSWER_S).client
        found.api.ping()
    except (DockerException, RequestException) as error:
        raise Refused(f"Docker does not answer: {_told(error)}", next_step=_INSTALL) from error
    socket_of(found)
    return found


def socket_of(found: DockerClient) -> str:
    """Where the daemon listens on this machine. Raises Refused for one on another."""
    adapter = found.api.get_adapter(found.api.base_url)
    path = getattr(adapter, "socket_path", None)
    if not isinstance(path, str):
        raise Refused(
            "Docker is on another machine: its containers' ports on 127.0.0.1 are not here",
            next_step=_INSTALL,
        )
    return path


def state_of(container: str) -> ContainerState:
    """Asked anew. One that is not there does not run. Raises PlatformError where nobody answers."""
    from docker.errors import NotFound

    with asking(f"the state of {container}"):
        try:
            told = client().api.inspect_container(container)
        except NotFound:
            return ContainerState(running=False, paused=False, networks=())
        state = told["State"]
        networks = told["NetworkSettings"]["Networks"] or {}
        return ContainerState(bool(state["Running"]), bool(state["Paused"]), tuple(networks))


def failed_to_begin(container: str) -> str:
    """Its last words where it has ended again and again; "" for one that runs or is not there."""
    from docker.errors import NotFound

    with asking(f"the state of {container}"):
        try:
            told = client().api.inspect_container(container)
        except NotFound:
            return ""
        if told["State"]["Running"] or int(told.get("RestartCount", 0)) < _TRIES:
            return ""
        said = client().api.logs(container, tail=5).decode(errors="replace")
        return " ".join(said.split())[-400:] or f"exit code {told['State']['ExitCode']}"


def _told(error: Exception) -> str:
    """Its last words, in one line."""
    told = getattr(error, "explanation", None) or str(error)
    return " ".join(str(told).split())[:400]
