"""Every destination on its own, off unless asked, and never a different verdict."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from stand_in_servers import Asked, Reply, StandIn, serving

from harness.commands import observe as command
from harness.core.record import RunRecord
from harness.core.timeline import Mark, MarkName, Timeline
from harness.errors import PlatformError, UsageError
from harness.observe import annotations
from harness.observe.annotations import windows_of
from harness.observe.destinations import Destinations, from_environment, or_environment
from harness.observe.export import destinations, export, tell

S = 1_000_000_000


def grafana(there: list[object] | None = None) -> object:
    def answer(asked: Asked) -> Reply:
        return Reply(200, json.dumps(there or []).encode() if asked.method == "GET" else b"{}")

    return answer


def posted(server: StandIn) -> list[dict[str, object]]:
    return [json.loads(a.body) for a in server.asked if a.method == "POST"]


def test_the_fault_is_one_window_in_milliseconds(judged: RunRecord, token: Path) -> None:
    with serving(grafana()) as server:
        told = annotations.send(
            judged, Destinations(grafana_url=server.url, grafana_token_file=token)
        )
    (body,) = posted(server)
    active, healed = (
        judged.timeline.first(name) for name in (MarkName.FAULT_ACTIVE, MarkName.FAULT_HEALED)
    )
    assert body["time"] == (active.earliest_ns + judged.wall.offset_ns) // 10**6
    assert 0 <= body["timeEnd"] * 10**6 - (healed.latest_ns + judged.wall.offset_ns) < 10**6
    run_id = judged.judgement.run_id
    assert body["tags"] == ["peakdrill", "fault", f"run:{run_id}", "node-loss", "missed"]
    assert judged.judgement.reasons[0] in body["text"]
    assert {a.headers["Authorization"] for a in server.asked} == {"Bearer s3cr3t-token"}
    assert told.startswith("1 annotation to Grafana 127.0.0.1:")


def test_a_run_is_annotated_once(judged: RunRecord) -> None:
    with serving(grafana([{"id": 1}])) as server:
        told = annotations.send(judged, Destinations(grafana_url=server.url))
    assert posted(server) == []
    assert "already" in told
    assert f"tags=run%3A{judged.judgement.run_id}" in server.paths()[0]


def test_the_way_back_is_a_window_of_its_own(judged: RunRecord) -> None:
    at = judged.load_stopped_ns - 5 * S
    marks = (
        *judged.timeline.marks,
        Mark(MarkName.FAILBACK_BEGUN, at, at), Mark(MarkName.FAILBACK_ENDED, at + S, at + 2 * S),
    )  # fmt: skip
    found = windows_of(replace(judged, timeline=Timeline(marks)))
    assert [a.tags[1] for a in found] == ["fault", "way-back"]
    assert found[1].end_unix_ms - found[1].begin_unix_ms == 2000


def test_a_fault_that_was_never_healed_lasts_until_the_load_stopped(judged: RunRecord) -> None:
    kept = tuple(m for m in judged.timeline.marks if m.name is not MarkName.FAULT_HEALED)
    (found,) = windows_of(replace(judged, timeline=Timeline(kept)))
    assert found.end_unix_ms >= (judged.load_stopped_ns + judged.wall.offset_ns) // 10**6


def test_no_fault_has_no_window_and_nobody_is_asked(judged: RunRecord) -> None:
    bare = replace(judged, timeline=Timeline(()))
    with serving(grafana()) as server:
        assert "no fault" in annotations.send(bare, Destinations(grafana_url=server.url))
    assert server.asked == []


def test_markup_in_a_reason_stays_text(judged: RunRecord) -> None:
    reasons = ("<img src=x onerror=alert(1)>\n\x1b[31m",)
    bad = replace(judged, judgement=replace(judged.judgement, reasons=reasons))
    (found,) = windows_of(bad)
    assert "<" not in found.text
    assert found.text.isprintable()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_grafana_that_refuses_is_told(judged: RunRecord, method: str) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(403 if asked.method == method else 200, b"[]")

    with serving(answer) as server, pytest.raises(PlatformError, match="answered 403"):
        annotations.send(judged, Destinations(grafana_url=server.url))


def test_one_that_fails_spares_the_others_and_changes_no_verdict(
    judged: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "drill.prom"
    with serving(lambda _: Reply(500)) as server:
        to = Destinations(otlp_url=server.url, prometheus_file=file, grafana_url=server.url)
        sent = export(judged, to)
        tell(judged, to)
    assert [(s.name, s.done) for s in sent] == [
        ("otlp", False), ("prometheus", True), ("grafana", False),
    ]  # fmt: skip
    assert file.exists()
    told = capsys.readouterr()
    assert told.out == ""
    assert "not told otlp: the OTLP collector 127.0.0.1" in told.err
    assert "told prometheus: the figures to" in told.err


def test_a_mistake_of_ours_is_told_as_one(
    judged: RunRecord, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("harness.observe.textfile.samples", lambda _: 1 / 0)
    (sent,) = export(judged, Destinations(prometheus_file=tmp_path / "x.prom"))
    assert (sent.done, sent.told) == (False, "an error of peakdrill: ZeroDivisionError")


def test_nothing_is_sent_unless_somebody_asked(judged: RunRecord) -> None:
    assert not from_environment()
    assert export(judged, from_environment()) == ()


def test_the_environment_asks_and_an_option_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEAKDRILL_OTLP_ENDPOINT", "http://collector:4318")
    monkeypatch.setenv("PEAKDRILL_PROMETHEUS_FILE", "x.prom")
    monkeypatch.setenv("PEAKDRILL_GRAFANA_URL", "")
    assert from_environment() == Destinations("http://collector:4318", None, Path("x.prom"))
    asked = or_environment(Destinations(prometheus_file=Path("mine.prom")))
    assert asked == Destinations("http://collector:4318", None, Path("mine.prom"))


@pytest.mark.parametrize(
    "to",
    [
        Destinations(otlp_url="collector:4318"),
        Destinations(grafana_url="http://admin:hunter2@grafana"),
        Destinations(grafana_token_file=Path("t")),
        Destinations(otlp_url="http://c:1", otlp_token_file=Path("no-such-file")),
        Destinations(prometheus_file=Path("no-such-folder/x.prom")),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_broken(to: Destinations) -> None:
    with pytest.raises(UsageError) as error:
        destinations(to)
    assert "hunter2" not in str(error.value)


def test_the_command_judges_again_and_says_what_became_of_each(
    judged: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.evidence.load.load_record", lambda _: judged)
    folder = tmp_path / "runs" / "r1"
    folder.mkdir(parents=True)
    file = tmp_path / "x.prom"
    asked = [str(folder), "--prometheus-file", str(file)]
    found = CliRunner().invoke(command.observe, asked, standalone_mode=False)
    assert (found.return_value, file.exists()) == (0, True)
    with serving(lambda _: Reply(500)) as server:
        found = CliRunner().invoke(
            command.observe, [*asked, "--grafana", server.url], standalone_mode=False
        )
    assert found.return_value == 5
    assert "grafana: Grafana 127.0.0.1" in found.output


def test_the_command_wants_to_know_where_to(tmp_path: Path) -> None:
    found = CliRunner().invoke(command.observe, [str(tmp_path)])
    assert found.exit_code == 2
    assert "at least one of" in found.output


def test_opentelemetry_is_not_imported_by_what_does_not_send() -> None:
    script = (
        "import sys, harness.observe.export, harness.observe.spans, harness.observe.metrics, "
        "harness.observe.alerts, harness.observe.otlp, harness.commands.observe; "
        "assert not [m for m in sys.modules if m.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
