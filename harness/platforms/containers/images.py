"""Which images a platform is made of: there, or pulled; and what is told of them.

An image is told by its digest where a registry gave it one, else by its id: a tag can be moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from harness.core.plan import NOT_YET
from harness.errors import PlatformError, Refused
from harness.inputs.containers_file import REFERENCE_IMAGE, ContainersOptions, Images
from harness.platforms.containers import daemon
from harness.progress import Progress

_PULL_S = 900.0
_SHOWN = 19  # of an id: "sha256:" and twelve digits


def ensure(options: ContainersOptions, progress: Progress) -> None:
    """Every image is on this machine. Raises Refused for one that cannot be had."""
    for name in _names(options.images):
        if _digest(name) is not None:
            continue
        if name == REFERENCE_IMAGE:
            raise Refused(
                f"the reference image {name} is not on this machine",
                next_step=f"docker build -t {name} -f deploy/image/Dockerfile .",
            )
        progress.phase(f"containers: pulling {name}", _PULL_S)
        _pull(name)


def versions(options: ContainersOptions) -> tuple[tuple[str, str], ...]:
    """(which parts, their image with its digest): what was drilled, so that it can be had again."""
    return _told(options.images, {n: _digest(n) or f"({NOT_YET})" for n in _names(options.images)})


def versions_if_known(options: ContainersOptions) -> tuple[tuple[str, str], ...]:
    """The same where Docker answers."""
    try:
        return versions(options)
    except (PlatformError, Refused):
        return _told(options.images, dict.fromkeys(_names(options.images), f"({NOT_YET})"))


def _told(images: Images, digests: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The application's first, then every image with the parts that run from it."""
    parts: dict[str, list[str]] = {}
    for field in fields(Images):
        if field.name != "application":
            parts.setdefault(getattr(images, field.name), []).append(field.name)
    others = [(f"image of {', '.join(of)}", name) for name, of in parts.items()]
    both = [("application image", images.application), *others]
    return tuple((what, f"{name} {digests[name]}") for what, name in both)


def is_reference(options: ContainersOptions) -> bool:
    """Whether the application is the stand-in that ships."""
    return options.images.application == REFERENCE_IMAGE


def _names(images: Images) -> tuple[str, ...]:
    return tuple(dict.fromkeys(getattr(images, field.name) for field in fields(Images)))


def _digest(name: str) -> str | None:
    """None where the image is not on this machine."""
    from docker.errors import ImageNotFound

    found = daemon.client()
    with daemon.asking(f"the image {name}"):
        try:
            image = found.images.get(name)
        except ImageNotFound:
            return None
        digests = image.attrs.get("RepoDigests") or []
        return str(digests[0].partition("@")[2] if digests else image.id)[:_SHOWN]


def _pull(name: str) -> None:
    found = daemon.client()
    try:
        with daemon.asking(f"pulling {name}"):
            found.images.pull(name)
    except PlatformError as error:
        raise Refused(
            f"the image {name} is neither on this machine nor could it be pulled: {error.what}",
            next_step="docker pull it yourself, or mend platform.yaml",
        ) from error
