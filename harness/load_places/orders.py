"""What a load pod is told: the run's order on the pod's own clock, and passwords by stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.load_places.beside import Beside
from harness.platforms.load_pods import LoadPods

_APPLICATION, _QUEUE = "application", "queue"
PLAN, GO, CATALOGUE = "plan.json", "go.json", "catalogue.json"

_Stamp = tuple[int, int, int]


def order_for(order: Mapping[str, Any], pods: LoadPods, *, begin_ns: int) -> bytes:
    """load/plan.json as a pod reads it: its own folders, the doors inside the cluster."""
    application = {
        **order["application"],
        "url": pods.application_url,
        "password_file": f"{pods.secrets}/{_APPLICATION}",
    }
    queue = None
    if order["queue"] and pods.queue_url:
        queue = {"url": pods.queue_url, "password_file": f"{pods.secrets}/{_QUEUE}"}
    own = {
        **order,
        "begin_ns": begin_ns,
        "application": application,
        "queue": queue,
        "ledger_dir": pods.work,
        "status_dir": pods.work,
    }
    return json.dumps(own, indent=1, sort_keys=True).encode()


def password_files(order: Mapping[str, Any]) -> dict[str, Path]:
    """A pod's name for each password, and the file here that holds it."""
    files = {_APPLICATION: Path(order["application"]["password_file"])}
    if order["queue"] and order["queue"].get("password_file"):
        files[_QUEUE] = Path(order["queue"]["password_file"])
    return files


@dataclass
class Passwords:
    """Handed to one pod, and again when a file was replaced: a rotation is no fault of the load."""

    files: Mapping[str, Path]
    _given: dict[str, _Stamp] = field(default_factory=dict, init=False)

    def hand_over(self, beside: Beside) -> None:
        for name, file in self.files.items():
            found = file.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._given.get(name) != stamp:
                beside.put_secret(name, file.read_bytes())
                self._given[name] = stamp
