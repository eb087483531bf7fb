"""A small HTTP client for the parts on loopback: bounded, without proxies, without redirects."""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str:
        """The header's value, "" where there is none."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    port: int,
    path: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    timeout_s: float = 1.0,
) -> Answer | None:
    """What a part answered, None when it did not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), tuple(answer.getheaders()))
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def ask_json(port: int, path: str, *, timeout_s: float = 1.0) -> Any:
    """The parsed body of an answer, whatever its status; None when there was none."""
    answer = ask(port, path, timeout_s=timeout_s)
    if answer is None:
        return None
    try:
        return answer.json()
    except ValueError:
        return None


def basic(user: str, password: str) -> dict[str, str]:
    """The Authorization header of a user."""
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
