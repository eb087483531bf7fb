"""What is looked at afterwards: two logs of the same attack, and every place that may hold no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.evidence import Use
from harness.errors import PlatformError
from harness.inspection import secrets
from harness.inspection.audit import compared
from harness.platforms.capabilities import AuditedUse
from harness.platforms.shown import Shown
from tests.shop.stand import wait_until

SECRET = "not-for-anybodys-eyes-" + "0815"
KNOWN = {SECRET.encode(): "queue", b"another-secret-of-the-house": "api-key"}
PLATFORM = SimpleNamespace(
    directory=Path("/nowhere/at/all"),
    secrets=SimpleNamespace(known=lambda: tuple((o, s.decode()) for s, o in KNOWN.items())),
)
MS = 1_000_000


def use(begun_ms: int, done_ms: int, told: str = "accepted") -> Use:
    return Use("queue", begun_ms * MS, done_ms * MS, told.startswith("accepted"), told)


USES = (use(0, 5), use(100, 105), use(200, 204, "denied: NOAUTH"), use(300, 304, "down: closed"))


def record(at_ms: float, within_ms: float = 1) -> AuditedUse:
    return AuditedUse("queue", round(at_ms * MS), round(within_ms * MS), "stub log")


@pytest.mark.parametrize(
    ("audited", "ok", "says"),
    [
        (record(102), True, "record 0.102 s"),
        (record(99.5), True, "(to within 0.001 s; stub log)"),
        (record(106), True, "0.100-0.105 s after the fault"),
        (record(98), False, "they disagree"),
        (record(107), False, "they disagree"),
        (record(2), False, "they disagree"),  # an audit that lost the last one
        (record(202), False, "they disagree"),  # it says accepted, he was refused
        (record(302), True, "did not hear"),  # accepted, and the answer was lost
        (record(600, 500), True, "(to within 0.500 s; stub log)"),
        (None, False, "holds none of 2"),
    ],
)
def test_both_logs_mean_the_same_last_use_or_it_is_said(audited, ok: bool, says: str) -> None:
    found, told = compared(USES, audited, 0)
    assert found is ok
    assert says in told


@pytest.mark.parametrize("uses", [(), (use(0, 4, "denied: NOAUTH"),)])
def test_without_an_accepted_use_nothing_is_proven(uses: tuple[Use, ...]) -> None:
    assert compared(uses, record(2), 0)[0] is None


class Proofs:
    def __init__(self) -> None:
        self.all: list[tuple[str, str, bool | None, str]] = []

    def __call__(self, check: str, kind: str, subject: str, ok: bool | None, told: str) -> None:
        assert check == "secrets-hidden"
        assert SECRET not in subject + told
        self.all.append((kind, subject, ok, told))

    def against(self) -> list[tuple[str, str, bool | None, str]]:
        return [proof for proof in self.all if not proof[2]]


def test_a_file_that_holds_a_secret_is_named_with_what_it_opens(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "app1.txt").write_text("all quiet")
    (tmp_path / "queue.log").write_text(f"AUTH {SECRET} from 127.0.0.1")
    (tmp_path / "secrets.json").write_text(SECRET)  # no log: it is meant to hold it
    proofs = Proofs()
    secrets.prove_files(KNOWN, proofs, "log", secrets.logs_of(tmp_path))
    assert proofs.against() == [("log", "queue.log", False, "queue.log holds a secret: queue")]
    assert ("log", "files", True, "1 files of 9 bytes hold none of 2 secrets") in proofs.all
    everything = Proofs()
    secrets.prove_files(KNOWN, everything, "evidence", secrets.files_below(tmp_path))
    assert {subject for _, subject, _, _ in everything.against()} == {"queue.log", "secrets.json"}


def test_what_parts_elsewhere_show_is_searched_too() -> None:
    def platform(*shown: Shown) -> SimpleNamespace:
        return SimpleNamespace(secrets=SimpleNamespace(shown=lambda: iter(shown)))

    quiet, loud = Shown("log", "the log of a", b"quiet"), Shown("process", "7 b", SECRET.encode())
    proofs = Proofs()
    secrets.prove_shown(KNOWN, proofs, platform(quiet, loud))
    assert proofs.against() == [("process", "7 b", False, "7 b holds a secret: queue")]
    assert [(kind, subject) for kind, subject, ok, _ in proofs.all if ok] == [("log", "parts")]
    nothing = Proofs()
    secrets.prove_shown(KNOWN, nothing, platform())
    assert nothing.all == []  # there is nobody elsewhere


def test_a_part_elsewhere_that_cannot_be_asked_proves_nothing() -> None:
    def silent() -> None:
        raise PlatformError("database-1 does not run")

    proofs = Proofs()
    platform = SimpleNamespace(secrets=SimpleNamespace(shown=silent))
    secrets.prove_shown(KNOWN, proofs, platform)
    ((_, subject, ok, told),) = proofs.all
    assert (subject, ok) == ("parts", None)
    assert "database-1 does not run" in told


def test_no_files_or_empty_ones_are_no_proof(tmp_path: Path) -> None:
    tmp_path.joinpath("app.log").touch()
    proofs = Proofs()
    secrets.prove_files(KNOWN, proofs, "log", secrets.logs_of(tmp_path))
    assert proofs.all == []


@pytest.mark.parametrize("where", ["argv", "environment"])
def test_a_process_that_shows_a_secret_is_named(where: str) -> None:
    words = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
    child = subprocess.Popen(
        [*words, SECRET] if where == "argv" else words,
        env={"PASSWORD": SECRET} if where == "environment" else {},
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        proofs = Proofs()
        secrets.prove_processes(PLATFORM, proofs)
        ((kind, subject, ok, told),) = proofs.against()
        assert (kind, ok) == ("process", False)
        assert f"({child.pid})" in subject
        assert told.endswith("holds a secret: queue")
    finally:
        child.kill()
        child.communicate()
    wait_until(lambda: not Path(f"/proc/{child.pid}").exists(), "it has ended")
    after = Proofs()
    secrets.prove_processes(PLATFORM, after)
    assert after.against() == []
    assert after.all


def test_a_platform_that_names_no_secret_cannot_be_searched() -> None:
    platform = SimpleNamespace(secrets=SimpleNamespace(known=tuple))
    with pytest.raises(PlatformError, match="nothing to search for"):
        secrets.known_to(platform)


def test_only_what_is_ours_and_cannot_be_read_leaves_the_question_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden = [
        secrets.Process(os.getpid(), "ours", b"", True),
        secrets.Process(1, "init", b"", True),
    ]
    seen = secrets.Process(2, "seen", b"no word of it", False)
    monkeypatch.setattr(secrets, "processes", lambda: iter([*hidden, seen]))
    proofs = Proofs()
    secrets.prove_processes(PLATFORM, proofs)
    assert [(subject, ok) for _, subject, ok, _ in proofs.all] == [
        (f"ours ({os.getpid()})", None),
        ("processes", True),
    ]


def test_a_tool_that_was_handed_a_secret_and_is_gone_is_still_named() -> None:
    quiet = [sys.executable, "-c", "import time; time.sleep(0.3)"]
    with secrets.Newcomers() as newcomers:
        subprocess.run([*quiet, SECRET], check=True)
        subprocess.run([*quiet, "harmless"], check=True)
    proofs = Proofs()
    newcomers.prove(PLATFORM, proofs, "a rotation")
    ((kind, _, _, told),) = proofs.against()
    assert kind == "process"
    assert told.endswith("began during a rotation and showed a secret: queue")
    assert [ok for _, subject, ok, _ in proofs.all if subject == "a rotation"] == [True]


def test_who_was_there_before_is_no_newcomer() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", SECRET])
    try:
        shown = Path(f"/proc/{child.pid}/cmdline")
        wait_until(lambda: SECRET.encode() in shown.read_bytes(), "it runs")
        with secrets.Newcomers() as newcomers:
            subprocess.run([sys.executable, "-c", "import time; time.sleep(0.2)"], check=True)
        proofs = Proofs()
        newcomers.prove(PLATFORM, proofs, "a rotation")
        assert proofs.against() == []
        assert proofs.all
    finally:
        child.kill()
        child.wait()
