"""The cluster's API by a pod's own service account: the standard library alone.

The token is read at every call, since the kubelet renews it. Every call is bounded.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from harness.errors import PlatformError

FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_MERGE = "application/merge-patch+json"
_TOLD_MAX = 400


class Refused(PlatformError):
    """The API said no; `status` is HTTP's, 0 where it said nothing at all."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what)
        self.status = status


@dataclass(frozen=True, slots=True)
class Account:
    """Whoever the pod is, at the API that every pod can find."""

    server: str  # https://HOST:PORT
    folder: Path = FOLDER  # token, ca.crt
    within_s: float = 5.0

    def get(self, path: str, **query: str) -> Any:
        return self._call("GET", path + (f"?{urlencode(query)}" if query else ""))

    def patch(self, path: str, change: Mapping[str, object]) -> Any:
        """A merge. With a `resourceVersion` in it: only if nobody was quicker (409)."""
        return self._call("PATCH", path, change)

    def delete(self, path: str) -> None:
        """Harmless when it is gone."""
        try:
            self._call("DELETE", path)
        except Refused as error:
            if error.status != http.client.NOT_FOUND:
                raise

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Raises Refused."""
        try:
            token = (self.folder / "token").read_text(encoding="utf-8").strip()
            context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        except (OSError, ValueError) as error:
            told = f"the service account in {self.folder} cannot be read: {error}"
            raise Refused(told, 0) from error
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = _MERGE
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.server + path, data, headers, method=method)  # noqa: S310  https
        # no proxy: the API is the cluster's own, whatever the environment says of others
        opener = build_opener(HTTPSHandler(context=context), ProxyHandler({}))
        try:
            with opener.open(request, timeout=self.within_s) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            with error:
                raise Refused(_told(method, path, error), error.code) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            told = f"{method} {path}: the API gave no answer: {type(error).__name__}"
            raise Refused(told, 0) from error


def account(environ: Mapping[str, str] = os.environ) -> Account:
    """The own one of this pod. Raises Refused outside of a cluster."""
    host, port = (environ.get(f"KUBERNETES_SERVICE_{name}", "") for name in ("HOST", "PORT"))
    if not host or not port:
        raise Refused("this is no pod: KUBERNETES_SERVICE_HOST and _PORT are not set", 0)
    bracketed = f"[{host}]" if ":" in host else host
    return Account(f"https://{bracketed}:{port}")


def _told(method: str, path: str, error: HTTPError) -> str:
    """The API's own sentence; it names the right that is missing."""
    try:
        told = str(json.loads(error.read())["message"])
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        told = error.reason or "no word"
    return f"{method} {path}: HTTP {error.code}: {' '.join(told.split())[:_TOLD_MAX]}"
