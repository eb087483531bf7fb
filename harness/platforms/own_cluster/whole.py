"""Is somebody's stack whole? The application answers, databases lead and stream, pods are ready."""

from __future__ import annotations

from harness.platforms.capabilities import Endpoints, Wholeness
from harness.platforms.odoo import whole
from harness.platforms.odoo.state import State
from harness.platforms.own_cluster.database import OwnDatabase
from harness.platforms.own_cluster.door import OwnDoor
from harness.platforms.own_cluster.nodes import OwnStanding
from harness.platforms.own_cluster.pods import APPLICATION


def look(
    application: State,
    endpoints: Endpoints,
    database: OwnDatabase,
    standing: OwnStanding,
    door: OwnDoor | None,
) -> Wholeness:
    """A sentence for each thing that is not as it should be. Raises PlatformError: silence."""
    missing = [gap for gap in standing.gaps() if gap.startswith(APPLICATION)]
    missing += database.protected().missing
    missing += whole.look(application, endpoints).missing
    if door is not None and door.is_held():
        missing.append("the door is held closed by a drill")
    return Wholeness(not missing, tuple(missing))
