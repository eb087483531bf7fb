"""An Odoo of one's own as a drill sees it: traded with, read back, broken by its owner's commands.

Never started and never ended here: `down` only forgets it.
"""

from __future__ import annotations

from pathlib import Path

from harness.core.plan import Plan, PlatformFacts
from harness.errors import Refused
from harness.faults import journal
from harness.faults.deeds import command as deed
from harness.inputs.odoo_file import OdooOptions
from harness.platforms.capabilities import Endpoints, Wholeness
from harness.platforms.odoo import state as states
from harness.platforms.odoo import whole
from harness.platforms.odoo.commands import OdooCommands
from harness.platforms.odoo.detect import detect, refuse_unserved
from harness.platforms.odoo.state import State

NAME = "odoo"
PROVEN = (14,)  # versions that a whole drill has been run against
_NOTES = (
    "started and ended by its owner: peakdrill controls no node, ingress, backup or secret of it",
)
_CHECKSUMS_ALONE = "no filestore is named: documents were held against the database's checksums"
_STAND_IN = "this is peakdrill's own stand-in for an Odoo, not an Odoo"


class OdooPlatform:
    """One Odoo that a drill has, as its folder keeps it."""

    nodes = database = backups = ingress = filestore = secrets = audit = clean_room = None

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def directory(self) -> Path:
        return self._directory

    @property
    def commands(self) -> OdooCommands:
        return OdooCommands(self._directory, self._state)

    @property
    def is_kept(self) -> bool:
        """Whether a drill has taken it up and not let go."""
        return states.is_kept(self._directory)

    @property
    def _state(self) -> State:
        return states.load(self._directory)

    def facts(self) -> PlatformFacts:
        state = self._state
        return facts(state.options, state)

    def endpoints(self) -> Endpoints:
        return endpoints(self._state)

    def whole(self) -> Wholeness:
        return whole.look(self._state, self.endpoints())

    def take_up(self, options: OdooOptions) -> None:
        """Ask it what it is, and keep that. Raises Refused; then nothing is kept."""
        states.save(self._directory, detect(options))

    def refuse_unserved(self, plan: Plan) -> None:
        """Raises Refused where a workload, or the fault that is asked for, is not offered."""
        refuse_unserved_by(self._state, plan)

    def mend(self) -> list[str]:
        """What no fault's journal knows of: nothing."""
        return []

    def down(self) -> None:
        """Forget it, unless something is still to be undone. It runs on as it did."""
        if not journal.scan(self._directory)[0]:
            states.forget(self._directory)


def endpoints(state: State) -> Endpoints:
    """Where to look, as its owner says."""
    options, bucket = state.options, state.options.bucket
    return Endpoints(
        application_url=options.url,
        application_replicas=(),
        database=options.database,
        login=options.login,
        password_file=options.password_file,
        dsn=options.dsn,
        kind="shop" if state.stand_in else "odoo",
        version=state.version,
        queue_url="",
        queue_password_file=None,
        filestore=options.filestore,
        s3_url=bucket.url if bucket else "",
        s3_credentials_file=bucket.credentials_file if bucket else None,
        s3_bucket=bucket.name if bucket else "",
        partners_url="",
    )


def refuse_unserved_by(state: State, plan: Plan) -> None:
    """Raises Refused where a workload, or the fault that is asked for, is not offered."""
    fault = plan.scenario.fault
    refuse_unserved(state, tuple(target.workload for target in plan.targets.workloads))
    command = dict(fault.parameters).get(deed.PARAMETER, "")
    offered = tuple(fault.name for fault in state.options.faults)
    if fault.experiment == deed.NAME and offered and command not in offered:
        raise Refused(
            f"platform.yaml offers no fault {command!r}; it offers: {', '.join(offered)}",
            next_step=f"name the two commands under faults: {command}:",
        )


def facts(options: OdooOptions, found: State | None = None) -> PlatformFacts:
    """What it says of itself; without `found`, what the file alone can tell."""
    version = found.version if found else options.version
    full = found.full_version if found else str(version or "")
    stand_in = found is not None and found.stand_in
    heading = f"Odoo {full}" if full else "Odoo, of a version to be detected"
    proven = stand_in or version is None or version in PROVEN
    notes = [*_NOTES]
    notes += [_STAND_IN] if stand_in else []
    # two of one version are two configurations: runs on the one say nothing of the other
    notes += [f"told by its URL and database: {states.directory_of(options).name}"] if found else []
    documents_are_read = options.filestore is not None or options.bucket is not None
    notes += [] if documents_are_read else [_CHECKSUMS_ALONE]
    return PlatformFacts(
        name=NAME,
        kind="shop" if stand_in else "odoo",
        heading=f"stand-in application that speaks {heading}" if stand_in else heading,
        disposable=options.disposable,
        capabilities=(
            "application",
            "database.read",
            *(("filestore.read",) if documents_are_read else ()),
            *(("faults.command",) if options.faults else ()),
        ),
        versions=(("odoo", full),) if full else (),
        loops_s=options.loops_s,
        notes=tuple(notes),
        unproven=() if proven else (f"Odoo {version}",),
    )


def at(options: OdooOptions) -> OdooPlatform:
    """The one that is described, in its folder; nothing is asked of it yet."""
    directory = states.directory_of(options)
    states.make(directory)
    return OdooPlatform(directory)


def attach(directory: Path) -> OdooPlatform:
    """The one that is kept in a folder. Raises Refused where none is."""
    states.load(directory)
    return OdooPlatform(directory.absolute())


def known() -> tuple[OdooPlatform, ...]:
    """Every one that a drill, alive or dead, has not let go of."""
    return tuple(OdooPlatform(directory) for directory in states.known())


def refuse_unless_disposable(options: OdooOptions) -> None:
    """Production needs an allowance, two named people and a stated blast radius."""
    if not options.disposable:
        raise Refused(
            f"{options.url} is not declared disposable: a drill breaks it while it trades, and "
            "leaves the drill's own orders in it",
            next_step="drill a copy, with `disposable: true` in platform.yaml; for production an "
            "allowance of two named people with a stated blast radius is needed: a game day",
        )
