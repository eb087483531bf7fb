"""A port of this machine that leads to a part in the cluster, whatever its door says.

The API carries it, as `kubectl port-forward` does: no Service, and nobody else is let in. The pod
is chosen anew for each connection, so a port lives as long as this process, and longer than a pod.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress
from dataclasses import dataclass

from kubernetes import client, stream
from kubernetes.client.exceptions import ApiException
from websocket import WebSocketException

from harness.errors import PlatformError
from harness.platforms.kubernetes import execution
from harness.platforms.kubernetes.site import KubernetesSite

_CHUNK = 1 << 16
_lock = threading.Lock()
_open: dict[tuple[str, str, str, int], int] = {}


def port_to(site: KubernetesSite, part: str, port: int) -> int:
    """On 127.0.0.1; the same one whenever this process asks. The cluster is not asked yet."""
    what = (site.cluster.where.server, site.namespace_of(part), part, port)
    with _lock:
        if what not in _open:
            _open[what] = _listen(_Target(site, part, port))
        return _open[what]


@dataclass(frozen=True, slots=True)
class _Target:
    site: KubernetesSite
    part: str
    port: int

    def connected(self) -> socket.socket:
        """Raises PlatformError where no pod of the part runs, or none may be reached."""
        place: execution.Container = self.site.place(self.part)
        # a client of its own: the library swaps a method of the one that it is given
        core = client.CoreV1Api(client.ApiClient(self.site.cluster.configuration))
        try:
            forward = stream.portforward(
                core.connect_get_namespaced_pod_portforward,
                place.pod,
                place.namespace,
                ports=str(self.port),
            )
        except (ApiException, OSError, WebSocketException) as error:
            raise PlatformError(f"no way to {place}: {type(error).__name__}") from error
        found: socket.socket = forward.socket(self.port)
        return found


def _listen(target: _Target) -> int:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            here: socket.socket = self.request
            with suppress(PlatformError):  # whoever asked is hung up on
                _carry(here, target.connected())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


def _carry(here: socket.socket, there: socket.socket) -> None:
    """Both ways, until one side hangs up: then the other is hung up on."""
    back = threading.Thread(target=_pump, args=(there, here), daemon=True)
    back.start()
    _pump(here, there)
    back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            end.close()
