"""Images that are not ours: Debian's odoo-14, and Debian's PostgreSQL with its Patroni.

    python tests/odoo/odoo_images.py [CACHE]

No registry is asked: a root made with debootstrap is imported into this machine's Docker. Neither
image holds a line of peakdrill's; all that they need is told by platform.yaml.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from odoo_root import SUITE, CannotMake, enter, folder, made, mirror, run_calmly

APPLICATION = "localhost/debian-odoo:14"
DATABASE = "localhost/debian-postgresql:13"
_PACKAGES = ("postgresql", "patroni", "python3-etcd")
_LEFT_OUT = ("./srv/*", "./proc/*", "./sys/*", "./var/cache/apt/*", "./var/lib/apt/lists/*")


def images(cache: Path | None = None) -> tuple[str, str]:
    """Application and database, imported where they are not there yet. Raises CannotMake."""
    if shutil.which("docker") is None:
        raise CannotMake("docker is missing")
    if not is_there(APPLICATION):
        imported(made(cache), APPLICATION)
    if not is_there(DATABASE):
        imported(database_root(cache), DATABASE)
    return APPLICATION, DATABASE


def database_root(cache: Path | None = None) -> Path:
    """A root with PostgreSQL and Patroni, made where it is not there yet."""
    root = folder(cache) / "database-root"
    if not (root / "srv" / "packages-are-in").exists():
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        run_calmly("debootstrap", "--variant=minbase", SUITE, str(root), mirror())
        enter(root, _PACKAGES)
    return root


def imported(root: Path, name: str) -> None:
    words = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
    with subprocess.Popen(
        ["nice", "-n", "15", "tar", "-C", str(root), *words, "-c", "."], stdout=subprocess.PIPE
    ) as packed:
        run_calmly("docker", "import", "-", name, stdin=packed.stdout)
    if packed.returncode:
        raise CannotMake(f"{root} could not be packed")


def is_there(name: str) -> bool:
    asked = ["docker", "image", "inspect", name]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    try:
        print(*images(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
    except CannotMake as error:
        sys.exit(f"odoo_images: {error}")
