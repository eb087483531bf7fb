"""Results as metrics: what was not measured has no sample, and hostile names stay labels."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import strict_exposition
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.money_values import Risk
from harness.core.record import RunRecord
from harness.core.verdict import Verdict
from harness.errors import PeakdrillError
from harness.observe.metrics import FAMILIES, RUN_INFO, Family, Sample, samples
from harness.observe.textfile import text_of, write_textfile

DASHBOARD = json.loads(
    (Path(__file__).resolve().parents[2] / "deploy/grafana/peakdrill.json").read_text()
)
HOSTILE = 'a"b\\c\nd{}=,#\x00\u202e<script>{{x}}\r\u2028'


def read(record: RunRecord) -> dict[str, strict_exposition.Metric]:
    return strict_exposition.read(text_of(samples(record)))


def value(record: RunRecord, name: str, **labels: str) -> float:
    found = [
        v for told, v in read(record)[name].samples.items() if labels.items() <= dict(told).items()
    ]
    assert len(found) == 1, found
    return found[0]


def test_the_text_is_of_the_format(judged: RunRecord) -> None:
    found = read(judged)
    assert all(metric.help and metric.kind == "gauge" for metric in found.values())
    assert set(found) <= {f.name for f in FAMILIES}


def test_a_run_with_everything_has_every_metric(judged: RunRecord) -> None:
    missing = {f.name for f in FAMILIES} - set(read(judged))
    assert missing == set()


def test_figures_are_those_of_the_judgement(judged: RunRecord) -> None:
    orders = judged.judgement.workloads[0]
    assert orders.rto is not None
    assert orders.rpo is not None
    assert judged.money is not None
    mine = {"workload": "order-capture"}
    assert value(judged, "peakdrill_rto_high_seconds", **mine) == orders.rto.high_ns / 1e9
    assert value(judged, "peakdrill_rto_target_seconds", **mine) == 60
    assert value(judged, "peakdrill_lost_writes", **mine) == orders.rpo.gated.lost == 3
    risk = judged.money.workloads[0].risk
    assert risk is not None
    assert value(judged, "peakdrill_revenue_at_risk_low_cents", **mine) == risk.low.cents
    assert value(judged, "peakdrill_orders_at_risk", **mine, **{"class": "lost"}) == 3
    assert value(judged, "peakdrill_detection_high_seconds", alert="PgPrimaryGone") == 6
    assert value(judged, "peakdrill_platform_cost_per_hour_cents") == 1850
    begun = judged.load_begun_ns + judged.wall.offset_ns
    assert value(judged, "peakdrill_run_begun_timestamp_seconds") == pytest.approx(begun / 1e9)


def test_a_verdict_is_a_set_of_states_of_which_one_holds(judged: RunRecord) -> None:
    states = read(judged)["peakdrill_run_verdict"].samples
    assert len(states) == len(Verdict)
    (now,) = [dict(labels)["verdict"] for labels, on in states.items() if on]
    assert now == judged.judgement.verdict.value == "missed"


def test_what_was_not_measured_has_no_sample_and_is_no_zero(judged: RunRecord) -> None:
    bare = replace(
        judged.judgement.workloads[0],
        rto=replace(judged.judgement.workloads[0].rto, high_ns=None, recovered=False),
        rpo=None,
    )
    record = replace(
        judged, judgement=replace(judged.judgement, workloads=(bare,), fitness=()), money=None,
        detection=None, wall=None,
    )  # fmt: skip
    found = read(record)
    assert "peakdrill_rto_low_seconds" in found
    absent = {
        "peakdrill_rto_high_seconds", "peakdrill_lost_writes", "peakdrill_run_fit",
        "peakdrill_revenue_at_risk_low_cents", "peakdrill_detection_high_seconds",
        "peakdrill_run_begun_timestamp_seconds", "peakdrill_alert_polls",
    }  # fmt: skip
    assert not absent & set(found)


def test_a_loss_that_nobody_could_look_for_has_no_upper_end(judged: RunRecord) -> None:
    workloads = tuple(replace(w, risk=Risk(read_whole=False)) for w in judged.money.workloads)
    found = read(replace(judged, money=replace(judged.money, workloads=workloads)))
    assert "peakdrill_revenue_at_risk_high_cents" not in found
    classes = {dict(labels)["class"] for labels in found["peakdrill_orders_at_risk"].samples}
    assert classes == {"refused", "unanswered", "delayed"}


def test_no_alert_has_no_time_but_its_polls(judged: RunRecord) -> None:
    silent = replace(judged, detection=replace(judged.detection, alerts=()))
    assert "peakdrill_detection_high_seconds" not in read(silent)
    assert value(silent, "peakdrill_alert_polls", result="answered") == 40
    assert value(silent, "peakdrill_alert_polls", result="failed") == 1


def test_hostile_names_come_back_as_they_were(judged: RunRecord) -> None:
    record = replace(judged, plan=replace(judged.plan, release=HOSTILE))
    (labels,) = read(record)["peakdrill_run_info"].samples
    assert dict(labels)["release"] == HOSTILE


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text()), st.integers(-(10**9), 10**9))
def test_any_label_is_read_back(labels: dict[str, str], number: int) -> None:
    sample = Sample(RUN_INFO, tuple(sorted(labels.items())), number)
    found = strict_exposition.read(text_of((sample,)))
    expected = {k: v.encode("utf-8", "replace").decode() for k, v in labels.items()}
    assert found[RUN_INFO.name].samples == {tuple(sorted(expected.items())): float(number)}


def test_the_strict_reader_is_strict() -> None:
    good = '# HELP a b\n# TYPE a gauge\na{x="1"} 2\n'
    assert strict_exposition.read(good)["a"].samples == {(("x", "1"),): 2.0}
    for bad in (
        good.rstrip("\n"), good + 'a{x="1"} 3\n', good + "b 1\n", good + "\n",
        good.replace('"1"', '"1"2"'), good.replace("a{", "a {"), good.replace(" 2", " NaN"),
        good.replace('"1"', '"\\q"'),
    ):  # fmt: skip
        with pytest.raises(AssertionError):
            strict_exposition.read(bad)


def test_prometheus_client_reads_it_too(judged: RunRecord) -> None:
    if importlib.util.find_spec("prometheus_client") is None:
        pytest.skip("not run: prometheus_client is not installed; the strict reader has read it")
    from prometheus_client.parser import text_string_to_metric_families

    assert len(list(text_string_to_metric_families(text_of(samples(judged))))) == len(FAMILIES)


def test_names_carry_their_units() -> None:
    for family in FAMILIES:
        assert re.fullmatch(r"peakdrill_[a-z_]+", family.name)
        assert (family.unit == "s") == family.name.endswith("_seconds"), family.name
    assert len({f.name for f in FAMILIES}) == len(FAMILIES)


def expressions() -> list[str]:
    return [t["expr"] for p in DASHBOARD["panels"] for t in p["targets"]]


def test_the_dashboard_shows_what_is_sent_and_nothing_else() -> None:
    named = set(re.findall(r"peakdrill_[a-z_]+", " ".join(expressions())))
    assert named == {f.name for f in FAMILIES}
    variables = json.dumps(DASHBOARD["templating"])
    assert set(re.findall(r"peakdrill_[a-z_]+", variables)) == {RUN_INFO.name}


def test_the_dashboard_asks_for_labels_that_are_there(judged: RunRecord) -> None:
    found = read(judged)
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            (name,) = re.findall(r"peakdrill_[a-z_]+", target["expr"])
            legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            by = re.findall(r"by \(([^)]*)\)", target["expr"])
            selected = set(re.findall(r"(\w+)=~", target["expr"]))
            asked = legend | selected | {w for g in by for w in g.replace(",", " ").split()}
            for labels in found[name].samples:
                assert asked <= set(dict(labels)), (name, asked)


def test_the_dashboard_asks_for_the_annotations_and_no_panel_lies_on_another() -> None:
    (query,) = DASHBOARD["annotations"]["list"]
    assert query["target"]["tags"] == ["peakdrill"]
    places = [p["gridPos"] for p in DASHBOARD["panels"]]
    cells = [
        (x, y)
        for p in places
        for x in range(p["x"], p["x"] + p["w"])
        for y in range(p["y"], p["y"] + p["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({p["id"] for p in DASHBOARD["panels"]}) == len(places)


def test_the_file_is_whole_or_the_one_of_before(judged: RunRecord, tmp_path: Path) -> None:
    file = write_textfile(judged, tmp_path / "drill.prom")
    before = file.read_text()
    assert write_textfile(judged, tmp_path / "drill.prom").read_text() == before
    assert [p.name for p in tmp_path.iterdir()] == ["drill.prom"]
    assert file.stat().st_mode & 0o444 == 0o444  # the collector is another user


def test_a_folder_gets_one_file_a_scenario(judged: RunRecord, tmp_path: Path) -> None:
    assert write_textfile(judged, tmp_path).name == "peakdrill-node-loss.prom"
    scenario = replace(judged.plan.scenario, name="../../evil\n")
    odd = replace(judged, plan=replace(judged.plan, scenario=scenario))
    assert write_textfile(odd, tmp_path).parent == tmp_path


def test_a_file_that_cannot_be_written_is_told_and_leaves_nothing(
    judged: RunRecord, tmp_path: Path
) -> None:
    with pytest.raises(PeakdrillError, match="cannot be written"):
        write_textfile(judged, tmp_path / "none" / "x.prom")
    (tmp_path / "x.prom").mkdir()
    (tmp_path / "x.prom" / "peakdrill-node-loss.prom").mkdir()
    with pytest.raises(PeakdrillError, match="cannot be written"):
        write_textfile(judged, tmp_path / "x.prom")
    assert [p.name for p in (tmp_path / "x.prom").iterdir()] == ["peakdrill-node-loss.prom"]


def test_no_sample_is_no_text() -> None:
    assert text_of(()) == ""
    told = text_of((Sample(Family("peakdrill_x", "1", "a\\b\nc"), (), 1),))
    assert told.splitlines()[0] == "# HELP peakdrill_x a\\\\b\\nc"
