"""check, report, platform, undo, new, list, doctor, completion."""

import json
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.commands import doctor, doctor_checks, rendering
from harness.commands.doctor_checks import Line
from harness.core.verdict import Verdict
from harness.inputs import places
from harness.inputs.scenario_file import load_scenario
from harness.platforms.embedded import platform as embedded
from harness.tenancy import lock, mending
from tests.cli.stand_ins import judgement, record


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch, home: Path) -> types.SimpleNamespace:
    """A run directory whose evidence says what the test wants."""
    (home / "runs" / "r1").mkdir(parents=True)
    says = types.SimpleNamespace(verdict=Verdict.MET, stored=b"same\n", recomputed=b"same\n")
    module = types.ModuleType("harness.evidence.check")
    module.check = lambda directory: types.SimpleNamespace(  # type: ignore[attr-defined]
        judgement=judgement(says.verdict), stored=says.stored, recomputed=says.recomputed
    )
    monkeypatch.setitem(sys.modules, "harness.evidence.check", module)
    load = types.ModuleType("harness.evidence.load")
    load.load_record = lambda directory: record(says.verdict)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "harness.evidence.load", load)
    return says


@pytest.mark.parametrize(("verdict", "code"), [("met", 0), ("missed", 1), ("invalid", 4)])
def test_check_exits_by_the_recomputed_verdict(call, evidence, verdict: str, code: int) -> None:
    evidence.verdict = Verdict(verdict)
    ended = call("check", "runs/r1")
    assert ended.code == code
    assert ended.out.startswith(f"{verdict}: node-loss\n  because it is {verdict}\n")
    assert call("check", "r1").out == ended.out


def test_check_exits_with_4_where_it_differs(call, evidence) -> None:
    evidence.stored = b"other\n"
    ended = call("check", "r1")
    assert ended.code == 4
    assert "differs from the stored one" in ended.err
    evidence.stored = b""
    assert "stored no verdict" in call("check", "r1").err


def test_print_verdict_prints_the_bytes_and_no_more(call, evidence) -> None:
    evidence.recomputed = evidence.stored = '{"a":"é"}\n'.encode()
    assert call("check", "r1", "--print-verdict").out == '{"a":"é"}\n'
    evidence.stored = b"other\n"
    ended = call("check", "r1", "--print-verdict")
    assert (ended.code, ended.out) == (4, '{"a":"é"}\n')


@pytest.mark.parametrize("form", ["html", "json", "junit", "markdown"])
def test_report_renders_again(call, evidence, home: Path, monkeypatch, form: str) -> None:
    monkeypatch.setattr(rendering, "as_text", lambda record, form, **_: f"{form} é\n")
    assert call("report", "r1", f"--{form}").out == f"{form} é\n"
    ended = call("report", "r1", f"--{form}", "--out", "file")
    assert (ended.code, ended.out) == (0, "")
    assert (home / "file").read_text() == f"{form} é\n"
    assert call("report", "r1", f"--{form}", "--out", "no/such/file").code == 2


def test_report_without_a_format_is_for_the_terminal(call, evidence, monkeypatch) -> None:
    monkeypatch.setattr(rendering, "print_verdict", lambda record, directory: print(directory))
    assert call("report", "r1").out == "runs/r1\n"


@dataclass
class Embedded:
    """A platform that is up until it is down."""

    directory: Path
    gone: bool = False

    def status(self) -> dict[str, object]:
        return {"application": {"url": "http://127.0.0.1:1"}, "nodes": ["a", "b"]}

    def down(self) -> None:
        self.gone = True


@pytest.fixture
def platforms(monkeypatch: pytest.MonkeyPatch, home: Path) -> types.SimpleNamespace:
    says = types.SimpleNamespace(running=None, started=[], mended=[])

    def up(**options: object) -> Embedded:
        says.started.append(options)
        says.running = Embedded(home / "platform")
        says.running.directory.mkdir(parents=True)
        return says.running

    def mend_every(say: Callable[[str], None]) -> bool:
        for what in says.mended:
            say(what)
        return says.running is not None

    monkeypatch.setattr(embedded, "find", lambda: says.running)
    monkeypatch.setattr(embedded, "up", up)
    monkeypatch.setattr(mending, "mend_every", mend_every)
    monkeypatch.setattr(rendering, "progress", _silent)
    return says


def _silent(*, silent: bool) -> object:
    from harness.progress import Silent

    return Silent()


def test_platform_up_status_down(call, platforms) -> None:
    assert call("platform", "status").out.startswith("no platform is up")
    assert json.loads(call("platform", "status", "--json").out) == {"up": False}
    assert call("platform", "up", "--async", "--dialect", "14", "--fresh").code == 0
    (options,) = platforms.started
    assert (options["synchronous"], options["dialect"], options["fresh"]) == (False, 14, True)
    assert "application.url: http://127.0.0.1:1" in call("platform", "status").out
    told = json.loads(call("platform", "status", "--json").out)
    assert told["application"]["url"] == "http://127.0.0.1:1"
    again = call("platform", "up")
    assert "is up already" in again.err
    assert len(platforms.started) == 1
    with lock.alone(platforms.running):
        refused = call("platform", "down")
    assert (refused.code, platforms.running.gone) == (2, False)
    assert "another drill has the platform" in refused.err
    assert call("platform", "down").code == 0
    assert platforms.running.gone
    platforms.running = None
    assert call("platform", "down").out == "no platform is up\n"


