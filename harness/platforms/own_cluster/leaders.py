"""Who leads, three ways: Patroni's label, CloudNativePG's, or each database's own word.

A label is what the manager says; it is believed only of a pod that runs, and only where it is one
pod alone. `streaming` is always asked of the leader itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import PlatformError
from harness.inputs.own_cluster_file import DatabasePods
from harness.platforms.kubernetes import execution
from harness.platforms.own_cluster.pods import DATABASE, OwnPod, OwnPods

LEADING = frozenset({"primary", "master"})  # `master` of Patroni until its version 4
FOLLOWING = frozenset({"replica", "standby_leader"})
_IN_RECOVERY = "SELECT pg_is_in_recovery()"
_STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
_ASK_S = 5.0
_TOLD = 300


@dataclass(frozen=True, slots=True)
class Leaders:
    pods: OwnPods

    @property
    def _database(self) -> DatabasePods:
        return self.pods.options.database

    def leader(self) -> OwnPod | None:
        """None where nobody leads just now. Raises PlatformError for two, and where none is."""
        found = [pod for pod in self.pods.some(DATABASE) if self._leads(pod)]
        if len(found) > 1:
            raise PlatformError(
                f"{' and '.join(pod.name for pod in found)} both say that they lead",
                next_step="a split brain, or database: pods: means two clusters",
            )
        return found[0] if found else None

    def leader_unasked(self) -> OwnPod | None:
        """As long as there is nobody else to lead: the ready one, by the cluster's word alone.

        A command in a pod several times a second would be a load of its own.
        """
        if self._database.role_label or self._database.copies > 1:
            return self.leader()
        ready = [pod for pod in self.pods.some(DATABASE) if pod.ready]
        return ready[0] if len(ready) == 1 else None

    def followers(self) -> tuple[OwnPod, ...]:
        """Those that run and do not lead. Raises PlatformError where nobody leads."""
        leader = self.leader()
        if leader is None:
            raise PlatformError(f"no database leads in namespace {self.pods.options.namespace}")
        return tuple(pod for pod in self.pods.of(DATABASE) if pod.name != leader.name)

    def streaming(self) -> int:
        """How many follow the leader, by its own word. Raises PlatformError."""
        leader = self.leader()
        if leader is None:
            raise PlatformError("no database takes writes")
        told = self._asked(leader, _STREAMING)
        if not told.isdecimal():
            raise PlatformError(f"{leader.name} does not say who streams from it: {told[:_TOLD]}")
        return int(told)

    def _leads(self, pod: OwnPod) -> bool:
        label = self._database.role_label
        if label:
            return pod.labels.get(label, "") in LEADING
        try:
            return self._asked(pod, _IN_RECOVERY) == "f"
        except PlatformError:
            if not pod.ready:  # one that is coming up does not lead yet
                return False
            raise

    def _asked(self, pod: OwnPod, question: str) -> str:
        """By psql in the database's own container: no password goes anywhere."""
        words = [*self._database.ask, "-XAtq", "-c", question]
        place = pod.place(self.pods.options.namespace, self._database.container)
        ran = execution.run(self.pods.cluster, place, words, within_s=_ASK_S)
        if ran.code != 0:
            said = ran.stderr.decode(errors="replace").strip()[-_TOLD:]
            raise PlatformError(
                f"{' '.join(self._database.ask)} in {place} ended with exit code {ran.code}: "
                f"{said}",
                next_step="mend database: ask: in platform.yaml; it wants a superuser without a "
                "password, from inside",
            )
        return ran.stdout.decode(errors="replace").strip()
