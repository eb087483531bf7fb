"""`pytest scenarios/ --drill-on embedded --drill-size smoke`: scenarios as tests.

A scenario passes when its verdict is met, and fails with the verdict's reasons otherwise. pytest
loads this module in every session of the environment, so nothing is imported up here and no hook
does anything until --drill-on is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.session import Order


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("peakdrill", "peakdrill: scenarios as tests")
    group.addoption(
        "--drill-on", metavar="PLATFORM", help="Collect scenarios and drill them on this platform."
    )
    group.addoption("--drill-size", choices=["smoke", "full"], default="smoke")
    group.addoption("--drill-targets", metavar="FILE", help="Default: ./targets.yaml.")
    group.addoption("--drill-experiment", metavar="FILE", help="Instead of the scenarios' own.")
    group.addoption("--drill-out", metavar="DIR", default="runs", help="Runs go to DIR/<run>.")
    group.addoption("--drill-peak", metavar="1x|2x|3x", default="1x")
    group.addoption("--drill-seed", metavar="N", type=int)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--drill-on", None) is None:
        return
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("a drill takes the whole platform: run it without -n")
    _peak(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if parent.config.getoption("--drill-on", None) is None or file_path.suffix != ".py":
        return None
    if file_path.name.startswith(("_", "test_", "conftest")) or not _defines_scenario(file_path):
        return None
    node: pytest.Collector = ScenarioFile.from_parent(parent, path=file_path)
    return node


def _defines_scenario(file: Path) -> bool:
    """By its text: a module is run only when it is one of ours."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return any(line.startswith(("scenario =", "scenario:")) for line in text.splitlines())


def _peak(config: pytest.Config) -> float:
    import click

    from harness.commands.options import peak

    try:
        return peak(str(config.getoption("--drill-peak")))
    except click.BadParameter as error:
        raise pytest.UsageError(f"--drill-peak: {error.message}") from error


def _order(config: pytest.Config, scenario: Path) -> Order:
    from harness.core.plan import Size
    from harness.session import Order

    def file(option: str) -> Path | None:
        given = config.getoption(option)
        return Path(given) if given else None

    return Order(
        scenario=str(scenario),
        on=str(config.getoption("--drill-on")),
        targets_file=file("--drill-targets"),
        experiment_file=file("--drill-experiment"),
        size=Size(config.getoption("--drill-size")),
        peak=_peak(config),
        seed=config.getoption("--drill-seed"),
        out=Path(config.getoption("--drill-out")),
    )


class ScenarioFile(pytest.File):
    """A module that defines `scenario`; its files are checked when it is collected."""

    def collect(self) -> Iterator[pytest.Item]:
        from harness.errors import PeakdrillError
        from harness.inputs.order_check import check_order

        order = _order(self.config, self.path)
        try:
            found = check_order(order)
        except PeakdrillError as error:
            raise self.CollectError(str(error)) from None
        item = DrillItem.from_parent(self, name=found.scenario.name, order=order)
        item.extra_keyword_matches.update(found.scenario.tags)
        yield item


class NotMet(Exception):
    """A verdict that is not met; its text is all that a reader needs."""


class DrillItem(pytest.Item):
    """One drill. Its limits are its own, so pytest-timeout's do not apply."""

    def __init__(self, *, order: Order, **rest: Any) -> None:
        super().__init__(**rest)
        self.order = order
        if self.config.pluginmanager.hasplugin("timeout"):
            self.add_marker(pytest.mark.timeout(0))

    def runtest(self) -> None:
        from harness import session
        from harness.core.verdict import Verdict
        from harness.progress import Silent

        record, directory = session.execute(self.order, Silent())
        judgement = record.judgement
        self.user_properties += [
            ("run_id", judgement.run_id),
            ("verdict", judgement.verdict.value),
            ("run", str(directory)),
        ]
        told = [f"{judgement.verdict.value}: {judgement.scenario}"]
        told += [f"  {reason}" for reason in judgement.reasons]
        told.append(f"  run: {directory}")
        if judgement.verdict is not Verdict.MET:
            raise NotMet("\n".join(told))
        self.add_report_section("call", "drill", "\n".join(told))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What happened, without the lines of a harness that did its work."""
        from harness.errors import PeakdrillError

        if isinstance(excinfo.value, NotMet | PeakdrillError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"drill: {self.name}"