def test_a_platform_file_is_followed(call, platforms, home: Path) -> None:
    (home / "platform.yaml").write_text("kind: embedded\nsynchronous: false\ndialect: 18\n")
    assert call("platform", "up", "--platform", "platform.yaml", "--json").code == 0
    (options,) = platforms.started
    assert (options["synchronous"], options["dialect"]) == (False, 18)


def test_undo(call, platforms, home: Path) -> None:
    assert call("undo").out == "no platform is up: nothing to undo\n"
    platforms.running = Embedded(home)
    assert call("undo").out == "nothing was broken\n"
    platforms.mended = ["mended: node a was started again"]
    assert call("undo").out == "mended: node a was started again\n"


def test_new_writes_a_draft_that_loads(call, home: Path) -> None:
    ended = call("new", "payment-provider-loss", "--owner", "payments team")
    assert ended.code == 0
    found = load_scenario("payment-provider-loss")
    assert found.scenario.owner == "payments team"
    assert found.scenario.story.startswith("Payment provider loss.")
    experiment = (home / "experiments" / "payment-provider-loss.yaml").read_text()
    assert "\ntitle: Payment provider loss\n" in experiment
    assert "rollbacks:" in experiment
    again = call("new", "payment-provider-loss")
    assert (again.code, again.out) == (2, "")
    assert "is there already" in again.err


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a-", "1a", "../a", "class", "a" * 70, ""])
def test_new_refuses_names_that_no_module_could_have(call, home: Path, name: str) -> None:
    assert call("new", "--", name).code == 2
    assert list(home.iterdir()) == []


def test_list_shows_everything_and_survives_a_broken_scenario(call, home: Path) -> None:
    (home / "scenarios").mkdir()
    (home / "scenarios" / "broken.py").write_text("1 / 0\n")
    ended = call("list")
    assert ended.code == 0
    assert "node-loss" in ended.out
    assert "A node is lost at the height of a weekend promotion." in ended.out
    assert "cannot be loaded: scenarios/broken.py:1" in ended.out.replace(str(home) + "/", "")
    assert "The null run" in ended.out or "Nothing is lost" in ended.out
    assert "weekend-promotion" in ended.out
    assert "embedded" in ended.out


def test_the_doctor_looks_at_this_machine(call) -> None:
    told = json.loads(call("doctor", "--json").out)
    names = {line["name"] for line in told["lines"]}
    assert {"python", "namespaces", "parts", "ports", "disk", "memory", "browser"} <= names
    assert {"docker", "kubernetes"} <= names
    assert next(line for line in told["lines"] if line["name"] == "python")["ok"]


def test_the_doctor_says_what_is_missing_and_how_to_get_it(call, monkeypatch) -> None:
    lines = [
        Line("python", True, "3.11", ""),
        Line("docker", False, "no daemon", "install it", needed=False, serves="containers"),
    ]
    monkeypatch.setattr(doctor, "examine", lambda: lines)
    ended = call("doctor")
    assert ended.code == 0
    assert "missing  docker" in ended.out
    assert "-> install it (only for containers)" in ended.out
    lines.append(Line("memory", False, "1 GB free", "free some"))
    ended = call("doctor")
    assert ended.code == 2
    assert "the embedded platform cannot run: 1 missing" in ended.out


def test_a_look_that_fails_stops_no_other(monkeypatch) -> None:
    def _python() -> Line:
        raise OSError("no /proc")

    monkeypatch.setattr(doctor_checks, "_python", _python)
    lines = doctor_checks.examine()
    assert lines[0].name == "python"
    assert "could not look" in lines[0].found
    assert len(lines) > 5


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(call, shell: str) -> None:
    ended = call("completion", shell)
    assert ended.code == 0
    assert "_PEAKDRILL_COMPLETE" in ended.out


def completed(home: Path, *words: str) -> str:
    """What a shell would be told."""
    ended = subprocess.run(
        [sys.executable, "-m", "harness.cli"],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        env={
            "PYTHONPATH": str(places.SHIPPED),
            "_PEAKDRILL_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(["peakdrill", *words]),
            "COMP_CWORD": str(len(words)),
        },
    )
    assert ended.returncode == 0
    assert ended.stderr == ""
    return ended.stdout


def test_a_shell_completes_names(home: Path) -> None:
    (home / "runs" / "20261122T0300Z").mkdir(parents=True)
    assert completed(home, "pla") == "plain,plan\nplain,platform\n"
    assert completed(home, "run", "node-l") == "plain,node-loss\n"
    assert completed(home, "check", "2026") == "plain,20261122T0300Z\n"
    assert completed(home, "check", "else") == "dir,else\n"
    assert completed(home, "run", "node-loss", "--size", "s") == "plain,smoke\n"
