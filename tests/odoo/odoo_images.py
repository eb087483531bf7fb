"""Images that are not ours: Debian's odoo-14, PostgreSQL with its Patroni, Redis; and bare Traefik.

    python tests/odoo/odoo_images.py [CACHE]

No registry is asked: a root made with debootstrap is imported into this machine's Docker. None
holds a line of peakdrill's; all that they need is told by platform.yaml.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from odoo_root import SUITE, CannotMake, enter, folder, made, mirror, run_calmly

from harness.platforms.embedded import programs

APPLICATION = "localhost/debian-odoo:14"
DATABASE = "localhost/debian-postgresql:13"
CACHE = "localhost/debian-redis:6"
INGRESS = "localhost/bare-traefik:3"
_OF_DATABASE = ("postgresql", "patroni", "python3-etcd")
_OF_CACHE = ("redis-server",)
_LEFT_OUT = ("./srv/*", "./proc/*", "./sys/*", "./var/cache/apt/*", "./var/lib/apt/lists/*")


def images(cache: Path | None = None) -> tuple[str, ...]:
    """Each is imported where it is not there yet. Raises CannotMake."""
    if shutil.which("docker") is None:
        raise CannotMake("docker is missing")
    made_of = {
        APPLICATION: lambda: imported(made(cache), APPLICATION),
        DATABASE: lambda: imported(root_with(_OF_DATABASE, "database-root", cache), DATABASE),
        CACHE: lambda: imported(root_with(_OF_CACHE, "cache-root", cache), CACHE),
        INGRESS: lambda: bare_traefik(folder(cache) / "ingress-root"),
    }
    for name, make in made_of.items():
        if not is_there(name):
            make()
    return tuple(made_of)


def root_with(packages: Sequence[str], name: str, cache: Path | None = None) -> Path:
    """A root with these packages alone, made where it is not there yet."""
    root = folder(cache) / name
    if not (root / "srv" / "packages-are-in").exists():
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        run_calmly("debootstrap", "--variant=minbase", SUITE, str(root), mirror())
        enter(root, packages)
    return root


def bare_traefik(root: Path) -> None:
    """One file and nothing else: no shell, no Python, as the official image nearly is."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "srv").mkdir(parents=True)
    shutil.copy(programs.traefik(), root / "traefik")
    imported(root, INGRESS, "--change", 'ENTRYPOINT ["/traefik"]')


def imported(root: Path, name: str, *how: str) -> None:
    words = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
    with subprocess.Popen(
        ["nice", "-n", "15", "tar", "-C", str(root), *words, "-c", "."], stdout=subprocess.PIPE
    ) as packed:
        run_calmly("docker", "import", *how, "-", name, stdin=packed.stdout)
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
