"""Roles inside the image: a program watched over, a configuration that follows its secrets, commands."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.reference.inside import application, running, store
from harness.platforms.reference.inside.__main__ import main
from harness.platforms.reference.inside.settings import Settings

SAYS_AND_WAITS = "import sys,time; open('there','w').close(); time.sleep(60)"
IGNORES_TERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SAYS_AND_WAITS}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("shop", "admin_password", "api_key", "valkey"):
        (secrets / name).write_text(f"{name}-word")
    return Settings(
        {
            "PEAKDRILL_NAME": "application-x",
            "PEAKDRILL_SECRETS": str(secrets),
            "PEAKDRILL_DATA": str(tmp_path),
            "PEAKDRILL_FILESTORE": str(tmp_path / "filestore"),
            "PEAKDRILL_DATABASE": "database-0:5432,database-1:5433",
            "PEAKDRILL_QUEUE": "queue:6379",
            "PEAKDRILL_PARTNERS": "partners.shop-edge:8090",
        }
    )


@pytest.fixture
def own_signals() -> object:
    """Of this process, which plays process 1 for a moment."""
    kept = {
        number: signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    }
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def ended_when_there(folder: Path) -> None:
    """Tell this process to end as soon as the program runs."""

    def tell() -> None:
        while not (folder / "there").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=tell, daemon=True).start()


@pytest.mark.usefixtures("own_signals")
def test_a_program_s_exit_code_is_the_container_s(tmp_path: Path) -> None:
    assert running.run([sys.executable, "-c", "raise SystemExit(7)"], home=tmp_path) == 7


@pytest.mark.usefixtures("own_signals")
def test_a_request_to_end_reaches_the_program(tmp_path: Path) -> None:
    ended_when_there(tmp_path)
    code = running.run([sys.executable, "-c", SAYS_AND_WAITS], home=tmp_path)
    assert code == 128 + signal.SIGTERM


@pytest.mark.usefixtures("own_signals")
def test_who_does_not_hear_it_is_killed(tmp_path: Path) -> None:
    ended_when_there(tmp_path)
    code = running.run([sys.executable, "-c", IGNORES_TERM], home=tmp_path, within_s=0.6)
    assert code == 128 + signal.SIGKILL


def test_the_shop_is_told_where_everything_is(settings: Settings) -> None:
    configuration = application.Configuration(settings)
    assert configuration.renew()
    told = json.loads(configuration.file.read_text())
    assert configuration.file.stat().st_mode & 0o777 == 0o600
    assert "host=database-0,database-1 port=5432,5433" in told["dsn"]
    assert told["dsn"].endswith("user=shop password=shop-word")
    assert told["queue"] == {"url": "redis://queue:6379/0", "password": "valkey-word"}
    assert told["partners_url"] == "http://partners.shop-edge:8090"
    assert told["audit_log"].endswith("filestore/audit/audit-application-x.jsonl")
    assert (told["host"], told["port"]) == ("0.0.0.0", 8069)


def test_the_shop_s_file_is_replaced_when_a_secret_is_and_only_then(settings: Settings) -> None:
    configuration = application.Configuration(settings)
    configuration.renew()
    assert not configuration.renew()
    (settings.secrets / "api_key").write_text("renewed")
    assert configuration.renew()
    assert json.loads(configuration.file.read_text())["api_key"] == "renewed"


def test_a_secret_that_goes_missing_leaves_the_old_configuration(settings: Settings) -> None:
    configuration = application.Configuration(settings)
    configuration.renew()
    before = configuration.file.read_text()
    (settings.secrets / "valkey").unlink()
    with pytest.raises(PlatformError, match="the secret valkey"):
        configuration.renew()
    assert configuration.file.read_text() == before


def test_a_renewal_of_what_is_no_secret_is_refused(settings: Settings) -> None:
    with pytest.raises(PlatformError, match="no secret is called pasword"):
        application.renew(settings, ["password"], {"pasword": "x"})
    with pytest.raises(PlatformError, match="renew one of"):
        application.renew(settings, ["everything"], {})


def test_of_the_store_s_parts_s3_alone_listens_to_others(tmp_path: Path) -> None:
    words = store.command(tmp_path, tmp_path / "s3.json")
    assert [word for word in words if "0.0.0.0" in word] == ["-s3.ip.bind=0.0.0.0"]
    assert "-ip.bind=127.0.0.1" in words


def test_a_role_that_is_none_is_named_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["databse"]) == 2
    told = capsys.readouterr().err
    assert "no role 'databse'" in told
    assert "database" in told


@pytest.mark.parametrize("stdin", ["not json", "[]"])
def test_a_command_wants_an_object_from_stdin(stdin: str, settings: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness.platforms.reference.inside", "doors"],
        input=stdin, env={**os.environ, **settings.environ}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 5
    assert "stdin" in done.stderr
    assert not done.stdout
