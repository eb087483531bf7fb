"""Scenarios and experiments, found and loaded by path, never by package name.

`node-loss` is ./scenarios/node_loss.py where there is one, else the scenario that ships; anything
with a slash or a .py is a file's path. A module that breaks is blamed with its own line.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
import types
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.scenario import Scenario
from harness.errors import BadInput, UsageError
from harness.inputs import places
from harness.inputs.scenario_rules import check_scenario, keyword_lines
from harness.inputs.words import did_you_mean, shown
from harness.inputs.yaml_lines import check_syntax, read_text

_EXAMPLE = 'scenario = Scenario(name="...", owner="...", ...)'


@dataclass(frozen=True, slots=True)
class FoundScenario:
    """A scenario and the file that it came from."""

    scenario: Scenario
    file: Path


def scenario_files(folder: Path | None = None) -> dict[str, Path]:
    """Name -> file: the user's ./scenarios before the ones that ship."""
    found: dict[str, Path] = {}
    for home in ((folder or Path()) / "scenarios", places.SCENARIOS):
        if not home.is_dir():
            continue
        for file in sorted(home.glob("*.py")):
            if not file.name.startswith(("_", "test_", "conftest")):
                found.setdefault(file.stem.replace("_", "-"), file)
    return found


def find_scenario(name: str, *, folder: Path | None = None) -> Path:
    """The file of a scenario. Raises UsageError that lists what there is."""
    if "/" in name or name.endswith(".py"):
        file = Path(name)
        if not file.is_file():
            raise UsageError(f"there is no scenario file {shown(name)}", next_step="check the path")
        return file
    files = scenario_files(folder)
    asked = name.replace("_", "-")
    if asked not in files:
        raise UsageError(
            f"there is no scenario {shown(name)}{did_you_mean(asked, files)}; "
            f"there are: {', '.join(sorted(files)) or 'none'}",
            next_step="`peakdrill list` shows them, `peakdrill new NAME` writes one",
        )
    return files[asked]


def load_scenario(name: str, *, folder: Path | None = None) -> FoundScenario:
    """Find, load and check. Raises UsageError and BadInput."""
    file = find_scenario(name, folder=folder)
    found = read_scenario(file)
    expected = file.stem.replace("_", "-")
    if "/" not in name and not name.endswith(".py") and found.scenario.name != expected:
        raise BadInput(
            file,
            f"is {shown(found.scenario.name)}, and the file's name says {expected!r}",
            line=keyword_lines(read_text(file)).get("name"),
            key="name",
        )
    return found


def read_scenario(file: Path) -> FoundScenario:
    """The checked scenario of one file, with its experiment in reach."""
    text = read_text(file)
    module = _executed(file, text)
    scenario = getattr(module, "scenario", None)
    if scenario is None:
        raise BadInput(file, "defines no `scenario`", next_step=f"write {_EXAMPLE}")
    if not isinstance(scenario, Scenario):
        raise BadInput(
            file,
            f"`scenario` is a {type(scenario).__name__}, not a harness.Scenario",
            next_step=f"write {_EXAMPLE}",
        )
    check_scenario(scenario, file, text)
    story = scenario.story or inspect.cleandoc(module.__doc__ or "")
    if not story:
        raise BadInput(
            file,
            "makes no claim: it has neither a docstring nor a `story`",
            line=1,
            next_step="say in the docstring what is claimed, how it is tried, and why",
        )
    load = replace(scenario.load, csv=_csv_beside(scenario.load.csv, file, text))
    found = FoundScenario(replace(scenario, story=story, load=load), file)
    experiment_path(found)
    return found


def _csv_beside(csv: str, file: Path, text: str) -> str:
    """A recorded curve lies beside the scenario that replays it."""
    if csv and not (file.parent / csv).is_file():
        line = keyword_lines(text).get("load")
        raise BadInput(file, f"there is no file {shown(csv)} beside it", line=line, key="load")
    return str(file.parent / csv) if csv else ""


def experiment_path(found: FoundScenario) -> Path:
    """experiments/<name>.yaml beside the scenario's folder, else the one that ships."""
    name = found.scenario.fault.experiment
    own = found.file.resolve().parent.parent / "experiments"
    for home in (own, places.EXPERIMENTS):
        if (home / f"{name}.yaml").is_file():
            return home / f"{name}.yaml"
    names = experiment_files(own.parent)
    raise BadInput(
        found.file,
        f"there is no experiment {shown(name)}{did_you_mean(name, names)}",
        key="fault",
        allowed=tuple(sorted(names)),
        next_step=f"write {own / (name + '.yaml')}",
    )


def experiment_files(folder: Path | None = None) -> dict[str, Path]:
    """Name -> file: the user's ./experiments before the ones that ship."""
    found: dict[str, Path] = {}
    for home in ((folder or Path()) / "experiments", places.EXPERIMENTS):
        for file in sorted(home.glob("*.yaml")) if home.is_dir() else ():
            found.setdefault(file.stem, file)
    return found


def find_experiment(asked: Path) -> Path:
    """The file given with --experiment, or one by its name; its syntax is checked, no more."""
    names = experiment_files()
    file = names.get(str(asked), asked)
    if not file.is_file():
        raise UsageError(
            f"there is no experiment {shown(str(asked))}{did_you_mean(asked.stem, names)}",
            next_step=f"a file, or one of: {', '.join(sorted(names))}",
        )
    check_syntax(file)
    return file


def _executed(file: Path, text: str) -> types.ModuleType:
    """The module, run once; nothing is written beside it and no package name is claimed."""
    digest = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]
    module = types.ModuleType(f"peakdrill_scenario_{digest}")
    module.__file__ = str(file)
    try:
        code = compile(text, str(file), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise BadInput(file, f"is not Python: {error.msg}", line=error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL, or absurd nesting
        raise BadInput(file, f"is not Python: {error}") from None
    sys.modules[module.__name__] = module  # dataclasses and pickling look there
    try:
        exec(code, module.__dict__)  # noqa: S102 (a scenario is the user's own code)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        del sys.modules[module.__name__]
        raise _blamed(file, error) from error
    return module


def _blamed(file: Path, error: BaseException) -> BadInput:
    """The last line of the scenario's own file that was running, and what it met there."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(file)]
    told = " ".join(str(error).split())[:300]
    what = f"broke while it was loaded: {type(error).__name__}: {told}"
    if isinstance(error, TypeError) and told.startswith("Scenario.__init__()"):
        what = f"Scenario(...) {told.removeprefix('Scenario.__init__()').strip()}"
    return BadInput(file, what, line=lines[-1] if lines else None)
