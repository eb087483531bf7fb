"""A cluster's API as far as a test needs it: answers by path, and what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FORBIDDEN = (
    'pods is forbidden: User "me" cannot list resource "pods" in API group "" '
    'in the namespace "shop"'
)


@dataclass
class Api:
    """`answers`: path -> (status, body), or a list of those that are given one after the other."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.asked.append((method, path, body))
        told = self.answers.get(path, (404, status(404, f'"{path}" not found')))
        if isinstance(told, list):
            return told.pop(0) if len(told) > 1 else told[0]
        return told


def status(code: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "code": code, "message": message}


@contextmanager
def served(api: Api) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(length)
            path = self.path.partition("?")[0]
            code, body = api.answer(self.command, path, json.loads(sent) if sent else None)
            text = body if isinstance(body, str) else json.dumps(body)
            self.send_response(code)
            kind = "text/plain" if isinstance(body, str) else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kubeconfig(folder: Path, server: str, name: str = "here") -> Path:
    file = folder / "kubeconfig"
    told = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
    }
    file.write_text(json.dumps(told))
    return file


def pod(
    name: str, part: str, *, node: str = "n1", ready: bool = True, leaving: bool = False
) -> Any:
    meta: dict[str, Any] = {"name": name, "labels": {"peakdrill.dev/part": part}, "uid": name}
    if leaving:
        meta["deletionTimestamp"] = "2026-11-27T00:00:00Z"
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": meta,
        "spec": {"nodeName": node},
        "status": {"phase": "Running", "conditions": conditions},
    }
