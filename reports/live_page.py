"""The pages of `peakdrill serve`: the war-room screen, the lists behind it, the login.

One file each with its own style and script, nothing fetched but the stream of events. Texts go
through autoescape and `clean`; what the script gets is JSON, and it writes text, never markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from functools import cache
from typing import Protocol

from jinja2 import Environment

from harness.core.timeline import MarkName
from harness.core.verdict import Verdict
from reports.templating import page_environment
from reports.words import MARK_WORD, WORD

_VERDICTS = {verdict.value: word for verdict, word in WORD.items()}
_MARKS = {
    MarkName.LOAD_BEGUN: "load begins",
    MarkName.BASELINE_BEGUN: "baseline begins",
    MarkName.BASELINE_ENDED: "baseline done",
    MarkName.FAULT_ARMED: "armed",
    MarkName.SERVICE_WELL: "service well",
    MarkName.LOAD_STOPPED: "load stopped",
    MarkName.OBSERVATION_ENDED: "observation ended",
    MarkName.READ_BACK_FIRST: "first read-back",
    MarkName.READ_BACK_SECOND: "second read-back",
    MarkName.SETTLED: "queues drained",
    MarkName.RECOVERY_POINT: "recovery point",
}


@dataclass(frozen=True, slots=True)
class Setup:
    """What the page's script is told at its start."""

    operator: bool
    page_token: str
    page_header: str
    has_tokens: bool


class Listing(Enum):
    """What a list is of: its title, where its rows lead, what to do when it is empty."""

    RUNS = ("Runs", "runs", "No run yet: `peakdrill run node-loss` makes one.")
    DAYS = ("Game days", "gamedays", "No game day yet: `peakdrill gameday plan` begins one.")

    @property
    def title(self) -> str:
        return self.value[0]

    @property
    def path(self) -> str:
        return self.value[1]

    @property
    def empty(self) -> str:
        return self.value[2]


class Row(Protocol):
    """One entry of a list, as the archive found it."""

    @property
    def name(self) -> str: ...
    @property
    def verdict(self) -> str: ...


def render_live(setup: Setup, nonce: str) -> str:
    """The war-room screen. It is empty until the stream tells something."""
    words = {mark.value: word for mark, word in {**_MARKS, **MARK_WORD}.items()}
    told = {**asdict(setup), "marks": words, "verdicts": _VERDICTS}
    return _render("live.html.j2", nonce, setup=setup, told=told)


def render_login(nonce: str) -> str:
    return _render("live_login.html.j2", nonce, told={})


def render_listing(what: Listing, entries: Sequence[Row], why: str, nonce: str) -> str:
    """Runs or game days, the latest first."""
    return _render("live_list.html.j2", nonce, what=what, entries=entries, why=why)


def render_notice(title: str, why: str, nonce: str) -> str:
    return _render("live_notice.html.j2", nonce, title=title, why=why)


def _render(template: str, nonce: str, **values: object) -> str:
    return _environment().get_template(template).render(nonce=nonce, **values)


@cache
def _environment() -> Environment:
    environment = page_environment()
    environment.globals.update(VERDICTS=_VERDICTS, KNOWN=frozenset(v.value for v in Verdict))
    return environment
