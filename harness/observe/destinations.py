"""Where a run is told to: nowhere, unless somebody asked for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.observe.wire import checked_url, read_secret

OTLP, OTLP_TOKEN = "PEAKDRILL_OTLP_ENDPOINT", "PEAKDRILL_OTLP_TOKEN_FILE"
PROMETHEUS = "PEAKDRILL_PROMETHEUS_FILE"
GRAFANA, GRAFANA_TOKEN = "PEAKDRILL_GRAFANA_URL", "PEAKDRILL_GRAFANA_TOKEN_FILE"


@dataclass(frozen=True, slots=True)
class Destinations:
    """None: not there. Secrets stand in files and nowhere else."""

    otlp_url: str | None = None  # of the collector: http://collector:4318
    otlp_token_file: Path | None = None
    prometheus_file: Path | None = None  # a file *.prom, or the folder of the textfile collector
    grafana_url: str | None = None
    grafana_token_file: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.otlp_url or self.prometheus_file or self.grafana_url)

    def check(self) -> None:
        """Raises UsageError for what cannot work, before anything is broken or sent."""
        for url, what in (
            (self.otlp_url, "the address of the OTLP collector"),
            (self.grafana_url, "the address of Grafana"),
        ):
            if url is not None:
                checked_url(url, what=what)
        for file, url, option in (
            (self.otlp_token_file, self.otlp_url, "OTLP collector"),
            (self.grafana_token_file, self.grafana_url, "Grafana"),
        ):
            if file is not None and url is None:
                raise UsageError(f"a token's file for {option}, and no address to use it for")
            if file is not None:
                read_secret(file)
        if self.prometheus_file is not None and not self.prometheus_file.parent.is_dir():
            raise UsageError(
                f"there is no folder {self.prometheus_file.parent} for the Prometheus text file"
            )


def from_environment() -> Destinations:
    """What the environment asks for; an empty variable asks for nothing."""

    def file(name: str) -> Path | None:
        return Path(told) if (told := os.environ.get(name)) else None

    return Destinations(
        otlp_url=os.environ.get(OTLP) or None,
        otlp_token_file=file(OTLP_TOKEN),
        prometheus_file=file(PROMETHEUS),
        grafana_url=os.environ.get(GRAFANA) or None,
        grafana_token_file=file(GRAFANA_TOKEN),
    )


def or_environment(asked: Destinations) -> Destinations:
    """Option by option: what was asked for, else what the environment says."""
    told = from_environment()
    return Destinations(
        otlp_url=asked.otlp_url or told.otlp_url,
        otlp_token_file=asked.otlp_token_file or told.otlp_token_file,
        prometheus_file=asked.prometheus_file or told.prometheus_file,
        grafana_url=asked.grafana_url or told.grafana_url,
        grafana_token_file=asked.grafana_token_file or told.grafana_token_file,
    )
