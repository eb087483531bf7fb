"""Everything that a person typed or wrote for one run, read once before anything is started.

A mistake in a file is told in a second, not after a platform was brought up for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.load_places import WorkersIn
from harness.errors import UsageError
from harness.inputs.containers_file import read_containers
from harness.inputs.odoo_file import read_odoo
from harness.inputs.own_cluster_file import read_any_cluster
from harness.inputs.platform_file import (
    CONTAINERS,
    EMBEDDED,
    KINDS,
    KUBERNETES,
    ODOO,
    kind_of,
    read_platform,
)
from harness.inputs.scenario_file import (
    FoundScenario,
    experiment_path,
    find_experiment,
    load_scenario,
)
from harness.inputs.shape import shape_of
from harness.inputs.targets_file import read_targets
from harness.inputs.words import did_you_mean, shown
from harness.inputs.yaml_lines import check_syntax

if TYPE_CHECKING:
    from harness.session import Order


_READERS: Mapping[str, Callable[[Path], object]] = {
    EMBEDDED: read_platform,
    ODOO: read_odoo,
    KUBERNETES: read_any_cluster,
    CONTAINERS: read_containers,
}


def check_order(order: Order) -> FoundScenario:
    """The scenario of an order whose files all hold. Raises UsageError and BadInput."""
    if order.on not in KINDS:
        raise UsageError(
            f"there is no platform {shown(order.on)}{did_you_mean(order.on, KINDS)}; "
            f"there are: {', '.join(KINDS)}"
        )
    found = load_scenario(order.scenario)
    if order.experiment_file is None:
        check_syntax(experiment_path(found))
    else:
        find_experiment(order.experiment_file)
    _check_platform(order)
    if order.workers_in is WorkersIn.PODS and order.on != KUBERNETES:
        raise UsageError(
            f"platform {order.on} has no pods for load workers",
            next_step="--workers-in here, or --on kubernetes",
        )
    shape_of(found.scenario.load)
    read_targets(order.targets_file, scenario=found.scenario.name)
    return found


def _check_platform(order: Order) -> None:
    file = order.platform_file
    if file is None:
        if order.on == ODOO:
            raise UsageError(
                "an Odoo of your own has to be described",
                next_step="--platform platform.yaml; see docs/your-own-odoo.md",
            )
        return
    kind = kind_of(file)
    if kind != order.on:
        raise UsageError(f"{file} describes {kind}, not {order.on}")
    _READERS[kind](file)
