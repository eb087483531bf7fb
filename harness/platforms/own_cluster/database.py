"""Of the capability database what can be seen of somebody's own: who leads, who streams.

It is not offered as `database`: nobody has given us a superuser, and nothing is rebuilt.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NoReturn

from harness.errors import PlatformError
from harness.platforms.capabilities import Instant, Wholeness
from harness.platforms.own_cluster.leaders import Leaders
from harness.platforms.own_cluster.pods import DATABASE

_APART_S = 1.0


@dataclass(frozen=True, slots=True)
class OwnDatabase:
    leaders: Leaders

    def names(self) -> tuple[str, ...]:
        return tuple(sorted({pod.node for pod in self.leaders.pods.some(DATABASE)}))

    def leader(self) -> str | None:
        """The node of the one that takes writes. Databases that are asked themselves are not asked
        more than once a second: whoever waits here knows that the answer is a new one.
        """
        options = self.leaders.pods.options.database
        if not options.role_label and options.copies > 1:
            time.sleep(_APART_S)
        found = self.leaders.leader_unasked()
        return found.node if found else None

    def protected(self) -> Wholeness:
        """As many as the owner says, and all but one streaming."""
        options = self.leaders.pods.options.database
        missing = []
        ready = self.leaders.pods.ready(DATABASE)
        if len(ready) < options.copies:
            missing.append(f"{len(ready)} of {options.copies} database pods are ready")
        try:
            if self.leaders.leader() is None:
                missing.append("no database takes writes")
            elif options.copies > 1:
                streaming = self.leaders.streaming()
                if streaming < options.copies - 1:
                    missing.append(f"{streaming} of {options.copies - 1} standbys stream")
        except PlatformError as error:
            missing.append(error.what)
        return Wholeness(not missing, tuple(missing))

    def application_dsn(self) -> str:
        raise self._lacks("the application's own role")

    def superuser_dsn(self, node: str = "") -> str:
        raise self._lacks(f"a superuser{f' of {node}' if node else ''}")

    def switchover(self, to: str = "") -> str:
        raise self._lacks(f"a switchover{f' to {to}' if to else ''}")

    def reinitialize(self, node: str) -> NoReturn:
        raise self._lacks(f"rebuilding {node}")

    def corruption(self, node: str) -> tuple[str, ...]:
        raise self._lacks(f"pg_amcheck at {node}")

    def checksum_failures(self, node: str) -> int:
        raise self._lacks(f"the counters of {node}")

    def corrupt_page(self, node: str, table: str) -> Instant:
        raise self._lacks(f"damage to {table} at {node}")

    def _lacks(self, what: str) -> PlatformError:
        return PlatformError(
            f"a stack of one's own in a cluster does not offer {what}",
            next_step="use the reference stack",
        )
