"""A PostgreSQL of its own below a scratch folder, on a unix socket alone; it ends with its user."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.platforms.embedded import namespace, programs

_SETTINGS = {
    "listen_addresses": "", "fsync": "off", "shared_buffers": "512MB", "max_wal_size": "8GB",
    "wal_level": "minimal", "max_wal_senders": "0", "autovacuum": "off",
}  # fmt: skip


@contextmanager
def scratch_database(folder: Path) -> Iterator[str]:
    """Its DSN."""
    data, sockets = folder / "data", folder / "s"
    sockets.mkdir(parents=True)
    as_user = namespace.as_user()
    _run([*as_user, programs.postgres("initdb"), "-D", str(data), "-U", "bench", "--auth=trust",
          "--no-sync"])  # fmt: skip
    words = [f"-c {name}={value}" for name, value in _SETTINGS.items()]
    options = " ".join([*words, f"-k {sockets}"])
    control = [*as_user, programs.postgres("pg_ctl"), "-D", str(data)]
    _run([*control, "-w", "-l", str(folder / "log"), "-o", options, "start"])
    try:
        yield f"host={sockets} user=bench dbname=postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _run(words: list[str]) -> None:
    done = subprocess.run(
        words, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[-6:])} ended with {done.returncode}")
