"""Money and time to detect in every report: exact, never zero where nobody knows."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import report_cases
from report_money import FIRST, RISK, WATCH, priced, unlooked
from rich.console import Console

from harness.core.alerting import Detection
from harness.core.money_values import Cost, Risk, Sum
from harness.core.record import RunRecord
from reports.html import render_html
from reports.json_report import render_json
from reports.markdown import render_markdown
from reports.money_view import cost_text, detection_text, money_lines, rows, total_text
from reports.terminal import print_verdict

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "reports/schema/run-v1.schema.json").read_text()
)


def told(record: RunRecord) -> dict[str, object]:
    found = json.loads(render_json(record))
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def terminal(record: RunRecord) -> str:
    console = Console(file=io.StringIO(), force_terminal=False, width=80, highlight=False)
    print_verdict(record, Path("r"), console=console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def quiet(**changed: object) -> RunRecord:
    """Nobody's alert fired."""
    watch = replace(WATCH, answered=41, before=(), **changed)
    return replace(priced(), detection=Detection("prometheus:9090", watch, (), ()))


def test_the_report_for_programs_is_exact_to_the_cent() -> None:
    money = told(priced())["money"]
    each = money["workloads"]["order-capture"]["at_risk"]
    assert (each["low"], each["high"]) == (7872.03, 9120.08)
    assert each["refused"] == {"orders": 120, "value": 5760}
    assert each["gone"] == {"orders": 2, "value": 96}
    assert money["at_risk"]["low"] == round(5 * 7872.03, 2)  # finance earns nothing
    assert money["at_risk"]["orders_low"] == 5 * 164
    assert money["cost"] == {
        "per_hour": 18.5, "baseline_s": 38, "good": 1672, "per_million_transactions": 116.79,
    }  # fmt: skip


def test_every_report_has_the_same_line() -> None:
    record = priced()
    line = "revenue at risk: EUR 39,360.15 to 45,600.40; 820 orders not served or lost"
    assert line in terminal(record)
    assert "EUR 39,360.15 to 45,600.40" in render_html(record)
    assert "EUR 39,360.15 to 45,600.40" in render_markdown(record)
    assert "10 of them (EUR 480.00) a restore took for good" in total_text(record)


def test_the_picture_is_in_proportion_and_says_the_figures_in_words() -> None:
    found = rows(priced())
    assert len(found) == 5
    assert {(r.low_per_cent, r.width_per_cent) for r in found} == {(86.315, 13.685)}
    assert found[0].description == "order-capture: EUR 7,872.03 to 9,120.08 at risk."
    assert render_html(priced()).count('aria-labelledby="t-money-') == 5


def test_what_nobody_could_look_for_is_not_known_and_not_zero() -> None:
    record = unlooked()
    each = told(record)["money"]["workloads"]["order-capture"]["at_risk"]
    assert (each["high"], each["lost"], each["absent"], each["gone"]) == (None,) * 4
    assert "at least EUR 28,800.00; what was lost is not known" in total_text(record)
    assert "not known" in render_html(record)


def test_a_run_without_an_effect_had_nothing_at_risk_and_says_so() -> None:
    base = priced()
    nothing = tuple(replace(w, risk=None) for w in base.money.workloads)
    record = replace(base, money=replace(base.money, workloads=nothing, bad_s=0))
    assert told(record)["money"]["at_risk"] is None
    assert "not measured" in total_text(record)
    assert rows(record) == ()


def test_without_revenue_there_is_no_word_of_money() -> None:
    base = priced()
    free = tuple(replace(w, per_order_cents=0, risk=Risk()) for w in base.money.workloads)
    record = replace(base, money=replace(base.money, workloads=free, cost=None), detection=None)
    assert money_lines(record) == []
    assert 'id="money"' not in render_html(record)


def test_the_cost_stands_only_where_it_was_declared() -> None:
    money = priced().money
    assert "a thousand reliable transactions cost EUR 0.1168" in cost_text(money)
    assert "EUR 157,440.60 at risk" in cost_text(money)  # 39,360.15 in 15 s, a minute
    assert cost_text(replace(money, cost=None)) == ""
    assert "not known" in cost_text(replace(money, cost=Cost(1850, 10, 0)))


def test_the_first_alert_is_told_as_an_interval_with_what_weakens_it() -> None:
    text = detection_text(priced())
    assert text.startswith("detected after 5.1 to 6.3 s: PgPrimaryGone; then OrdersBurnRate")
    assert "38 of 41 polls were answered, 3 s the longest gap" in text
    assert "firing before the fault, so no detection of it: Watchdog" in text
    assert told(priced())["detection"]["alerts"][0] == {
        "name": "PgPrimaryGone", "low_s": 5.1, "high_s": 6.3,
    }  # fmt: skip


def test_silence_is_no_alert_and_never_zero() -> None:
    assert detection_text(quiet()) == "no alert of prometheus:9090 fired after the fault"
    assert told(quiet())["detection"]["alerts"] == []


def test_who_could_not_be_asked_was_not_silent() -> None:
    text = detection_text(unlooked())
    assert "could not be asked: prometheus:9090 gave no whole answer within 3 s" in text
    assert "no alert" not in text


def test_alerts_that_were_first_seen_after_the_fault_are_told_as_that() -> None:
    late = replace(WATCH, first_answer_ns=10**15, before=("PgPrimaryGone",))
    record = replace(priced(), detection=Detection("prometheus:9090", late, (), ("PgPrimaryGone",)))
    assert "at the first answer, which came after the fault" in detection_text(record)


def test_a_watch_without_a_word_is_not_known() -> None:
    record = replace(priced(), detection=Detection("prometheus:9090", None, (), ()))
    assert "how they were watched is not known" in detection_text(record)
    assert told(record)["detection"]["polls"] is None


def test_nobody_was_asked_and_nothing_is_said() -> None:
    record = replace(priced(), detection=Detection("", None, (), ()))
    assert detection_text(record) == ""
    assert 'id="detection"' not in render_html(record)


def test_an_alert_s_name_is_text() -> None:
    bad = replace(FIRST, name="<img src=x onerror=alert(1)>\x1b[31m|@all")
    record = replace(priced(), detection=Detection("h:1", WATCH, (bad,), ("<b>\u202e",)))
    assert "<img" not in render_html(record)
    assert "\x1b" not in terminal(record)
    assert "<img" not in render_markdown(record)
    assert "@all" not in render_markdown(record)


def test_runs_that_hold_neither_are_valid_too() -> None:
    found = told(report_cases.met())
    assert (found["money"], found["detection"]) == (None, None)


def test_sums_are_of_orders_and_cents() -> None:
    assert RISK.low == Sum(164, 787_203)
    assert RISK.high == Sum(190, 912_008)


def test_money_that_could_not_be_computed_is_told_and_spoils_no_report() -> None:
    record = replace(report_cases.met(), money_why="KeyError: <b>")
    assert told(record)["money"] is None
    assert "could not be computed: KeyError" in terminal(record)
    assert "could not be computed: KeyError: &lt;b&gt;" in render_html(record)
