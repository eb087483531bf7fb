"""A stack in a cluster as one of several kinds: see harness/platforms/kinds.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.core.plan import PlatformFacts
from harness.errors import Refused
from harness.inputs.kubernetes_file import KubernetesOptions, read_kubernetes
from harness.planning import Pace
from harness.platforms.capabilities import Platform
from harness.platforms.kubernetes import state as states
from harness.platforms.kubernetes.facts import facts as facts_of
from harness.progress import Progress

DRAIN_S = 60.0  # the longest that a fault of the cluster's own takes to begin


def facts(file: Path | None) -> PlatformFacts:
    return facts_of(options_of(file))


def pace(file: Path | None) -> Pace:
    hooks = options_of(file).nodes
    return Pace(command_s=max(hooks.limit_s if hooks else 0.0, DRAIN_S))


def start(file: Path | None, *, agreed: bool, progress: Progress | None) -> Platform:
    from harness.platforms.kubernetes.adopting import refuse_to_bring
    from harness.platforms.kubernetes.up import up

    refuse_to_bring(options_of(file))
    return up(options_of(file), agreed=agreed, progress=progress)


def running(file: Path | None) -> Platform | None:
    """By what is kept of it; whether it serves is `whole`'s to say.

    One that a file describes may have been brought from elsewhere: then it is taken up.
    """
    _clear_what_died()
    from harness.platforms.kubernetes.adopting import taken_up

    asked = read_kubernetes(file) if file else None
    found = [
        layout
        for layout, kept, state in states.known()
        if state.phase == states.UP and (asked is None or _is_same(asked, kept.options))
    ]
    if len(found) > 1:
        named = ", ".join(layout.root.name for layout in found)
        raise Refused(
            f"several stacks are up in clusters: {named}",
            next_step="say which one: --platform platform.yaml",
        )
    if asked is None:
        return _platform(found[0].root) if found else None
    root = _looked_after(found[0].root, asked) if found else None
    root = root or taken_up(asked)
    return _platform(root) if root else None


def every() -> tuple[Platform, ...]:
    _clear_what_died()
    return tuple(
        _platform(layout.root) for layout, _, state in states.known() if state.phase == states.UP
    )


def attach(directory: Path) -> Platform:
    states.load(directory)
    return _platform(directory)


def is_as(file: Path, platform: Platform) -> bool:
    kept, _ = states.load(platform.directory)
    asked = replace(read_kubernetes(file), disposable=True)  # as it was agreed when it came up
    return replace(kept.options, disposable=True) == asked


def _clear_what_died() -> None:
    """What a start that was killed left in its cluster; the cluster is asked only then."""
    for layout, _, state in states.known():
        if state.phase == states.STARTING and not states.is_being_started(state):
            _platform(layout.root).down()


def options_of(file: Path | None) -> KubernetesOptions:
    """Without a file: a reference stack in the current context, with every default."""
    return KubernetesOptions(folder=Path.cwd()) if file is None else read_kubernetes(file)


def _looked_after(root: Path, asked: KubernetesOptions) -> Path | None:
    """None where it was brought from elsewhere, and is there no more."""
    from harness.platforms.kubernetes.adopting import still_there

    kept, _ = states.load(root)
    return root if not kept.brought_by or still_there(root, asked) else None


def _is_same(asked: KubernetesOptions, kept: KubernetesOptions) -> bool:
    """One namespace of one context; the rest of the file may have changed since."""
    return (asked.context, asked.namespace) == (kept.context, kept.namespace)


def _platform(root: Path) -> Platform:
    from harness.platforms.kubernetes.platform import KubernetesPlatform

    return KubernetesPlatform(root.absolute())
