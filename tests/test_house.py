"""The rules of the house that a machine can hold: lengths, docstrings, nothing of one machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for folder in ("harness", "load", "shop", "reports", "scenarios", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
FILE_LINES_MAX = 350
FUNCTION_LINES_MAX = 60


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_has_one_job_and_fits_it(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES_MAX
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name} has {length} lines"


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.name == "__init__.py" and "tests" not in p.parts], ids=named
)
def test_a_package_says_what_lives_there(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{named(path)} has no docstring"


def test_no_file_names_a_package_host_or_a_path_of_one_machine() -> None:
    hosts = "|".join([r"pypi" + r"\.org", r"files\.python" + r"hosted", r"deb\.deb" + r"ian\.org"])
    homes = "|".join(["/ro" + "ot/", "/ho" + r"me/\w", "/wo" + "rk/"])
    forbidden = re.compile(f"{hosts}|registry\\.npm|{homes}")
    for path in tracked_files():
        if path.suffix in {".png", ".npy", ".slots"} or path.stat().st_size > 2_000_000:
            continue
        found = forbidden.search(path.read_text(errors="replace"))
        assert not found, f"{named(path)}: {found.group(0) if found else ''}"


def test_no_two_test_modules_share_a_name() -> None:
    """pytest imports them by their bare names: of two, one would not be collected."""
    names = [
        path.name
        for path in (ROOT / "tests").rglob("*.py")
        if path.name not in {"conftest.py", "__init__.py", "sitecustomize.py"}  # Python's own name
    ]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
