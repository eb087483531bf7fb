"""The fault windows of a run as annotations in Grafana: what the graphs of that time show, and why.

Each window is sent once: a run that has annotations already gets no second ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from harness.core.record import RunRecord
from harness.core.timeline import MarkName
from harness.errors import PlatformError
from harness.json_text import parsed
from harness.observe.destinations import Destinations
from harness.observe.wire import Answer, Credentials, ask, checked_url, host_of

TIMEOUT_S = 10.0
_TAG = "peakdrill"
_TAKEN = range(200, 300)
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Annotation:
    """One stretch of time on every graph that asks for the tag `peakdrill`."""

    begin_unix_ms: int
    end_unix_ms: int
    tags: tuple[str, ...]
    text: str


def windows_of(record: RunRecord) -> tuple[Annotation, ...]:
    """The fault, and the way back where there was one; () where nothing took effect."""
    windows = (
        ("fault", MarkName.FAULT_ACTIVE, MarkName.FAULT_HEALED),
        ("way-back", MarkName.FAILBACK_BEGUN, MarkName.FAILBACK_ENDED),
    )
    found = (_window(record, *window) for window in windows)
    return tuple(one for one in found if one is not None)


def _window(record: RunRecord, what: str, begin: MarkName, end: MarkName) -> Annotation | None:
    """A window without an end lasts until the load stopped."""
    since, until = record.timeline.first(begin), record.timeline.last(end)
    if since is None or record.wall is None:
        return None
    end_ns = max(until.latest_ns if until else record.load_stopped_ns, since.latest_ns)
    offset_ns = record.wall.offset_ns
    judgement, scenario = record.judgement, record.plan.scenario
    return Annotation(
        begin_unix_ms=(since.earliest_ns + offset_ns) // _NS_PER_MS,
        end_unix_ms=-(-(end_ns + offset_ns) // _NS_PER_MS),
        tags=(_TAG, what, _run_tag(record), scenario.name, judgement.verdict.value),
        text=_plain(
            f"{what.replace('-', ' ')}: {scenario.fault.experiment} of {scenario.name}, "
            f"{judgement.verdict}; {judgement.reasons[0] if judgement.reasons else ''}; "
            f"run {judgement.run_id}, evidence {record.evidence_digest[:16]}"
        ),
    )


def _plain(text: str) -> str:
    """Grafana shows the text as HTML: nothing in it may become markup."""
    shown = "".join(c for c in text if c.isprintable())
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _run_tag(record: RunRecord) -> str:
    return f"run:{record.judgement.run_id}"


def send(record: RunRecord, to: Destinations) -> str:
    """Says what was sent. Raises PlatformError where Grafana did not take it."""
    url = checked_url(to.grafana_url or "", what="the address of Grafana")
    headers = Credentials(token_file=to.grafana_token_file).headers()
    headers |= {"Content-Type": "application/json", "Accept": "application/json"}
    found = windows_of(record)
    if not found:
        return "nothing to annotate: no fault took effect"
    query = urlencode([("tags", _TAG), ("tags", _run_tag(record)), ("type", "annotation")])
    there = ask(f"{url}/api/annotations?{query}", headers=headers, timeout_s=TIMEOUT_S)
    if _listed(_taken(there, url)):
        return f"the annotations of this run are in Grafana {host_of(url)} already"
    for one in found:
        body = json.dumps({
            "time": one.begin_unix_ms, "timeEnd": one.end_unix_ms,
            "tags": list(one.tags), "text": one.text,
        }).encode()  # fmt: skip
        _taken(ask(f"{url}/api/annotations", headers=headers, body=body, timeout_s=TIMEOUT_S), url)
    return f"{len(found)} annotation{'s' if len(found) > 1 else ''} to Grafana {host_of(url)}"


def _taken(answer: Answer, url: str) -> Answer:
    if answer.status not in _TAKEN:
        raise PlatformError(
            f"Grafana {host_of(url)} answered {answer.status} to an annotation",
            next_step="the token's file must hold a service account's token that may annotate",
        )
    return answer


def _listed(answer: Answer) -> bool:
    try:
        return bool(parsed(answer.body))
    except (ValueError, RecursionError):
        return False
