"""Looks at a platform by its file alone: what a drill would find, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.errors import PlatformError
from harness.inputs.platform_file import EMBEDDED, KUBERNETES, ODOO
from harness.platforms import find
from harness.platforms.looks import GROUND, Look, Unwell, at_running, looked


def looks(kind: str, file: Path | None) -> tuple[Look, ...]:
    """In the order of their weight. Raises UsageError and BadInput for the file itself."""
    if kind == ODOO:
        return tuple(_odoo(file))
    if find.is_own_cluster(kind, file):
        from harness.platforms.own_cluster import checks as own

        return tuple(own.looks(find.own_cluster_options(file)))
    try:
        running, why = find.running(kind, file), ""
    except PlatformError as error:  # one that cannot be asked is not up, as far as is known
        running, why = None, error.what
    if kind == KUBERNETES:
        from harness.platforms.kubernetes import checks
        from harness.platforms.kubernetes.kind import options_of
        from harness.platforms.kubernetes.platform import KubernetesPlatform

        up = running if isinstance(running, KubernetesPlatform) else None
        asked = up.options if up and not file else options_of(file)
        unknown = (Look(GROUND, False, why),) if why else ()
        return (*unknown, *checks.looks(asked, up))
    if running is not None:
        return tuple(at_running(running))
    if kind == EMBEDDED:
        return (looked(GROUND, _namespaces), looked(GROUND, _programs))
    return (looked(GROUND, lambda: _containers(file)),)


def _namespaces() -> str:
    from harness.platforms.embedded.namespace import problem_here

    problem = problem_here()
    if problem is not None:
        raise Unwell(": ".join(problem))
    return "processes of a node can die as one"


def _programs() -> str:
    from harness.platforms.embedded import programs

    programs.check()
    return ", ".join(f"{name} {version}" for name, version in programs.versions())


def _containers(file: Path | None) -> str:
    from harness.inputs.containers_file import ContainersOptions, read_containers
    from harness.platforms.containers import daemon, images

    daemon.client()
    options = read_containers(file) if file else ContainersOptions()
    known = images.versions_if_known(options)
    return f"Docker answers; images that it has already: {len(known)}"


def _odoo(file: Path | None) -> Iterable[Look]:
    """It is asked what it is, as a drill would; its owner's commands are not run."""
    from harness.platforms.odoo.detect import detect

    options = find.odoo_options(file)

    def disposable() -> str:
        if not options.disposable:
            raise Unwell("platform.yaml does not say `disposable: true`: nothing may be broken")
        return "declared disposable"

    def asked() -> str:
        state = detect(options)
        modules = ", ".join(state.modules) or "none of those that a workload needs"
        return f"Odoo {state.full_version} at {options.url}; modules: {modules}"

    def documents() -> str:
        if options.bucket is not None:
            return f"bucket {options.bucket.name}; not asked"
        if options.filestore is None or not options.filestore.is_dir():
            raise Unwell("no filestore is named that is there: only checksums can be compared")
        return f"{options.filestore} is there"

    def faults() -> str:
        if not options.faults:
            raise Unwell("platform.yaml offers no commands under faults:")
        return f"the owner offers: {', '.join(f.name for f in options.faults)}; not tried"

    yield looked(GROUND, disposable)
    yield looked(GROUND, asked)
    yield looked("filestore.read", documents)
    yield looked("faults.command", faults)
