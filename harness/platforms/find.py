"""A platform by name, by folder, or the one that is up.

Only here is a platform's name turned into its code; each is imported when it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.plan import PlatformFacts
from harness.errors import UsageError
from harness.inputs.platform_file import KINDS, ODOO, PlatformOptions, read_platform
from harness.platforms.capabilities import Platform
from harness.progress import Progress

if TYPE_CHECKING:
    from harness.inputs.odoo_file import OdooOptions
    from harness.planning import Pace
    from harness.platforms.odoo.platform import OdooPlatform


def start(
    name: str, platform_file: Path | None = None, *, progress: Progress | None = None
) -> Platform:
    """Bring a platform up, and return when it is whole.

    Raises UsageError for an unknown name, Refused before anything was started, PlatformError.
    """
    options = _options(name, platform_file)
    from harness.platforms.embedded.platform import up

    return up(
        synchronous=options.synchronous,
        dialect=options.dialect,
        leader_ttl_s=options.leader_ttl_s,
        ingress_port=options.ingress_port,
        progress=progress,
    )


def facts_of(name: str, platform_file: Path | None = None) -> PlatformFacts:
    """What a platform would say of itself; nothing is started."""
    if name == ODOO:
        from harness.platforms.odoo.platform import facts as facts_of_odoo

        return facts_of_odoo(odoo_options(platform_file))
    options = _options(name, platform_file)
    from harness.platforms.embedded.platform import facts

    return facts(synchronous=options.synchronous, leader_ttl_s=options.leader_ttl_s)


def running() -> Platform | None:
    """The platform that is up, None when there is none."""
    from harness.platforms.embedded.platform import find

    return find()


def platform_at(directory: Path) -> Platform:
    """The platform that lives in a folder. Raises Refused where none does."""
    if directory.parent.name == ODOO:
        from harness.platforms.odoo.platform import attach as attach_to_odoo

        return attach_to_odoo(directory)
    from harness.platforms.embedded.platform import attach

    return attach(directory)


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

    if name != ODOO:
        return Pace()
    options = odoo_options(platform_file)
    return Pace(
        server_timeout_s=options.server_timeout_s,
        canary_limit_s=options.canary_limit_s,
        command_s=max((fault.limit_s for fault in options.faults), default=0.0),
    )


def _options(name: str, platform_file: Path | None) -> PlatformOptions:
    options = PlatformOptions(kind=name) if platform_file is None else read_platform(platform_file)
    if name not in KINDS or options.kind != name:
        raise UsageError(f"no platform {name!r}", next_step=f"one of: {', '.join(KINDS)}")
    return options
