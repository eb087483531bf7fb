"""The report for programs: valid, canonical, and with the fields that were promised."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import report_cases

from harness.core.record import RunRecord
from harness.core.verdict import Verdict
from reports.json_report import render_json
from reports.json_values import rounded

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "reports/schema/run-v1.schema.json").read_text()
)
TOP = {
    "schema", "run_id", "scenario", "platform", "verdict", "workloads", "fitness", "timeline",
    "evidence",
}  # fmt: skip
RTO = {"target_s", "low_s", "high_s", "recovered"}
RPO = {
    "target_s", "achieved_s", "acked", "unknown", "refused", "lost", "replayed", "absent",
    "recovered", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected", "stale",
    "lost_value", "duplicate_by_retry",
}  # fmt: skip


def read(record: RunRecord) -> dict[str, object]:
    return json.loads(render_json(record))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_run_is_valid(record: RunRecord) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(read(record))


def test_the_promised_fields_are_there(record: RunRecord) -> None:
    report = read(record)
    assert set(report) >= TOP
    assert report["schema"] == "peakdrill/run/v1"
    for workload in report["workloads"].values():
        assert set(workload) >= {"verdict", "rto", "rpo"}
        assert set(workload["rto"]) >= RTO
        assert set(workload["rpo"]) >= RPO | {"before_replay"}
        assert set(workload["rpo"]["before_replay"]) >= RPO


def test_the_same_run_gives_the_same_bytes(record: RunRecord) -> None:
    once = render_json(record)
    assert once == render_json(record)
    assert once == json.dumps(json.loads(once), sort_keys=True, indent=2) + "\n"
    assert once.isascii()


def test_a_schema_that_says_nothing_would_be_no_test() -> None:
    report = read(report_cases.met())
    del report["workloads"]["order-capture"]["rpo"]["lost"]
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(report)


def test_losses_and_money_are_exact() -> None:
    rpo = read(report_cases.missed())["workloads"]["order-capture"]["rpo"]
    assert (rpo["lost"], rpo["lost_value"]) == (3, 144)
    assert rpo["examples"] == ["lost pd-r1-0-17", "lost pd-r1-0-18", "lost pd-r1-0-19"]
    till = read(report_cases.missed())["workloads"]["point-of-sale"]["rpo"]
    assert (till["lost"], till["replayed"], till["before_replay"]["lost"]) == (0, 2, 2)


def test_cents_are_not_rounded_away() -> None:
    record = report_cases.met()
    first = record.judgement.workloads[0]
    gated = replace(first.rpo.gated, lost_value_cents=123_456_789)
    workloads = (replace(first, rpo=replace(first.rpo, gated=gated)),)
    record = replace(record, judgement=replace(record.judgement, workloads=workloads))
    assert read(record)["workloads"]["order-capture"]["rpo"]["lost_value"] == 1234567.89


def test_what_did_not_recover_has_no_upper_end() -> None:
    rto = read(report_cases.not_recovered())["workloads"]["order-capture"]["rto"]
    assert rto["high_s"] is None
    assert rto["recovered"] is False


def test_what_was_not_measured_is_null_and_never_zero() -> None:
    workload = read(report_cases.null_run())["workloads"]["order-capture"]
    assert {workload["rto"][name] for name in ("low_s", "high_s", "recovered")} == {None}
    assert {workload["rpo"][name] for name in RPO - {"target_s"}} == {None}


def test_a_latent_fault_reports_the_clock_that_is_gated() -> None:
    record = report_cases.met()
    scenario = replace(record.plan.scenario, rto_clock="outage")
    rto = read(replace(record, plan=replace(record.plan, scenario=scenario)))["workloads"][
        "order-capture"
    ]["rto"]
    assert (rto["clock"], rto["low_s"]) == ("outage", rto["outage_low_s"])
    assert rto["fault_low_s"] != rto["low_s"]


def test_floats_carry_six_digits_and_numpy_stays_outside() -> None:
    assert rounded(14.26789123) == 14.2679
    assert repr(rounded(60.0)) == "60"
    assert np.isfinite(rounded(1e-12))


def test_the_verdict_is_the_judges(record: RunRecord) -> None:
    assert Verdict(read(record)["verdict"]) is record.judgement.verdict
