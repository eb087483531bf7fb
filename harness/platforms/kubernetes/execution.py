"""A command in a container: bounded in time, binary both ways, with its exit status.

A stream of the API cannot be half closed, so a command would wait for the end of its input for
ever: the container's own shell hands it exactly as many bytes as were announced.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubernetes import client, stream
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import ws_client
from websocket import WebSocketException

from harness.errors import NotReady, PlatformError
from harness.platforms.kubernetes.client import Cluster, explained

# to its last byte, also where the command ends before: else its status is lost with the rest
_FEED = 'head -c "$0" | { "$@"; ended=$?; cat >/dev/null; exit $ended; }'
_NO_INPUT = 'exec "$@" </dev/null'
_CHUNK = 64 * 1024
_OPEN_S = 20.0
_POLL_S = 0.5
_STDERR_KEPT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command in a container ended."""

    code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Container:
    namespace: str
    pod: str
    container: str

    def __str__(self) -> str:
        return f"{self.pod} in {self.namespace}"


def run(
    cluster: Cluster,
    place: Container,
    words: Sequence[str],
    *,
    stdin: bytes = b"",
    within_s: float = 60.0,
) -> Ran:
    """Run a command, and wait for its end. Raises PlatformError where it could not be run.

    A command that is not over in time is left alone, and NotReady raised: it may still go on.
    """
    deadline = time.monotonic() + within_s
    shell = ["sh", "-c", _FEED if stdin else _NO_INPUT, str(len(stdin)), *words]
    socket = open_stream(cluster, place, shell, feed=bool(stdin), within_s=min(_OPEN_S, within_s))
    try:
        return _followed(socket, stdin, deadline)
    except TimeoutError:
        raise NotReady(f"{words[0]} in {place} did not end within {within_s:g} s") from None
    except (OSError, WebSocketException) as error:
        told = f"the stream to {place} broke: {type(error).__name__}"
        raise PlatformError(told, next_step="does its node run?") from error
    finally:
        socket.close(timeout=1)
        socket.sock.shutdown()  # which closing leaves undone where the other end closed first


def open_stream(
    cluster: Cluster, place: Container, words: Sequence[str], *, feed: bool, within_s: float
) -> ws_client.WSClient:
    """The library's own connect knows no limit: a node that is gone would keep us."""
    opened: list[Any] = []
    given_up = threading.Event()

    def connect() -> None:
        # a client of its own: the library swaps a method of the one that it is given
        core = client.CoreV1Api(client.ApiClient(cluster.configuration))
        try:
            opened.append(
                stream.stream(
                    core.connect_get_namespaced_pod_exec,
                    place.pod,
                    place.namespace,
                    container=place.container,
                    command=list(words),
                    stdin=feed,
                    stdout=True,
                    stderr=True,
                    tty=False,
                    binary=True,
                    _preload_content=False,
                )
            )
        except Exception as error:  # noqa: BLE001  raised again by who waits
            opened.append(error)
        else:
            if given_up.is_set():
                opened[0].sock.shutdown()

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(within_s)
    if not opened:
        given_up.set()
        raise NotReady(f"no stream to {place} within {within_s:g} s", next_step="see its node")
    if isinstance(opened[0], ApiException):
        raise _refused(opened[0], cluster, place)
    if isinstance(opened[0], Exception):
        raise opened[0]
    socket: ws_client.WSClient = opened[0]
    socket.sock.settimeout(within_s)
    return socket


def _refused(error: ApiException, cluster: Cluster, place: Container) -> PlatformError:
    """The handshake's own words hold the API's answer, when there was one."""
    told = str(error.reason or "")
    for status in (401, 403, 404):
        if f"Handshake status {status}" in told:
            error.status, error.body = status, _sentence_in(told)
            return explained(error, f"exec in {place}", cluster.where)
    return PlatformError(f"nothing can be run in {place}: {told[:300]}")


def _sentence_in(told: str) -> str:
    found = re.search(r'"message":"(.*?)","', told)
    return found[1].replace("\\", "") if found else told[:300]


def _followed(socket: ws_client.WSClient, stdin: bytes, deadline: float) -> Ran:
    out, err, last = bytearray(), bytearray(), bytearray()

    def look(wait_s: float) -> bool:
        socket.update(timeout=wait_s)
        before = len(out) + len(err) + len(last)
        for channel, kept in (
            (ws_client.STDOUT_CHANNEL, out), (ws_client.STDERR_CHANNEL, err),
            (ws_client.ERROR_CHANNEL, last),
        ):  # fmt: skip
            kept.extend(socket._channels.pop(channel, b""))  # noqa: SLF001  its reader waits
        return len(out) + len(err) + len(last) > before

    for begin in range(0, len(stdin), _CHUNK):
        if not socket.is_open() or time.monotonic() >= deadline:
            break
        try:
            socket.write_stdin(stdin[begin : begin + _CHUNK])
        except (OSError, WebSocketException):
            break  # nobody reads any more: what became of it is told below
        while look(0):  # what a filter already answers must not fill the pipe
            pass
    while socket.is_open():  # to its very end: the status may overtake the output
        if time.monotonic() >= deadline:
            raise TimeoutError
        if not look(_POLL_S) and last:
            break
    return Ran(_exit_status(bytes(last)), bytes(out), bytes(err[-_STDERR_KEPT:]))


def _exit_status(last: bytes) -> int:
    """Raises PlatformError where the API does not say how it ended: unknown is no success."""
    try:
        told = json.loads(last)
        if told["status"] == "Success":
            return 0
        causes = {cause["reason"]: cause["message"] for cause in told["details"]["causes"]}
        return int(causes["ExitCode"])
    except (ValueError, KeyError, TypeError):
        why = last.decode(errors="replace")[:200] or "the stream ended before the command"
        raise PlatformError(f"how the command ended is not known: {why}") from None
