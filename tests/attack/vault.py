"""A platform that is its secrets and its audit alone: doors are stubs, and one class may leak on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from harness.attack import leaked
from harness.attack.leaked import Leaked
from harness.core.evidence import Use
from harness.evidence.lines import read_lines
from harness.platforms.capabilities import AuditedUse, Wholeness
from tests.attack.prey import Door, rpc_error

# those that a stub of HTTP can play; the servers of the others stand in test_kept_sessions.py
KINDS = ("api-key", "application-password", "session-cookie")
REFUSED = {
    "/json/2/res.partner/search": (401, b""),
    "/jsonrpc": (200, b'{"jsonrpc": "2.0", "result": false}'),
    "/web/session/get_session_info": (200, rpc_error("odoo.http.SessionExpiredException")),
}
WELCOME = (200, b'{"jsonrpc": "2.0", "result": 2}')


@dataclass
class Vault:
    """`Secrets` and `Audit`; `left_out` is said to be rotated, and is not."""

    door: Door
    uses: Path
    left_out: str = ""
    kinds: tuple[str, ...] = KINDS
    secrets: dict[str, str] = field(default_factory=dict)
    old: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.secrets = {kind: f"the-secret-of-the-{kind}-0" for kind in self.kinds}
        self.door.answers = self._answer

    def classes(self) -> tuple[str, ...]:
        return self.kinds

    def hand_out(self, credential: str, file: Path) -> None:
        held = Leaked(credential, self.door.url, "2", "odoo", self.secrets[credential])
        file.write_text(leaked.dump(held))
        file.chmod(0o600)

    def rotate(self, credential: str) -> None:
        self.old.append((credential, self.secrets[credential]))
        if credential != self.left_out:
            self.secrets[credential] += "1"

    def known(self) -> tuple[tuple[str, str], ...]:
        return (*self.secrets.items(), *self.old)

    def _answer(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """By what was shown: in a header, or in the body that came last."""
        shown = repr((headers, self.door.heard[-1][3]))
        welcome = any(f"{s}'" in shown or f'{s}"' in shown for s in self.secrets.values())
        return WELCOME if welcome else REFUSED[path]

    def last_use(self, credential: str, marker: str) -> AuditedUse | None:
        """An audit that knows what the attacker knows."""
        uses = [u for u in read_lines(self.uses, Use) if u.credential == credential and u.accepted]
        if not uses or not marker.startswith("pd-"):
            return None
        return AuditedUse(credential, uses[-1].done_ns, 1_000_000, "stub log")


def platform_of(vault: Vault, directory: Path) -> SimpleNamespace:
    """What an action, a deed and a runbook ask of a platform."""
    directory.mkdir(exist_ok=True)
    return SimpleNamespace(
        directory=directory,
        secrets=vault,
        audit=vault,
        nodes=None,
        endpoints=lambda: SimpleNamespace(version=19),
        whole=lambda: Wholeness(whole=True),
    )
