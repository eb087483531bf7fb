"""`peakdrill gate`: may this release go live?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.history_options import history_options, opened
from harness.commands.options import FILE, peak, scenario_names
from harness.errors import Refused

if TYPE_CHECKING:
    from harness.core.gate.values import GateDecision
    from harness.history.store import History
    from harness.many_runs.gate_runs import Asked
    from harness.session import Order

_MOST = 10_000


@click.command()
@click.option("--release", required=True, help="The candidate, as its runs name it.")
@click.option("--baseline", default="", help="A release that it may not be slower than.")
@click.option(
    "--scenarios",
    metavar="TAG|NAME,...",
    default="",
    shell_complete=scenario_names,
    help="By tag, name or file. Default: every one.",
)
@click.option(
    "--runs",
    type=click.IntRange(1, _MOST),
    help="Make at most so many a scenario now. Default: what the policy's claim lacks.",
)
@click.option("--sequential", is_flag=True, help="Stop as soon as the runs allow an answer.")
@click.option("--no-run", is_flag=True, help="Decide from the history alone; start nothing.")
@click.option("--targets", type=FILE, help="Default: ./targets.yaml, else the example.")
@click.option("--on", default="embedded", show_default=True, help="The platform to drill.")
@click.option("--platform", "platform_file", type=FILE, help="A platform.yaml.")
@click.option(
    "--size", type=click.Choice(["smoke", "full"]), default="full", show_default=True,
    help="Only runs of this size count.",
)  # fmt: skip
@click.option("--peak", type=peak, default="1x", show_default=True, metavar="1x|2x|3x")
@click.option("--season", help="Default: the one that the targets declare.")
@click.option("--tenant", default="", help="Whose overrides hold.")
@history_options
@click.option("--junit", type=FILE, help="Write JUnit XML to this file.")
@click.option("--markdown", type=FILE, help="Write a summary for CI to this file.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def gate(
    *,
    release: str,
    baseline: str,
    scenarios: str,
    runs: int | None,
    sequential: bool,
    no_run: bool,
    history: str | None,
    out: Path,
    junit: Path | None,
    markdown: Path | None,
    as_json: bool,
    **template: object,
) -> int:
    """Decide from the runs of a release whether it may go live; make the runs that lack.

    Any acknowledged write lost over its limit fails it for good. Exits 0 met, 1 missed, 2 refused,
    3 inconclusive (with the number of runs that it lacks), 4 where no run was fit to judge.
    """
    _check_names(release, baseline)
    from harness import session
    from harness.inputs.policy_file import read_policy
    from harness.many_runs import gate_runs

    order = _template(release=release, out=out, **template)  # type: ignore[arg-type]
    asked = gate_runs.asked(
        order,
        gate_runs.selected([word for word in scenarios.split(",") if word]),
        baseline=baseline,
        sequential=sequential,
        runs=runs,
        policy=read_policy(order.targets_file).gate,
        any_configuration=no_run and order.platform_file is None,
        ask=session.plan_only,
        store=history,
    )
    with opened(history, out, must_exist=no_run) as store:
        decision = _decided(asked, store, no_run=no_run, silent=as_json)
    _write(decision, junit=junit, markdown=markdown)
    _print(decision, as_json=as_json)
    return decision.exit_code


def _check_names(release: str, baseline: str) -> None:
    for option, word in (("--release", release), ("--baseline", baseline)):
        if len(word) > 100 or not word.isprintable():
            raise click.BadParameter("at most 100 printable characters", param_hint=option)
    if not release:
        raise click.BadParameter("names no release", param_hint="--release")
    if release == baseline:
        raise click.BadParameter("is the candidate itself", param_hint="--baseline")


def _template(
    *,
    release: str,
    out: Path,
    targets: Path | None,
    on: str,
    platform_file: Path | None,
    size: str,
    peak: float,
    season: str | None,
    tenant: str,
) -> Order:
    """One order for every scenario; files are read, and blamed, when each is asked."""
    from harness.core.plan import Size
    from harness.session import Order

    return Order(
        scenario="",
        on=on,
        targets_file=targets,
        platform_file=platform_file,
        size=Size(size),
        peak=peak,
        out=out,
        release=release,
        season=season,
        tenant=tenant,
    )


def _decided(asked: Asked, store: History, *, no_run: bool, silent: bool) -> GateDecision:
    from harness.core.gate.decision import decide
    from harness.core.gate.next_drill import next_drill

    decision = decide(asked.question, store.outcomes())
    if no_run or next_drill(decision) is None:
        return decision
    from harness.commands import rendering
    from harness.many_runs import gate_runs
    from harness.preflight import FULL_NEEDS_BYTES, SMOKE_NEEDS_BYTES, refuse_full_disk
    from reports.gate_text import plan_text

    for order in asked.orders.values():
        _check(order)
    some = next(iter(asked.orders.values()))
    refuse_full_disk(some.out, SMOKE_NEEDS_BYTES if some.size == "smoke" else FULL_NEEDS_BYTES)
    minutes = {name: gate_runs.estimate_s(limits) / 60 for name, limits in asked.limits.items()}
    say = _say(silent=silent)
    say(plan_text(decision, minutes))
    return gate_runs.carry_out(asked, store, lambda: rendering.progress(silent=silent), say)


def _check(order: Order) -> None:
    from harness.inputs.order_check import check_order

    check_order(order)


def _say(*, silent: bool) -> Callable[[str], None]:
    """Onto stderr: stdout is the answer's."""
    from reports.words import clean

    def say(text: str) -> None:
        if not silent:
            click.echo("\n".join(clean_line(line) for line in text.splitlines()), err=True)

    def clean_line(line: str) -> str:
        indent = line[: len(line) - len(line.lstrip(" "))]
        return indent + clean(line)

    return say


def _print(decision: GateDecision, *, as_json: bool) -> None:
    if as_json:
        from reports.gate_json import render_gate_json

        click.echo(render_gate_json(decision), nl=False)
        return
    from reports.gate_text import gate_text

    click.echo(gate_text(decision))


def _write(decision: GateDecision, *, junit: Path | None, markdown: Path | None) -> None:
    """Both are rendered before either is written."""
    texts: list[tuple[Path, str]] = []
    if junit is not None:
        from reports.gate_junit import render_gate_junit

        texts.append((junit, render_gate_junit(decision)))
    if markdown is not None:
        from reports.gate_markdown import render_gate_markdown

        texts.append((markdown, render_gate_markdown(decision)))
    for file, text in texts:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise Refused(
                f"cannot write {file}: {error.strerror}", next_step="name another file"
            ) from error
