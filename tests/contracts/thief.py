"""What a thief does with what was handed out, by the attacker's own code: anew, and by a session."""

from __future__ import annotations

import random
import time
from pathlib import Path

from harness.attack import leaked, order
from harness.attack.__main__ import way_in
from harness.attack.told import Denied, Down
from harness.platforms.capabilities import Platform
from harness.platforms.having import having


class Thief:
    """Holds what was handed out of one class, and a session by it where it can keep one."""

    def __init__(self, platform: Platform, folder: Path, credential: str) -> None:
        self.marker = f"pd-{credential}-{random.getrandbits(32):x}-attacker"
        file = folder / f"{self.marker}.json"
        having(platform.secrets, "secrets").hand_out(credential, file)
        assert file.stat().st_mode & 0o777 == 0o600
        given = order.Order(
            self.marker, str(folder), "", platform.endpoints().version, {}, 60.0, 1000
        )
        self.held = leaked.load(file)
        self._way, self._tries = way_in(self.held, given), 0
        self.last: tuple[int, int] = (0, 0)

    def gets_in(self) -> bool:
        """Raises Down when nobody can be asked."""
        self._tries += 1
        begun_ns = time.monotonic_ns()
        try:
            self._way(self._tries)
        except Denied:
            return False
        self.last = (begun_ns, time.monotonic_ns())
        return True

    def is_shut_out(self) -> bool:
        """What is kept open breaks at first; the next try tells."""
        try:
            return not self.gets_in()
        except Down:
            return not self.gets_in()

    def leave(self) -> None:
        kept = getattr(self._way, "_kept", None)
        if kept is not None:
            kept.close()
