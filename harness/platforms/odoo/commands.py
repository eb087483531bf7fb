"""The faults that the owner offers, as a drill carries them out.

A command that exits non-zero is an error. Whether a fault acts, or is over, is *observed*: by the
owner's own probe, else by asking the Odoo with a call that its database has a part in.
"""

from __future__ import annotations

import os
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from harness.errors import FaultError
from harness.evidence import layout
from harness.inputs.odoo_file import FaultCommands, OdooOptions
from harness.platforms.odoo import rpc, shell
from harness.platforms.odoo.rpc import How, Told
from harness.platforms.odoo.state import State

LOG = "commands.log"
_SHORTEST_SECRET = 4  # shorter ones would blot out half the words
_ABOVE_ANSWERS = 125  # 126 and 127: the shell could not run it at all


class OdooCommands:
    """By name, as platform.yaml has them."""

    def __init__(self, directory: Path, state: State) -> None:
        self._directory, self._state = directory, state

    def names(self) -> tuple[str, ...]:
        return tuple(fault.name for fault in self._state.options.faults)

    def begin(self, name: str) -> None:
        fault = self._fault(name)
        self._must_succeed(fault, "begin", fault.begin)

    def end(self, name: str) -> None:
        """Harmless when nothing is broken: a command that says no then has nothing to mend."""
        fault = self._fault(name)
        acted = self._may_act(name)
        ran = self._run(fault, "end", fault.end)
        if ran.code != 0 and (acted or not self.is_over(name)):
            raise FaultError(
                f"the command that ends {name} did not do it: {ran.told}",
                next_step="end the fault by hand, then `peakdrill undo`; the command's own words "
                f"are in {LOG}",
            )

    def acts(self, name: str) -> bool:
        """Whether the fault is in effect."""
        fault = self._fault(name)
        if fault.effect:
            return self._probe(fault, "effect", fault.effect)
        return not self._answer().answered

    def is_over(self, name: str) -> bool:
        fault = self._fault(name)
        if fault.healed:
            return self._probe(fault, "healed", fault.healed)
        if fault.effect and self._probe(fault, "effect", fault.effect):
            return False
        return self._answer().answered

    def _may_act(self, name: str) -> bool:
        try:
            return self.acts(name)
        except FaultError:
            return True  # a probe that fails proves nothing

    def _fault(self, name: str) -> FaultCommands:
        found = self._state.options.fault(name)
        if found is None:
            offered = ", ".join(self.names()) or "none"
            raise FaultError(f"platform.yaml offers no fault {name!r}; it offers: {offered}")
        return found

    def _answer(self) -> Told:
        """One call; a second one where the first was not answered in time, for it may be busy."""
        told = self._ask()
        return self._ask() if told.how is How.SILENT else told

    def _ask(self) -> Told:
        options = self._state.options
        uid, domain = self._state.uid, [["id", "=", self._state.uid]]
        return rpc.execute(
            options, uid, "res.users", "search_count", domain, timeout_s=options.server_timeout_s
        )

    def _must_succeed(self, fault: FaultCommands, what: str, command: str) -> None:
        ran = self._run(fault, what, command)
        if ran.code != 0:
            raise FaultError(
                f"the command that {what}s {fault.name} failed: {ran.told}",
                next_step=f"read its own words in {LOG}, and mend it in platform.yaml",
            )

    def _probe(self, fault: FaultCommands, what: str, command: str) -> bool:
        ran = self._run(fault, what, command)
        if ran.code is None or not 0 <= ran.code <= _ABOVE_ANSWERS:
            raise FaultError(
                f"the probe {what} of {fault.name} could not find out: {ran.told}",
                next_step=f"read its own words in {LOG}, and mend it in platform.yaml",
            )
        return ran.code == 0

    def _run(self, fault: FaultCommands, what: str, command: str) -> shell.Ran:
        options = self._state.options
        return shell.run(
            command,
            label=f"{fault.name}: {what}",
            folder=options.folder,
            limit_s=fault.limit_s,
            log=self._log(),
            secrets=secrets_of(options),
        )

    def _log(self) -> Path:
        """The run's own while its experiment runs; a run that is over is never written to."""
        run = os.environ.get("PEAKDRILL_RUN")
        folder = Path(run) / layout.CHAOS if run else self._directory
        return (folder if folder.is_dir() else self._directory) / LOG


def secrets_of(options: OdooOptions) -> list[str]:
    """What must not stand in a log: the password, and those of the passfile."""
    passfile = conninfo_to_dict(options.dsn).get("passfile")
    words = [_text(options.password_file).strip()]
    if passfile:
        lines = _text(Path(str(passfile))).splitlines()
        words += [line.rpartition(":")[2] for line in lines if not line.startswith("#")]
    return [word for word in words if len(word) >= _SHORTEST_SECRET]


def _text(file: Path) -> str:
    """Nothing where it cannot be read: an undo does not wait for that."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
