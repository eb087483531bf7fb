"""The platform needs no root: started and ended by `nobody`, beside the one that root has up."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.platforms.embedded import programs
from tests.conftest import processes_naming

pytestmark = [
    pytest.mark.platform,
    pytest.mark.skipif(os.getuid() != 0, reason="we are an ordinary user already"),
]
_NOBODY = 65534
_LIFE = """
from harness.platforms.embedded import find, up
started = up()
print(started.whole().missing, find().directory == started.directory)
started.down()
print(find())
"""


def visible_to_all(scratch: Path) -> str:
    """Shell: the folders that are needed, reachable for everybody, in a mount namespace alone."""
    lines = ["set -e"]
    for number, folder in enumerate(programs.needed_folders()):
        closed = [p for p in reversed(folder.parents) if not p.stat().st_mode & 0o001]
        if not closed:
            continue
        held = shlex.quote(str(scratch / f"held{number}"))
        top, there = shlex.quote(str(closed[0])), shlex.quote(str(folder))
        lines += [
            f"mkdir -p {held}",
            f"mount --bind {there} {held}",
            f"mount -t tmpfs -o mode=755 tmpfs {top}",
            f"mkdir -p {there}",
            f"mount --bind {held} {there}",
        ]
    return "\n".join(lines)


def as_nobody(scratch: Path, home: Path, program: str) -> subprocess.CompletedProcess[str]:
    words = [
        "setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups",
        "env", "-i", "HOME=/nonexistent", "PATH=/usr/bin:/bin", f"PEAKDRILL_HOME={home}",
        f"PYTHONPATH={programs.SOURCE_ROOT}", sys.executable, "-c", program,
    ]  # fmt: skip
    script = f"{visible_to_all(scratch)}\ncd /\nexec {shlex.join(words)}"
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_nobody_starts_one_and_ends_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    scratch = tmp_path_factory.mktemp("scratch")
    home = Path("/var/tmp") / f"peakdrill-nobody-{os.getpid()}"  # pytest's own folders are closed
    home.mkdir(mode=0o700)
    os.chown(home, _NOBODY, _NOBODY)
    try:
        able = as_nobody(scratch, home, "import harness.platforms.embedded.platform")
        if able.returncode != 0:
            pytest.skip(f"nobody cannot use this environment: {able.stderr[-200:]}")
        done = as_nobody(scratch, home, _LIFE)
        assert done.stdout.split("\n")[:2] == ["() True", "None"], done.stderr[-2000:]
        assert processes_naming(home) == []
        assert list((home / "platforms").iterdir()) == []
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)
