"""A real Odoo in a folder: Debian's own odoo-14 and PostgreSQL, made with debootstrap.

    python tests/odoo/odoo_root.py [CACHE]

Needs root, debootstrap, and a Debian mirror among this machine's apt sources. Made once: about two
minutes for the packages, two more for the database. What a test changes is a copy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

SUITE, POSTGRES = "bullseye", "/usr/lib/postgresql/13/bin"
PACKAGES = ("odoo-14", "postgresql")
MODULES = "l10n_generic_coa,sale_management,sale_stock,point_of_sale"
BASE = "/srv/base"  # inside the root: a stopped database and Odoo's data folder, to be copied
OWNER_PASSWORD = "owner"  # of the database's owner, in a lab on this machine's loopback
CALM = ("nice", "-n", "15")


class CannotMake(Exception):
    """What is missing on this machine."""


def mirror() -> str:
    """The Debian mirror that this machine itself uses."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
         "Label: Debian", "Component: main"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for uri in listed.stdout.split():
        return uri
    raise CannotMake("no Debian mirror among this machine's apt sources; try `apt-get update`")


def folder(cache: Path | None = None) -> Path:
    """Where it is kept: $PEAKDRILL_ODOO_CACHE, else below the user's cache."""
    named = os.environ.get("PEAKDRILL_ODOO_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache or (Path(named) if named else home / "peakdrill" / "odoo-14")


def made(cache: Path | None = None) -> Path:
    """The root, made where it is not there yet. Raises CannotMake."""
    root = folder(cache) / "root"
    if os.geteuid() != 0:
        raise CannotMake("a root can be made and entered by root alone")
    if not (root / "srv" / "packages-are-in").exists():
        _install(root)
    if not (root / "srv" / "base-is-made").exists():
        from odoo_stand import initialise

        initialise(root)
        (root / "srv" / "base-is-made").touch()
    return root


def _install(root: Path) -> None:
    if shutil.which("debootstrap") is None:
        raise CannotMake("debootstrap is missing: apt-get install debootstrap")
    shutil.rmtree(root, ignore_errors=True)  # half a root is none
    root.mkdir(parents=True)
    run_calmly("debootstrap", "--variant=minbase", SUITE, str(root), mirror())
    enter(root, PACKAGES)


def enter(root: Path, packages: Sequence[str]) -> None:
    """Packages into a root; nothing of them is started."""
    nothing_starts = root / "usr" / "sbin" / "policy-rc.d"
    nothing_starts.write_text("#!/bin/sh\nexit 101\n")
    nothing_starts.chmod(0o755)
    inside = ("chroot", str(root), "apt-get")
    run_calmly(*inside, "update")
    run_calmly(*inside, "install", "-y", "--no-install-recommends", *packages)
    run_calmly(*inside, "clean")
    (root / "srv" / "packages-are-in").touch()


def run_calmly(*words: str, stdin: IO[bytes] | int | None = subprocess.DEVNULL) -> None:
    calm = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run([*CALM, *words], env=calm, stdin=stdin, check=False)
    if done.returncode:
        raise CannotMake(f"{' '.join(words[:3])} ended with exit code {done.returncode}")


if __name__ == "__main__":
    try:
        print(made(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
    except CannotMake as error:
        sys.exit(f"odoo_root: {error}")
