"""The capability `secrets` of a reference stack: the same order of renewal as on embedded."""

from __future__ import annotations

from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.embedded.rotation import RotatedSecrets
from harness.platforms.reference.components import SiteComponents
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import Site


def secrets(layout: Layout, ports: Ports, options: Options, site: Site) -> RotatedSecrets:
    """Six classes, each seen refused when it is rotated."""
    return RotatedSecrets(SiteComponents(layout, ports, options, site))
