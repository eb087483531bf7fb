"""What a platform offers to load workers beside it: pods, and a word with each of them.

A platform that has it carries it as the attribute `load_pods`; the others run their load here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Role:
    """What one pod is to be: load/in_pod.py knows both."""

    name: str  # master | worker
    number: int = 0


@dataclass(frozen=True, slots=True)
class LoadPod:
    """A pod that runs."""

    role: Role
    name: str
    node: str
    address: str  # for its siblings: the harness never speaks to it


class Talk(Protocol):
    """A stream to load/beside.py in one pod."""

    def ask(self, line: bytes, *, within_s: float) -> bytes:
        """A line out, a line in, both without their end. Raises PlatformError when it broke."""

    def close(self) -> None: ...


class LoadPods(Protocol):
    """Pods for one run's load. Every call raises PlatformError."""

    @property
    def work(self) -> str:
        """The folder in a pod that its ledger and its orders lie in."""

    @property
    def secrets(self) -> str:
        """... and the one in memory."""

    @property
    def application_url(self) -> str:
        """As the pods reach it."""

    @property
    def queue_url(self) -> str:
        """Nothing where there is none."""

    def start(
        self, run_id: str, roles: Sequence[Role], *, lives_s: float, within_s: float
    ) -> tuple[LoadPod, ...]:
        """One pod a role, running; each ends by itself after `lives_s`, whatever happens here."""

    def talk(self, pod: LoadPod) -> Talk: ...

    def why_gone(self, pod: LoadPod) -> str:
        """What became of it, in the platform's words; nothing while it runs."""

    def remove(self, run_id: str) -> None:
        """All of the run's, also those that nobody knows of. Harmless when there are none."""
