"""A platform by name, by folder, or the one that is up.

Only here is a platform's name turned into its code; each is imported when it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.plan import PlatformFacts
from harness.errors import UsageError
from harness.inputs.platform_file import CONTAINERS, EMBEDDED, KINDS, KUBERNETES, ODOO, kind_of
from harness.platforms.capabilities import Platform
from harness.progress import Progress

if TYPE_CHECKING:
    from harness.inputs.odoo_file import OdooOptions
    from harness.inputs.own_cluster_file import OwnClusterOptions
    from harness.planning import Pace
    from harness.platforms.kinds import Kind
    from harness.platforms.odoo.platform import OdooPlatform
    from harness.platforms.own_cluster.platform import OwnClusterPlatform

_OWN_CLUSTER = "own-cluster"  # its folder below the state home
OURS = tuple(kind for kind in KINDS if kind != ODOO)  # those that peakdrill brings up and ends


def kind(name: str, platform_file: Path | None = None) -> Kind:
    """The code of a kind. Raises UsageError for an unknown one, or where the file has another."""
    if name not in OURS or (platform_file is not None and kind_of(platform_file) != name):
        raise UsageError(f"no platform {name!r}", next_step=f"one of: {', '.join(KINDS)}")
    if name == KUBERNETES:
        if is_own_cluster(name, platform_file):
            raise UsageError(
                f"{platform_file} describes a stack of your own, which peakdrill neither starts "
                "nor ends",
                next_step=f"peakdrill run pod-kill --platform {platform_file}",
            )
        from harness.platforms.kubernetes import kind as kubernetes

        return kubernetes
    if name == CONTAINERS:
        from harness.platforms.containers import kind as containers

        return containers
    from harness.platforms.embedded import kind as embedded

    return embedded


def start(
    name: str,
    platform_file: Path | None = None,
    *,
    agreed: bool = False,
    progress: Progress | None = None,
) -> Platform:
    """Bring a platform up, and return when it is whole.

    Raises UsageError for an unknown name, Refused before anything was started, PlatformError.
    """
    return kind(name, platform_file).start(platform_file, agreed=agreed, progress=progress)


def facts_of(name: str, platform_file: Path | None = None) -> PlatformFacts:
    """What a platform would say of itself; nothing is started."""
    if name == ODOO:
        from harness.platforms.odoo.platform import facts as facts_of_odoo

        return facts_of_odoo(odoo_options(platform_file))
    if is_own_cluster(name, platform_file):
        from harness.platforms.own_cluster.facts import facts as facts_of_own

        return facts_of_own(own_cluster_options(platform_file))
    return kind(name, platform_file).facts(platform_file)


def running(name: str = "", platform_file: Path | None = None) -> Platform | None:
    """The platform that is up, of a kind where one is named; None when there is none."""
    for each in (name,) if name else OURS:
        found = kind(each, platform_file).running(platform_file)
        if found is not None:
            return found
    return None


def every_running() -> tuple[Platform, ...]:
    """All that are up, of every kind."""
    return tuple(platform for each in OURS for platform in kind(each).every())


def platform_at(directory: Path) -> Platform:
    """The platform that lives in a folder. Raises Refused where none does."""
    folder = directory.absolute().parent.name
    if folder == ODOO:
        from harness.platforms.odoo.platform import attach as attach_to_odoo

        return attach_to_odoo(directory)
    if folder == _OWN_CLUSTER:
        from harness.platforms.own_cluster.platform import attach as attach_to_own

        return attach_to_own(directory)
    return kind(folder if folder in OURS else EMBEDDED).attach(directory)


def is_own_cluster(name: str, platform_file: Path | None) -> bool:
    """Whether a stack of somebody's own in a cluster is meant. Raises UsageError and BadInput."""
    from harness.inputs.own_cluster_file import is_own

    return name == KUBERNETES and is_own(platform_file)


def own_cluster(options: OwnClusterOptions) -> OwnClusterPlatform:
    """The one that a file describes. Nothing is asked of it yet: see `take_up`.

    Raises Refused unless it may be broken.
    """
    from harness.platforms.own_cluster import platform

    return platform.at(options)


def own_clusters() -> tuple[OwnClusterPlatform, ...]:
    """Every stack of somebody's own that a drill, alive or dead, has not let go of."""
    from harness.platforms.own_cluster.platform import known

    return known()


def own_cluster_options(platform_file: Path | None) -> OwnClusterOptions:
    """Raises UsageError and BadInput."""
    from harness.inputs.own_cluster_file import read_own_cluster

    assert platform_file is not None, "without a file nobody's own is meant"
    return read_own_cluster(platform_file)


def odoo(options: OdooOptions) -> OdooPlatform:
    """The one that a file describes. Nothing is asked of it yet: see `take_up`.

    Raises Refused unless it may be broken.
    """
    from harness.platforms.odoo import platform

    platform.refuse_unless_disposable(options)
    return platform.at(options)


def odoos() -> tuple[OdooPlatform, ...]:
    """Every Odoo that a drill, alive or dead, has not let go of."""
    from harness.platforms.odoo.platform import known

    return known()


def odoo_options(platform_file: Path | None) -> OdooOptions:
    """Raises UsageError where no file describes it, and BadInput."""
    from harness.inputs.odoo_file import read_odoo

    if platform_file is None:
        raise UsageError(
            "an Odoo of your own has to be described",
            next_step="--platform platform.yaml; see docs/your-own-odoo.md",
        )
    return read_odoo(platform_file)


def pace_of(name: str, platform_file: Path | None) -> Pace:
    """How quick the platform is, as its owner says."""
    from harness.planning import Pace

    if is_own_cluster(name, platform_file):
        from harness.platforms.own_cluster.facts import pace as pace_of_own

        return pace_of_own(own_cluster_options(platform_file))
    if name != ODOO:
        return kind(name, platform_file).pace(platform_file)
    options = odoo_options(platform_file)
    return Pace(
        server_timeout_s=options.server_timeout_s,
        canary_limit_s=options.canary_limit_s,
        command_s=max((fault.limit_s for fault in options.faults), default=0.0),
    )
