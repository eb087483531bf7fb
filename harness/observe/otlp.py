"""Spans and metrics to an OpenTelemetry collector, by OTLP over HTTP.

opentelemetry is imported here, when something is sent, and nowhere else: it encodes, and `wire`
sends. A run has the same trace and span numbers each time, so that a second time is no second run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from harness import __version__
from harness.core.record import RunRecord
from harness.errors import PeakdrillError, PlatformError, UsageError
from harness.observe.destinations import Destinations
from harness.observe.metrics import Sample, samples
from harness.observe.spans import Phase, phases
from harness.observe.wire import Credentials, ask, checked_url, host_of

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import Metric, MetricsData
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

TIMEOUT_S = 10.0
_SCOPE = "peakdrill"
_TAKEN = range(200, 300)


def send(record: RunRecord, to: Destinations) -> str:
    """Spans, then metrics; says what was sent.

    Raises UsageError where opentelemetry is not installed, PlatformError where the collector did
    not take both.
    """
    _require()
    url = checked_url(to.otlp_url or "", what="the address of the OTLP collector")
    headers = Credentials(token_file=to.otlp_token_file).headers()
    found, told = phases(record), samples(record)
    headers["Content-Type"] = "application/x-protobuf"
    ways = [("/v1/traces", "spans", _encoded_spans(record, found))] if found else []
    for path, what, body in (*ways, ("/v1/metrics", "metrics", _encoded_metrics(record, told))):
        answer = ask(f"{url}{path}", headers=headers, body=body, timeout_s=TIMEOUT_S)
        if answer.status not in _TAKEN:
            raise PlatformError(
                f"the OTLP collector {host_of(url)} answered {answer.status} to the {what}",
                next_step="check that it listens for OTLP over HTTP there, 4318 by custom",
            )
    return f"{len(found)} spans and {len(told)} figures to the OTLP collector {host_of(url)}"


def _require() -> None:
    try:
        import opentelemetry.exporter.otlp.proto.common
        import opentelemetry.sdk  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "sending to an OTLP collector needs opentelemetry, which is not installed",
            next_step='pip install "peakdrill[observability]"',
        ) from error


def _encoded_spans(record: RunRecord, found: Sequence[Phase]) -> bytes:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    body: bytes = encode_spans(readable(record, found)).SerializeToString()
    return body


def readable(record: RunRecord, found: Sequence[Phase]) -> list[ReadableSpan]:
    """The phases as finished spans of one trace."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
    from opentelemetry.trace.status import Status, StatusCode

    trace = _number(16, record.judgement.run_id, record.evidence_digest)
    contexts = [
        SpanContext(trace, _number(8, record.judgement.run_id, str(n)), is_remote=False,
                    trace_flags=TraceFlags(TraceFlags.SAMPLED))
        for n in range(len(found))
    ]  # fmt: skip
    return [
        ReadableSpan(
            name=phase.name,
            context=contexts[n],
            parent=contexts[0] if n else None,
            resource=_resource(),
            attributes=phase.attributes,
            kind=SpanKind.INTERNAL,
            instrumentation_scope=InstrumentationScope(_SCOPE, __version__),
            status=Status(StatusCode.ERROR, phase.failed)
            if phase.failed
            else Status(StatusCode.OK),
            start_time=phase.begin_unix_ns,
            end_time=phase.end_unix_ns,
        )
        for n, phase in enumerate(found)
    ]


def _number(size: int, *of: str) -> int:
    """Never 0, which stands for no span."""
    digest = hashlib.sha256("\0".join(of).encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:size], "big") or 1


def _resource() -> Resource:
    from opentelemetry.sdk.resources import Resource

    return Resource({"service.name": _SCOPE, "service.version": __version__})


def _encoded_metrics(record: RunRecord, found: Sequence[Sample]) -> bytes:
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

    data = metrics_data(found, at_unix_ns=_at_unix_ns(record))
    body: bytes = encode_metrics(data).SerializeToString()
    return body


def _at_unix_ns(record: RunRecord) -> int:
    """The instant that the figures stand for: the end of the load."""
    if record.wall is None:
        raise PeakdrillError(
            "nobody knows when this run was: its begin cannot be read",
            next_step="send a run whose head.json and marks are whole",
        )
    return record.load_stopped_ns + record.wall.offset_ns


def metrics_data(found: Sequence[Sample], *, at_unix_ns: int) -> MetricsData:
    """One gauge a family."""
    from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    metrics = [
        _metric(list(group), at_unix_ns) for _, group in groupby(found, key=lambda s: s.family)
    ]
    scope = ScopeMetrics(InstrumentationScope(_SCOPE, __version__), metrics, schema_url="")
    return MetricsData([ResourceMetrics(_resource(), [scope], schema_url="")])


def _metric(group: list[Sample], at_unix_ns: int) -> Metric:
    from opentelemetry.sdk.metrics.export import Gauge, Metric, NumberDataPoint

    family = group[0].family
    points = [
        NumberDataPoint(
            attributes=dict(s.labels),
            start_time_unix_nano=at_unix_ns,
            time_unix_nano=at_unix_ns,
            value=s.value,
        )
        for s in group
    ]
    return Metric(family.name, family.help, family.unit, Gauge(points))
