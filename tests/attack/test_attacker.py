"""The attacker as a process: it tells accepted, denied and down apart, and shows no secret."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import threading
import time
from pathlib import Path

import pytest

import harness.attack
from harness.attack import __main__ as program
from harness.attack import leaked
from harness.attack.grid import Grid, Log
from harness.attack.leaked import Leaked
from harness.attack.told import Denied, Down
from harness.core.evidence import Use
from harness.evidence.lines import read_lines
from tests.attack.prey import MARKER, SECRET, Door, at, attacker, door, rpc_error
from tests.shop.stand import free_port, wait_until

ID = b'{"jsonrpc": "2.0", "result": 2}'
NO = b'{"jsonrpc": "2.0", "result": false}'
EXPIRED = rpc_error("odoo.http.SessionExpiredException")
DOWN = rpc_error("psycopg2.OperationalError")
S3_NO = b"<Error><Code>InvalidAccessKeyId</Code></Error>"
S3_LATE = b"<Error><Code>RequestTimeTooSkewed</Code></Error>"


@pytest.mark.parametrize("name", [m.name for m in pkgutil.iter_modules(harness.attack.__path__)])
def test_the_examples_in_the_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"harness.attack.{name}")).failed == 0


@pytest.mark.parametrize(
    ("kind", "answer", "told"),
    [
        ("application-password", (200, ID), "accepted"),
        ("application-password", (200, NO), "denied: no such login and password"),
        ("application-password", (200, DOWN), "down: psycopg2.OperationalError"),
        ("application-password", (503, b""), "down: HTTP 503"),
        ("api-key", (200, b"[7]"), "accepted"),
        ("api-key", (401, b""), "denied: HTTP 401"),
        ("api-key", (404, b""), "down: HTTP 404"),
        ("session-cookie", (200, ID), "accepted"),
        ("session-cookie", (200, EXPIRED), "denied: odoo.http.SessionExpiredException"),
        ("session-cookie", (200, b"<html>"), "down: an answer that cannot be read"),
        ("session-cookie", (200, b"[]"), "down: an answer that cannot be read"),
        ("backup-writer", (200, b""), "accepted"),
        ("backup-writer", (403, S3_NO), "denied: HTTP 403 InvalidAccessKeyId"),
        ("backup-writer", (403, S3_LATE), "down: HTTP 403 RequestTimeTooSkewed"),
        ("backup-writer", (500, b""), "down: S3Error"),
    ],
)
def test_an_answer_is_told_apart(kind: str, answer: tuple[int, bytes], told: str) -> None:
    with door() as stub:
        stub.answer = answer
        assert one_try(at(kind, stub.url)) == told
        assert carries_the_marker(stub, kind)


def one_try(held: Leaked) -> str:
    """As the grid would tell it."""
    given = program.Order(MARKER, "", "", 19, {held.kind: 1.0}, 1.0, 1)
    grid = Grid(held.kind, program.way_in(held, given), 1.0, time.monotonic_ns(), 0, 1)
    use = grid._once(0)
    assert use.accepted == use.told.startswith("accepted")
    assert use.begun_ns <= use.done_ns
    return use.told


def carries_the_marker(stub: Door, kind: str) -> bool:
    _, path, headers, _ = stub.heard[-1]
    return MARKER in (path if kind == "backup-writer" else headers["user-agent"])


@pytest.mark.parametrize("kind", leaked.CLASSES)
def test_where_nobody_listens_nothing_is_proven(kind: str) -> None:
    port = free_port()
    where = {
        "database-role": f"host=127.0.0.1 port={port} dbname=odoo",
        "queue": f"redis://127.0.0.1:{port}/0",
    }.get(kind, f"http://127.0.0.1:{port}/bucket")
    assert one_try(Leaked(kind, where, "2", "odoo", SECRET)).startswith("down: ")


def test_before_19_a_key_is_used_by_json_rpc() -> None:
    with door() as stub:
        stub.answer = (200, ID)
        given = program.Order(MARKER, "", "", 18, {"api-key": 1.0}, 1.0, 1)
        assert program.way_in(at("api-key", stub.url), given)(0) == "accepted"
        assert stub.heard[-1][1] == "/jsonrpc"
        assert json.loads(stub.heard[-1][3])["params"]["args"][:3] == ["odoo", 2, SECRET]


def test_it_waits_for_the_word_and_ends_with_its_standard_input(tmp_path: Path) -> None:
    with door() as stub, attacker(tmp_path, [at("api-key", stub.url)]) as thief:
        stub.answer = (200, b"[7]")
        time.sleep(0.8)
        assert stub.heard == []
        assert thief.uses() == ()
        thief.go()
        wait_until(lambda: len(thief.uses()) >= 3, "three uses")
        code, output = thief.end()
        assert (code, output) == (0, b"")
        heard = len(stub.heard)
        assert heard == len(thief.uses())  # nothing was tried that left no line
        assert not secret_in(thief.folder)


def secret_in(folder: Path) -> list[str]:
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "leaked" and SECRET.encode() in path.read_bytes()
    ]


def test_no_secret_stands_in_its_command_line_or_environment(tmp_path: Path) -> None:
    with door() as stub, attacker(tmp_path, [at("session-cookie", stub.url)]) as thief:
        thief.go()
        wait_until(lambda: bool(thief.uses()), "a use")
        for name in ("cmdline", "environ"):
            shown = Path(f"/proc/{thief.process.pid}/{name}").read_bytes()
            assert shown
            assert SECRET.encode() not in shown


def test_it_ends_at_its_limit_of_tries(tmp_path: Path) -> None:
    with door() as stub, attacker(tmp_path, [at("api-key", stub.url)], max_tries=4) as thief:
        stub.answer = (401, b"")
        thief.go()
        assert thief.process.wait(30) == 0
        assert [use.told for use in thief.uses()] == ["denied: HTTP 401"] * 4


def test_it_ends_at_its_limit_of_time(tmp_path: Path) -> None:
    with door() as stub, attacker(tmp_path, [at("api-key", stub.url)], max_s=0.5) as thief:
        thief.go()
        assert thief.process.wait(30) == 0
        assert 1 <= len(thief.uses()) <= 10


def test_a_credential_of_another_form_ends_it_without_a_word_of_it(tmp_path: Path) -> None:
    with attacker(tmp_path, [at("api-key", "http://127.0.0.1:1")]) as thief:
        (tmp_path / "leaked" / "api-key.json").write_text(f'{{"secret": "{SECRET}"}}')
        thief.go()
        code, output = thief.end()
        assert code == 1
        assert b"not a leaked credential" in output
        assert SECRET.encode() not in output


def test_tries_stand_on_a_fixed_grid_and_a_slow_one_leaves_out_those_it_covers(
    tmp_path: Path,
) -> None:
    numbers: list[int] = []

    def use(number: int) -> str:
        numbers.append(number)
        if number == 2:
            time.sleep(0.25)  # covers 3 and 4, whatever the machine does to 5
        if number % 2:
            raise Denied("42")
        raise Down("elsewhere")

    begin_ns = time.monotonic_ns()
    log = Log(tmp_path / "uses.jsonl")
    Grid("api-key", use, 10.0, begin_ns, begin_ns + 1_000_000_000, 100).run(log, threading.Event())
    log.close()
    uses = read_lines(tmp_path / "uses.jsonl", Use)
    assert len(uses) == len(numbers)
    assert numbers == sorted(set(numbers))
    assert not {3, 4} & set(numbers)
    assert max(numbers) <= 9
    for number, use_made in zip(numbers, uses, strict=True):
        assert use_made.begun_ns >= begin_ns + number * 100_000_000  # never before it is due
        assert use_made.told == ("denied: 42" if number % 2 else "down: elsewhere")
        assert not use_made.accepted
