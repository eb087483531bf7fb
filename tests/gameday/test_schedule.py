"""`peakdrill schedule`: text that systemd and Kubernetes read as it was meant."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import cli
from harness.core.cron import WORDS, cron
from harness.errors import UsageError
from harness.many_runs.scheduling import Repeated, cron_job, quoted, systemd_units, unit_name

NASTY = 'it\'s 50% of "$HOME" and $(X) \\n'


def repeated(*words: str, when: str = "weekly", **files: str) -> Repeated:
    return Repeated("gameday autumn", "peakdrill: it's 50%", words, cron(when), files)


def run(capfd, *words: str) -> tuple[int, str]:
    capfd.readouterr()
    code = cli.exit_code(("schedule", *words))
    seen = capfd.readouterr()
    return code, seen.out if code == 0 else seen.err


@pytest.mark.parametrize(
    ("text", "calendars"),
    [
        ("daily", ("*-*-* 00:00:00 UTC",)),
        ("weekly", ("Mon *-*-* 00:00:00 UTC",)),
        ("quarterly", ("*-01,04,07,10-01 00:00:00 UTC",)),
        ("*/20 5 * * *", ("*-*-* 05:00,20,40:00 UTC",)),
        ("0 5 * * 7", ("Sun *-*-* 05:00:00 UTC",)),
        ("0 5 13 * fri", ("*-*-13 05:00:00 UTC", "Fri *-*-* 05:00:00 UTC")),
        ("0 9-11 * mar-apr mon,wed", ("Mon,Wed *-03,04-* 09,10,11:00:00 UTC",)),
    ],
)  # fmt: skip
def test_cron_in_the_words_of_systemd(text: str, calendars: tuple[str, ...]) -> None:
    assert cron(text).calendars() == calendars


@pytest.mark.parametrize(
    "text",
    ["often", "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
     "5-1 * * * *", "*/0 * * * *", "a * * * *", "0 0 30 2 *", "0 0 31 4,6 *", "1,,2 * * * *"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str, capfd) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cron(text)
    assert run(capfd, "node-loss", "--every", text, "--as", "systemd")[0] == 2


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize(
    "text", [*WORDS, "*/20 5 * * *", "0 5 13 * fri", "0 9-11 * mar-apr mon,wed"]
)
def test_systemd_reads_every_calendar(text: str) -> None:
    for line in cron(text).calendars():
        done = subprocess.run(
            ["systemd-analyze", "calendar", line], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_verifies_the_units(tmp_path: Path) -> None:
    units = systemd_units(
        repeated("gameday", "start", NASTY, when="0 5 13 * fri"),
        program=(shutil.which("true") or "",),
        folder=str(tmp_path),
    )
    files = [tmp_path / name for name in units]
    for file, text in zip(files, units.values(), strict=True):
        file.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, files)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "peakdrill-gameday-autumn" in line]
    assert ours == []


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), max_size=30))
def test_a_word_is_unquoted_to_itself(word: str) -> None:
    """By systemd's rules: specifiers and variables first, then C escapes within the quotes."""
    text = quoted(word)
    assert text[0] == text[-1] == '"'
    inner = text[1:-1].replace("%%", "\0P").replace("$$", "\0D")
    assert "%" not in inner
    assert "$" not in inner
    plain = ""
    letters = iter(inner.replace("\0P", "%").replace("\0D", "$"))
    for letter in letters:
        assert letter != '"'
        plain += next(letters) if letter == "\\" else letter
    assert plain == word


@pytest.mark.parametrize("bad", ["a\nExecStart=evil", "a\x00b", "a\tb"])
def test_a_line_of_its_own_is_refused(bad: str) -> None:
    with pytest.raises(UsageError, match="control character"):
        quoted(bad)
    with pytest.raises(UsageError, match="control character"):
        systemd_units(repeated("run"), program=("peakdrill",), folder=bad)
    with pytest.raises(UsageError, match="control character"):
        cron_job(repeated(bad), image="i", claim="c")


def test_a_cron_job_runs_the_words_as_they_are() -> None:
    config, job = yaml.safe_load_all(
        cron_job(
            repeated("run", NASTY, **{"gameday.yaml": "name: x\n# $(Y)\n"}), image="i", claim="c"
        )
    )
    assert config["data"]["gameday.yaml"] == "name: x\n# $(Y)\n"
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    spec = job["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("0 0 * * 1", "Etc/UTC")
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    (container,) = pod["containers"]
    assert container["args"] == ["run", NASTY.replace("$(", "$$(")]
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    assert config["metadata"]["name"] == pod["volumes"][1]["configMap"]["name"]


def test_a_token_is_mounted_only_for_a_service_account(capfd) -> None:
    words = ("node-loss", "--every", "weekly", "--as")
    for account in ("", "peakdrill"):
        named = ("--service-account", account) if account else ()
        code, told = run(capfd, *words, "cronjob", *named)
        assert code == 0
        pod = yaml.safe_load(told)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        assert pod.get("serviceAccountName", "") == account
        assert pod["automountServiceAccountToken"] is bool(account)
        env = {found["name"] for found in pod["containers"][0]["env"]}
        assert ("CHAOSTOOLKIT_IN_POD" in env) is bool(account)
    assert run(capfd, *words, "systemd", "--service-account", "peakdrill")[0] == 2
    assert run(capfd, *words, "cronjob", "--service-account", "Peak Drill")[0] == 2


@given(st.text(max_size=120))
def test_a_name_is_one_everywhere(name: str) -> None:
    made = unit_name(name)
    assert len(made) <= 52
    assert made[0].isalpha()
    assert made[-1].isalnum()
    assert all(c.isascii() and (c.isalnum() or c == "-") for c in made)
    assert made == made.lower()


def test_two_long_names_stay_two() -> None:
    assert unit_name("a" * 80) != unit_name("a" * 81)


def test_a_game_day_by_the_command_line(desk, capfd) -> None:
    code, told = run(capfd, "gameday.yaml", "--every", "weekly", "--as", "systemd", "--json")
    assert code == 0
    service = json.loads(told)["peakdrill-gameday-rehearsal.service"]
    line = next(t for t in service.splitlines() if t.startswith("ExecStart="))
    words = shlex.split(line.removeprefix("ExecStart="))
    assert words[1:] == [
        "gameday", "start", str(desk.file), "--dated", "--no-questions",
    ]  # fmt: skip
    assert f"WorkingDirectory={desk.folder}" in service
    code, told = run(capfd, "gameday.yaml", "--every", "weekly", "--as", "cronjob")
    config, job = yaml.safe_load_all(told)
    assert set(config["data"]) == {"gameday.yaml", "targets.yaml"}
    assert job["metadata"]["name"] == "peakdrill-gameday-rehearsal"
    assert sorted(p.name for p in desk.folder.iterdir() if p.name.startswith("peakdrill")) == []


def test_a_scenario_with_options_of_its_own(desk, capfd) -> None:
    code, told = run(
        capfd, "node-loss", "--every", "0 3 * * 0", "--as", "systemd", "--", "--size", "smoke"
    )
    assert code == 0
    assert '"run" "node-loss" "--size" "smoke"' in told
    assert "OnCalendar=Sun *-*-* 03:00:00 UTC" in told
    assert run(capfd, "node-los", "--every", "weekly", "--as", "systemd")[0] == 2
