"""The platform's own alerts, from Prometheus or from Alertmanager: which one, asking tells.

Prometheus answers /api/v1/alerts, Alertmanager /api/v2/alerts. What is pending, silenced or
inhibited pages nobody, and is no alert here.
"""

from __future__ import annotations

import datetime as dt
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from harness.errors import PlatformError, UsageError
from harness.json_text import parsed
from harness.observe.wire import Answer, Credentials, ask, checked_url, host_of, secret_file

URL_VARIABLE = "PEAKDRILL_ALERTS_URL"
TOKEN_VARIABLE = "PEAKDRILL_ALERTS_TOKEN_FILE"  # noqa: S105  a variable's name
BASIC_VARIABLE = "PEAKDRILL_ALERTS_BASIC_FILE"  # a file with user:password
_ALERTS_MAX = 10_000
_NAME_MAX = 200
_ALERTMANAGER = "/api/v2/alerts?active=true&silenced=false&inhibited=false"
_PROMETHEUS = "/api/v1/alerts"
_FOUND = 200


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """One alert that fires now."""

    name: str
    since_utc: str | None  # by the platform's word: ISO 8601, seconds
    labels: tuple[tuple[str, str], ...]  # sorted; what makes it this alert and no other


class Alerts:
    """Whoever knows the platform's alerts. Credentials by file; nothing is kept between polls."""

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        self._url = checked_url(url, what="the address of the alerts")
        self._credentials = credentials or Credentials()
        self._path = ""  # which of the two answered

    @property
    def host(self) -> str:
        """Host and port: what may stand in evidence."""
        return host_of(self._url)

    def firing(self) -> tuple[FiringAlert, ...]:
        """Every alert that fires now. Raises PlatformError where that could not be found out."""
        if self._path:
            return self._firing_by(self._path)
        asked = self._ask(_ALERTMANAGER)
        with suppress(PlatformError):
            found = self._read(_ALERTMANAGER, asked)
            self._path = _ALERTMANAGER
            return found
        found = self._firing_by(_PROMETHEUS)
        self._path = _PROMETHEUS
        return found

    def _firing_by(self, path: str) -> tuple[FiringAlert, ...]:
        return self._read(path, self._ask(path))

    def _ask(self, path: str) -> Answer:
        return ask(f"{self._url}{path}", headers=self._credentials.headers())

    def _read(self, path: str, answer: Answer) -> tuple[FiringAlert, ...]:
        if answer.status != _FOUND:
            raise PlatformError(
                f"{self.host} answered {answer.status} when it was asked for its alerts",
                next_step="check the address, and the file of the token or password",
            )
        try:
            told = parsed(answer.body)
            return _of_prometheus(told) if path == _PROMETHEUS else _of_alertmanager(told)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise PlatformError(
                f"what {self.host} answered is no list of alerts: {type(error).__name__}",
                next_step="the address must be that of a Prometheus or an Alertmanager",
            ) from error


def _of_prometheus(told: Any) -> tuple[FiringAlert, ...]:
    """Raises ValueError, KeyError, TypeError or AttributeError where it is something else."""
    if told["status"] != "success":
        raise ValueError
    alerts = _listed(told["data"]["alerts"])
    return tuple(_alert(a, "activeAt") for a in alerts if a["state"] == "firing")


def _of_alertmanager(told: Any) -> tuple[FiringAlert, ...]:
    alerts = _listed(told)
    return tuple(_alert(a, "startsAt") for a in alerts if a["status"]["state"] != "suppressed")


def _listed(told: Any) -> list[dict[str, Any]]:
    if not isinstance(told, list) or not all(isinstance(a, dict) for a in told):
        raise TypeError
    if len(told) > _ALERTS_MAX:
        raise ValueError
    return told


def _alert(told: dict[str, Any], since: str) -> FiringAlert:
    labels = told["labels"].items()
    if not all(isinstance(value, str) for _, value in labels):
        raise TypeError
    name = str(told["labels"]["alertname"])[:_NAME_MAX]
    return FiringAlert(name, _utc(told.get(since)), tuple(sorted(labels)))


def _utc(told: object) -> str | None:
    try:
        at = dt.datetime.fromisoformat(str(told)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def alerts_by(asked: str | None) -> Alerts | None:
    """By the address asked for, else by the environment; None where nobody named one.

    Raises UsageError where the address or a file of the environment is wrong.
    """
    url = os.environ.get(URL_VARIABLE, "") if asked is None else asked
    if not url:
        return None
    credentials = Credentials(secret_file(TOKEN_VARIABLE), secret_file(BASIC_VARIABLE))
    if credentials.token_file and credentials.basic_file:
        raise UsageError(f"both {TOKEN_VARIABLE} and {BASIC_VARIABLE} are set; name one of them")
    credentials.headers()  # a file that cannot be read is found before anything is broken
    return Alerts(url, credentials)
