"""`run` and `observe`: who is asked and who is told reaches the session, and secrets do not leave."""

from pathlib import Path

from harness.observe.destinations import Destinations


def test_whom_to_ask_and_whom_to_tell_reach_the_session(call, judge_at_once, home: Path) -> None:
    (home / "token").write_text("s3cr3t\n")
    ended = call(
        *["run", "node-loss", "--alerts", "http://prometheus:9090"],
        *["--otlp", "http://collector:4318", "--otlp-token-file", "token"],
        *["--prometheus-file", "x.prom", "--grafana", "https://grafana"],
    )
    assert ended.code == 0
    (order,) = judge_at_once.orders
    assert order.alerts_url == "http://prometheus:9090"
    assert order.observe == Destinations(
        "http://collector:4318", Path("token"), Path("x.prom"), "https://grafana"
    )


def test_nobody_is_told_by_default_and_the_environment_can_say_whom(
    call, judge_at_once, monkeypatch
) -> None:
    call("run", "node-loss")
    monkeypatch.setenv("PEAKDRILL_OTLP_ENDPOINT", "http://collector:4318")
    call("run", "node-loss")
    first, second = judge_at_once.orders
    assert (first.observe, first.alerts_url) == (Destinations(), None)
    assert second.observe == Destinations(otlp_url="http://collector:4318")


def test_a_password_in_an_address_is_refused_and_not_repeated(call, judge_at_once) -> None:
    ended = call("run", "node-loss", "--grafana", "http://admin:hunter2@grafana")
    assert (ended.code, judge_at_once.orders) == (2, [])
    assert "hunter2" not in ended.err + ended.out


def test_a_run_that_is_not_there_is_refused(call) -> None:
    ended = call("observe", "nowhere", "--prometheus-file", "x.prom")
    assert ended.code == 2
    assert "there is no run directory nowhere" in ended.err
