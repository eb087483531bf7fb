"""Do all supported Pythons that are here give the same bytes? Those that are not here are named.

Each gets an environment of its own from the locked requirements, kept in --cache.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
LOCK = ROOT / "requirements" / "drill.txt"
_INSTALL_S, _JUDGE_S = 900, 300


def interpreter(version: str) -> str | None:
    """One that runs; a shim that only says which versions it could be is none."""
    managed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    found = [shutil.which(f"python{version}"), *map(str, reversed(managed))]
    for path in filter(None, found):
        asked = [path, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=30)
        if done.returncode == 0 and done.stdout.strip() == version:
            return path
    return None


def told_by(path: str, version: str, cache: Path) -> dict[str, object]:
    """What that Python gives. Raises CalledProcessError."""
    environment = cache / version
    python = environment / "bin" / "python"
    if not (environment / "ready").exists():
        shutil.rmtree(environment, ignore_errors=True)
        _run([path, "-m", "venv", str(environment)], within_s=_INSTALL_S)
        words = ["-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "-r", str(LOCK)]
        _run([str(python), *words], within_s=_INSTALL_S)
        (environment / "ready").touch()
    text = _run([str(python), "-m", "tests.repeatability.digests"], within_s=_JUDGE_S)
    told: dict[str, object] = json.loads(text)
    return told


def _run(words: list[str], *, within_s: int) -> str:
    home = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=ROOT, env=home, check=False, timeout=within_s
    )
    if done.returncode:
        sys.exit(f"{' '.join(words[:4])} ...: {done.stderr.strip()[-800:]}")
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    cache = parser.parse_args().cache.absolute()
    here = {version: path for version in SUPPORTED if (path := interpreter(version))}
    told = {version: told_by(path, version, cache) for version, path in here.items()}
    names = sorted({name for one in told.values() for name in one["digests"]})  # type: ignore[attr-defined]
    differing = [n for n in names if len({one["digests"].get(n) for one in told.values()}) != 1]  # type: ignore[attr-defined]
    absent = [version for version in SUPPORTED if version not in here]
    print(verdict(len(told), len(names), differing))
    print(f"  here: {', '.join(str(one['python']) for one in told.values()) or 'none'}")
    print(f"  not here, so nothing is said of them: {', '.join(absent) or 'none'}")
    for name in names:
        digests = {str(one["digests"].get(name))[:16] for one in told.values()}  # type: ignore[attr-defined]
        print(
            f"  {'DIFFERS' if name in differing else 'same   '} {name}  {' '.join(sorted(digests))}"
        )
    return 0 if len(told) > 1 and names and not differing else 1


def verdict(pythons: int, files: int, differing: list[str]) -> str:
    """The answer, first.

    >>> verdict(2, 11, [])
    'The same bytes: 11 judgements and reports by 2 Pythons.'
    """
    if pythons < 2 or not files:
        return f"Not shown: {pythons} supported Python here, {files} files; two are needed."
    if differing:
        return f"DIFFERENT BYTES: {len(differing)} of {files} judgements and reports."
    return f"The same bytes: {files} judgements and reports by {pythons} Pythons."


if __name__ == "__main__":
    sys.exit(main())
