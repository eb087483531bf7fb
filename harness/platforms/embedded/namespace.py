"""The namespace that a node lives in: its processes see only each other, and die as one.

PostgreSQL refuses uid 0, so a user namespace maps our uid to one that PostgreSQL accepts and that
passwd knows (it asks). The pid namespace's process 1 takes every other process with it, and the
ipc namespace the shared memory that a killed PostgreSQL would leave to the machine.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from harness.errors import Refused

_MAPPED = "nobody"


def _inner_user() -> pwd.struct_passwd:
    """Ourselves when we are an ordinary user that passwd knows, else `nobody`."""
    try:
        ours = pwd.getpwuid(os.getuid())
    except KeyError:
        ours = None
    return ours if ours and ours.pw_uid != 0 else pwd.getpwnam(_MAPPED)


def as_user() -> list[str]:
    """Prefix of a command that must not run as uid 0; empty when we are not."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        known = False
    else:
        known = True
    return [] if known and os.getuid() != 0 else _unshare("-U", "-i")


def as_node() -> list[str]:
    """Prefix of a node's process 1: everything in it dies with unshare, or with process 1.

    The capabilities (over the namespace alone) are for its private places; it drops them itself.
    """
    return _unshare("-U", "-i", "-p", "--fork", "--kill-child", "-m", "--mount-proc", "--keep-caps")


def _unshare(*flags: str) -> list[str]:
    user = _inner_user()
    return ["unshare", *flags, f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}"]


def check() -> None:
    """Raises Refused with what is missing and what to do. Costs a few milliseconds."""
    problem = problem_here()
    if problem:
        raise Refused(f"the embedded platform cannot run here: {problem[0]}", next_step=problem[1])


def problem_here() -> tuple[str, str] | None:
    """What this machine lacks, and the way out; None when nodes can be made."""
    lacking = [name for name in ("unshare", "setsid", "sh") if not shutil.which(name)]
    if lacking:
        return f"{', '.join(lacking)} not found", "install util-linux"
    if not hasattr(os, "pidfd_open"):
        return "this kernel has no pidfd_open", "Linux 5.3 or later is needed"
    try:
        probe = subprocess.run(
            [*as_node(), "true"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired, KeyError) as error:
        return f"unshare failed: {error}", "see `peakdrill doctor`"
    if probe.returncode == 0:
        return None
    return f"no user and pid namespaces ({probe.stderr.strip()})", _way_out()


def _way_out() -> str:
    """The kernel's own switches, by what they say now."""
    switches = {
        "user/max_user_namespaces": ("0", "sysctl -w user.max_user_namespaces=15000"),
        "kernel/unprivileged_userns_clone": ("0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        "kernel/apparmor_restrict_unprivileged_userns": (
            "1",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    }
    for name, (bad, cure) in switches.items():
        try:
            if (Path("/proc/sys") / name).read_text(encoding="ascii").strip() == bad:
                return cure
        except OSError:
            continue
    return "in a container, allow unshare (for example --security-opt seccomp=unconfined)"
