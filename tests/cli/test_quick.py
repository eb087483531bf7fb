"""--version and --help are quick because of what they do not import; no clock is asked."""

import subprocess
import sys

import pytest

from harness.inputs import places

HEAVY = ("numpy", "scipy", "pydantic", "yaml", "rich", "jinja2", "psycopg", "boto3", "asyncio")

SCRIPT = """
import sys
from harness import cli
code = cli.exit_code(sys.argv[1:])
loaded = [name for name in %r if name in sys.modules]
print("loaded:", loaded, "code:", code, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["run", "--help"],
        ["doctor", "--help"],
        ["gate", "--help"],
        ["rnu"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT % (HEAVY,), *arguments],
        cwd=places.SHIPPED,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "loaded: [] code:" in ended.stderr


def test_the_plug_in_imports_nothing_of_ours_until_it_is_asked() -> None:
    script = (
        "import sys, harness.pytest_plugin\n"
        "print([n for n in sys.modules if n.startswith(('harness.', 'numpy', 'click'))])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=places.SHIPPED,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "['harness.pytest_plugin']\n"


def test_the_version_is_the_package_s() -> None:
    from harness import __version__

    ended = subprocess.run(
        [sys.executable, "-m", "harness.cli", "--version"],
        cwd=places.SHIPPED,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == f"peakdrill {__version__}\n"
