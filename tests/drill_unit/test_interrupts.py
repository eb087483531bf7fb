"""Signals: the first one stops the run, and none of them cuts an undoing short."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from harness.errors import Interrupted, PlatformError
from harness.interrupts import interruptible, left_unbroken, unbroken
from harness.platforms.capabilities import Endpoints
from harness.readback.survivors import look


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_signal_interrupts_and_the_second_only_speaks(capfd) -> None:
    with interruptible():
        with pytest.raises(Interrupted, match="SIGINT"):
            ctrl_c()
        os.kill(os.getpid(), signal.SIGTERM)
    assert "still undoing" in capfd.readouterr().err


def test_a_signal_waits_until_what_is_unbroken_is_done() -> None:
    done: list[str] = []

    def both() -> None:
        with unbroken():
            with unbroken():
                ctrl_c()
                done.append("inner")
            done.append("outer")

    with interruptible(), pytest.raises(Interrupted):
        both()
    assert done == ["inner", "outer"]


@pytest.mark.parametrize("error", [None, PlatformError("the load ended early")])
def test_no_signal_cuts_a_way_out_short(error: Exception | None) -> None:
    steps: list[str] = []

    @contextmanager
    def load() -> Iterator[str]:
        try:
            yield "load"
        finally:
            ctrl_c()
            steps.append("stopped")
            steps.append("waited for")

    def trade() -> None:
        with left_unbroken(load()) as value:
            steps.append(value)
            if error:
                raise error

    with interruptible():
        with pytest.raises(PlatformError if error else Interrupted):
            trade()
        if error:  # it is not forgotten: the next thing that ends says it
            with pytest.raises(Interrupted), unbroken():
                pass
    assert steps == ["load", "stopped", "waited for"]


def test_what_was_not_raised_is_not_raised_in_the_next_run() -> None:
    with interruptible(), pytest.raises(PlatformError):
        stop_badly()
    with interruptible(), unbroken():
        pass


def stop_badly() -> None:
    with unbroken():
        ctrl_c()
        raise PlatformError("the load could not be stopped")


def test_a_signal_during_a_read_back_is_no_store_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def connect(*_: object, **__: object) -> object:
        ctrl_c()
        raise AssertionError("never reached")

    monkeypatch.setattr(psycopg, "connect", connect)
    nowhere = Endpoints(
        application_url="", application_replicas=(), database="", login="", password_file=None,
        dsn="", kind="shop", version=19, queue_url="", queue_password_file=None, filestore=None,
        s3_url="", s3_credentials_file=None, s3_bucket="", partners_url="",
    )  # fmt: skip
    with interruptible(), pytest.raises(Interrupted):
        look("first", nowhere, "r1", filestore=None, clock=lambda: 0, settled=False)
