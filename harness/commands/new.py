"""`peakdrill new`: the first draft of a scenario and its experiment, ready to run."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

import click

from harness.errors import Refused, UsageError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")

_SCENARIO = '''"""TITLE.

Claim   What must hold, in words that the business uses.
Method  Which load runs, what breaks, how, and who repairs it (nobody, by default).
Why     When this happens in real life, and what it would cost.
"""

from harness import Scenario, HOW, checks, experiment, load

scenario = Scenario(
    name="NAME",
    owner="OWNER",
    load=load("weekend-promotion"),
    fault=experiment("NAME", node="primary"),
    recovery=RECOVERY,
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"nodes", "database.standby", "ingress"},
    tags={"draft"},
)
'''

_EXPERIMENT_HEAD = """# A draft of NAME, written from the loss of a node: it runs as it is.
# Say what breaks in `method` (an action, then a probe that sees its effect, then `hold`), and
# what takes it back in `rollbacks`. No timing and no judgement: the harness does both.
"""


@click.command()
@click.argument("name")
@click.option("--owner", default="platform", show_default=True, help="The team that answers.")
@click.option("--recovery", default="automatic", show_default=True, help="Or a runbook.")
def new(*, name: str, owner: str, recovery: str) -> int:
    """Write scenarios/NAME.py and experiments/NAME.yaml here. Overwrites nothing."""
    if not _NAME.match(name) or len(name) > 60 or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} cannot be a scenario's name: small letters, digits and hyphens, "
            "beginning with a letter",
            next_step="for example: peakdrill new payment-provider-loss",
        )
    if not re.fullmatch(r"[\w .@/+-]{1,80}", owner):
        raise UsageError(f"{owner!r} cannot be an owner: letters, digits and blanks")
    _check_runbook(recovery)
    scenario = Path("scenarios") / f"{name.replace('-', '_')}.py"
    experiment = Path("experiments") / f"{name}.yaml"
    for file in (scenario, experiment):
        if file.exists() or file.is_symlink():
            raise Refused(f"{file} is there already", next_step="choose another name, or edit it")
    title = name.replace("-", " ").capitalize()
    _write_new(scenario, _scenario(name, title, owner, recovery))
    try:
        _write_new(experiment, _experiment(name, title))
    except BaseException:
        scenario.unlink(missing_ok=True)  # half a draft would be in the way of the next try
        raise
    click.echo(f"wrote {scenario}\nwrote {experiment}\nnext: peakdrill run {name} --size smoke")
    return 0


def _check_runbook(name: str) -> None:
    from harness.inputs.words import did_you_mean
    from harness.recovery.registry import ALL_NAMES

    if name not in ALL_NAMES:
        raise UsageError(
            f"there is no runbook {name!r}{did_you_mean(name, ALL_NAMES)}",
            next_step=f"one of: {', '.join(ALL_NAMES)}",
        )


def _scenario(name: str, title: str, owner: str, recovery: str) -> str:
    how, told = "automatic", "automatic(within_s=120)"
    if recovery != how:
        how, told = "runbook", f'runbook("{recovery}", within_s=600)'
    imported = ", ".join(["Scenario", *sorted([how, "checks", "experiment", "load"])])
    head = _SCENARIO.replace("Scenario, HOW, checks, experiment, load", imported)
    for mark, text in (("TITLE", title), ("RECOVERY", told), ("NAME", name), ("OWNER", owner)):
        head = head.replace(mark, text)
    return head


def _write_new(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        if not isinstance(error, FileExistsError):
            file.unlink(missing_ok=True)  # an empty or torn file is worse than none
        raise Refused(
            f"cannot write {file}: {error.strerror}", next_step="try it in another folder"
        ) from error


def _experiment(name: str, title: str) -> str:
    """The shipped experiment under a new title, so that a draft is valid from the start."""
    from harness.inputs import places
    from harness.inputs.yaml_lines import read_text

    lines = read_text(places.EXPERIMENTS / "node-loss.yaml").splitlines()
    body = [line for line in lines if not line.startswith("#")]
    told = [f"title: {title}" if line.startswith("title:") else line for line in body]
    return _EXPERIMENT_HEAD.replace("NAME", name) + "\n".join(told) + "\n"
