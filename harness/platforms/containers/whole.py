"""Is a platform of containers whole? By the stack's own word, and who stands still or apart."""

from __future__ import annotations

from harness.errors import PlatformError
from harness.platforms.capabilities import Wholeness
from harness.platforms.containers import capabilities, daemon, databases, names
from harness.platforms.containers.site import ContainersSite
from harness.platforms.containers.state import State
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference import whole


def look(layout: Layout, state: State) -> Wholeness:
    """Every container by the daemon's word, every part by its own."""
    site = ContainersSite(layout, state.ports)
    apart = _gaps(site, site.network)
    if apart:  # who stands still answers nobody, and asking would wait for him
        return Wholeness(False, apart)
    return whole.Stack(
        layout, state.ports, state.asked, site, state.backup_id,
        health=state.options.application.health,
        protected=databases.of(site).protected,
        lacking=capabilities.lacking(state.options),
    ).look()  # fmt: skip


def _gaps(site: ContainersSite, network: str) -> tuple[str, ...]:
    try:
        seen = {name: daemon.state_of(site.container(name)) for name in names.ALL}
    except PlatformError as error:
        return (error.what,)
    gaps = [f"{name} does not run" for name, told in seen.items() if not told.running]
    gaps += [f"{name} is frozen" for name, told in seen.items() if told.paused]
    gaps += [
        f"{name} is cut off from the others"
        for name, told in seen.items()
        if told.running and network not in told.networks
    ]
    return tuple(gaps)
