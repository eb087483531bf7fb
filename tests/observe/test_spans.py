"""The phases of a run on everybody's clock, and what a collector receives of them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from stand_in_servers import Asked, Reply, StandIn, serving

from harness.core.proofs import StepRecord
from harness.core.record import RunRecord
from harness.core.timeline import Mark, MarkName, Timeline
from harness.errors import PlatformError, UsageError
from harness.observe.destinations import Destinations
from harness.observe.metrics import samples
from harness.observe.otlp import send
from harness.observe.spans import ROOT, Phase, phases

S = 1_000_000_000


def named(record: RunRecord, name: str) -> Phase:
    (found,) = [p for p in phases(record) if p.name == name]
    return found


def unix_of(record: RunRecord, name: MarkName) -> tuple[int, int]:
    mark = record.timeline.first(name)
    assert mark is not None
    assert record.wall is not None
    return mark.earliest_ns + record.wall.offset_ns, mark.latest_ns + record.wall.offset_ns


def test_every_phase_stands_on_the_wall_clock(judged: RunRecord) -> None:
    names = [p.name for p in phases(judged)]
    assert names[0] == ROOT
    assert {"baseline", "fault armed", "fault active", "heal", "judge"} < set(names)
    assert {f"outage {w.workload.value}" for w in judged.judgement.workloads} < set(names)
    active = named(judged, "fault active")
    assert active.begin_unix_ns == unix_of(judged, MarkName.FAULT_ACTIVE)[0]
    assert active.end_unix_ns == unix_of(judged, MarkName.FAULT_RELEASED)[1]


def test_the_root_holds_every_other_phase(judged: RunRecord) -> None:
    root, *children = phases(judged)
    for child in children:
        assert root.begin_unix_ns <= child.begin_unix_ns <= child.end_unix_ns
        assert child.end_unix_ns <= root.end_unix_ns


def test_the_verdict_and_the_key_figures_are_attributes(judged: RunRecord) -> None:
    root = phases(judged)[0]
    told = root.attributes
    assert told["peakdrill.verdict"] == "missed"
    assert told["peakdrill.evidence.sha256"] == judged.evidence_digest
    assert told["peakdrill.lost_writes"] == 3
    assert judged.money.risk is not None
    assert told["peakdrill.revenue_at_risk.low_cents"] == judged.money.risk.low.cents
    assert told["peakdrill.detection.alert"] == "PgPrimaryGone"
    assert root.failed.startswith("missed: ")
    outage = named(judged, "outage order-capture")
    assert (
        outage.attributes["peakdrill.rto.high_s"] == judged.judgement.workloads[0].rto.high_ns / S
    )


def test_what_was_not_seen_has_no_span(judged: RunRecord) -> None:
    marks = [m for m in judged.timeline.marks if m.name is not MarkName.FAULT_HEALED]
    assert "heal" not in [p.name for p in phases(replace(judged, timeline=Timeline(tuple(marks))))]
    assert phases(replace(judged, wall=None)) == ()
    assert phases(replace(judged, timeline=Timeline(()))) == ()


def test_steps_of_a_runbook_are_phases_and_one_that_was_not_seen_failed(judged: RunRecord) -> None:
    at = judged.origin_ns
    steps = (
        StepRecord("failover", "promote", "Promote", "", "dba", at + S, at + 3 * S, True, "done"),
        StepRecord("failover", "route", "Route", "go?", "ops", at + 3 * S, at + 9 * S, False, "no"),
    )
    record = replace(judged, steps=steps)
    promote = named(record, "step failover: promote")
    assert promote.begin_unix_ns == at + S + judged.wall.offset_ns
    assert promote.end_unix_ns - promote.begin_unix_ns == 2 * S
    assert (promote.failed, named(record, "step failover: route").failed) == ("", "not seen: no")


def test_a_mark_that_says_it_ended_before_it_began_makes_no_span(judged: RunRecord) -> None:
    late = Mark(MarkName.FAILBACK_BEGUN, judged.load_stopped_ns, judged.load_stopped_ns)
    early = Mark(MarkName.FAILBACK_ENDED, judged.load_begun_ns, judged.load_begun_ns)
    record = replace(judged, timeline=Timeline((*judged.timeline.marks, late, early)))
    assert "way back" not in [p.name for p in phases(record)]


# what a collector receives

type_received = tuple[ExportTraceServiceRequest, ExportMetricsServiceRequest]


def taken(_: Asked) -> Reply:
    return Reply(200)


def received(server: StandIn) -> type_received:
    traces, metrics = ExportTraceServiceRequest(), ExportMetricsServiceRequest()
    by_path = {a.path: a for a in server.asked}
    traces.ParseFromString(by_path["/v1/traces"].body)
    metrics.ParseFromString(by_path["/v1/metrics"].body)
    return traces, metrics


def sent(record: RunRecord, **to: object) -> tuple[StandIn, type_received]:
    with serving(taken) as server:
        send(record, Destinations(otlp_url=server.url, **to))
    return server, received(server)


def test_a_collector_receives_every_span_of_one_trace(judged: RunRecord) -> None:
    _, (traces, _) = sent(judged)
    (resource,) = traces.resource_spans
    assert {a.key: a.value.string_value for a in resource.resource.attributes}[
        "service.name"
    ] == "peakdrill"
    spans = resource.scope_spans[0].spans
    told = phases(judged)
    assert [(s.name, s.start_time_unix_nano, s.end_time_unix_nano) for s in spans] == [
        (p.name, p.begin_unix_ns, p.end_unix_ns) for p in told
    ]
    assert len({s.trace_id for s in spans}) == 1
    assert len({s.span_id for s in spans}) == len(spans)
    root = spans[0]
    assert root.parent_span_id == b""
    assert {s.parent_span_id for s in spans[1:]} == {root.span_id}
    assert root.status.code == Status.STATUS_CODE_ERROR
    attributes = {a.key: a.value for a in root.attributes}
    assert attributes["peakdrill.verdict"].string_value == "missed"
    assert attributes["peakdrill.lost_writes"].int_value == 3


def test_the_same_run_is_the_same_trace_each_time(judged: RunRecord) -> None:
    once, again = (sent(judged)[1][0] for _ in range(2))
    assert once == again
    other = replace(judged, evidence_digest="cd" * 32)
    ids = [t.resource_spans[0].scope_spans[0].spans[0].trace_id for t in (once, sent(other)[1][0])]
    assert ids[0] != ids[1]


def test_a_collector_receives_every_figure(judged: RunRecord) -> None:
    _, (_, metrics) = sent(judged)
    found = metrics.resource_metrics[0].scope_metrics[0].metrics
    told = {
        (m.name, tuple(sorted((a.key, a.value.string_value) for a in p.attributes))): (
            p.as_int if p.WhichOneof("value") == "as_int" else p.as_double
        )
        for m in found
        for p in m.gauge.data_points
    }
    assert told == {(s.family.name, s.labels): s.value for s in samples(judged)}
    assert {m.unit for m in found} == {"s", "1"}
    end = judged.load_stopped_ns + judged.wall.offset_ns
    assert {p.time_unix_nano for m in found for p in m.gauge.data_points} == {end}


def test_the_token_goes_with_it_and_nowhere_else(judged: RunRecord, token: Path) -> None:
    server, _ = sent(judged, otlp_token_file=token)
    assert {a.headers["Authorization"] for a in server.asked} == {"Bearer s3cr3t-token"}
    assert {a.headers["Content-Type"] for a in server.asked} == {"application/x-protobuf"}
    assert all(b"s3cr3t" not in a.body for a in server.asked)


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/metrics"])
def test_a_collector_that_refuses_is_told(judged: RunRecord, path: str) -> None:
    answer: Callable[[Asked], Reply] = lambda a: Reply(429 if a.path == path else 200)  # noqa: E731
    with serving(answer) as server, pytest.raises(PlatformError, match="answered 429"):
        send(judged, Destinations(otlp_url=server.url))


def test_a_collector_that_hangs_is_left(judged: RunRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.observe.otlp.TIMEOUT_S", 0.3)
    with (
        serving(lambda _: Reply(hang_s=60)) as server,
        pytest.raises(PlatformError, match="no whole answer"),
    ):
        send(judged, Destinations(otlp_url=server.url))


def test_without_opentelemetry_it_says_what_to_install(
    judged: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: object, **more: object) -> object:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageError) as error:
        send(judged, Destinations(otlp_url="http://127.0.0.1:9"))
    assert 'pip install "peakdrill[observability]"' in error.value.next_step
