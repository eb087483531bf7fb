"""Experiment files: finding one by name, and freezing a run's parameters into it. Pure but for
the finding.

A parameter is a plain value under `configuration:`. Freezing replaces just that value in the text:
comments and layout stay, `chaos validate` still accepts it, and it still runs by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from harness.errors import BadInput

FOLDER = Path(__file__).parent.parent.parent / "experiments"
_INTEGER = "tag:yaml.org,2002:int"


def find_experiment(name: str) -> Path:
    """The file of an experiment that ships, by name: `find_experiment("node-loss")`.

    Raises BadInput, listing the names that exist.
    """
    file = FOLDER / f"{name}.yaml"
    if "/" not in name and file.is_file():
        return file
    names = tuple(sorted(f.stem for f in FOLDER.glob("*.yaml")))
    raise BadInput(FOLDER, f"no experiment {name!r}", allowed=names)


def declared_parameters(text: str, *, file: Path | str = "experiment.yaml") -> Mapping[str, str]:
    """The parameters that an experiment takes, and their defaults. Raises BadInput."""
    return {key: node.value for key, node in _parameters(text, file).items()}


def resolved_experiment(
    text: str, parameters: Mapping[str, str], *, file: Path | str = "experiment.yaml"
) -> str:
    r"""The experiment with its parameters frozen. Resolving twice changes nothing.

    >>> resolved_experiment("configuration:\n  node: primary # whom\n", {"node": "standby"})
    'configuration:\n  node: "standby" # whom\n'

    Raises BadInput for a parameter that the experiment does not declare, or of another type.
    """
    known = _parameters(text, file)
    spans: list[tuple[int, int, str]] = []
    for key, value in parameters.items():
        if key not in known:
            raise BadInput(
                file, "not a parameter of this experiment", key=key, allowed=tuple(sorted(known))
            )
        node = known[key]
        spans.append((node.start_mark.index, node.end_mark.index, _spelled(node, key, value, file)))
    for start, end, spelled in sorted(spans, reverse=True):
        text = text[:start] + spelled + text[end:]
    return text


def _spelled(node: yaml.ScalarNode, key: str, value: str, file: Path | str) -> str:
    if node.tag != _INTEGER:
        return json.dumps(value)  # a JSON string is a YAML string
    try:
        return str(int(value))
    except ValueError:
        line = node.start_mark.line + 1
        raise BadInput(file, f"{value!r} is not a whole number", line=line, key=key) from None


def _parameters(text: str, file: Path | str) -> dict[str, yaml.ScalarNode]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadInput(file, f"not YAML: {error.problem}", line=line) from error
    except yaml.YAMLError as error:
        raise BadInput(file, f"not YAML: {error}") from error
    if not isinstance(root, yaml.MappingNode):
        raise BadInput(file, "not an experiment: it must be a mapping", line=1)
    for key, value in root.value:
        if key.value == "configuration" and isinstance(value, yaml.MappingNode):
            return {k.value: v for k, v in value.value if isinstance(v, yaml.ScalarNode)}
    return {}
