"""platform.yaml of kind containers -> ContainersOptions: the images that a drill is made on.

kind: containers
images:
  application: registry.example/shop:2026.11.0   # the release candidate
application:
  kind: shop                    # shop | odoo: whose calls it answers on port 8069
  environment: {WORKERS: "4"}   # never a secret: those lie in /secrets

Every image is the reference image by default. What each one has to offer: docs/containers.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from harness.inputs.problems import Strict, validated
from harness.inputs.yaml_lines import Document, read_yaml

KIND = "containers"
REFERENCE_IMAGE = "localhost/peakdrill-reference:dev"
_LEAST_PORT, _LAST_PORT = 1024, 65535
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*\Z")
_SECRET = re.compile(r"(?:.*_)?(PASS|PASSWD|PASSWORD|SECRET|TOKEN|KEY|CREDENTIALS?)\Z")


@dataclass(frozen=True, slots=True)
class Images:
    """Which image each part is started from."""

    application: str = REFERENCE_IMAGE
    database: str = REFERENCE_IMAGE
    cache: str = REFERENCE_IMAGE
    ingress: str = REFERENCE_IMAGE
    store: str = REFERENCE_IMAGE
    partners: str = REFERENCE_IMAGE
    consensus: str = REFERENCE_IMAGE
    keeper: str = REFERENCE_IMAGE


@dataclass(frozen=True, slots=True)
class ApplicationRun:
    """How the application's image is started, and what it then answers."""

    kind: str = "shop"  # shop | odoo
    command: tuple[str, ...] = ()  # (): the reference role of a shop, an Odoo image's own
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ContainersOptions:
    """What a person may choose of a platform of containers. Holds no secret."""

    images: Images = Images()
    application: ApplicationRun = ApplicationRun()
    ports: tuple[tuple[str, int], ...] = ()  # those that must be known beforehand
    synchronous: bool = True
    dialect: int = 19
    leader_ttl_s: int = 20


Line = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")
]
ImageName = Annotated[
    str, StringConstraints(min_length=1, max_length=500, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$")
]
Port = Annotated[int | None, Field(ge=_LEAST_PORT, le=_LAST_PORT)]


class ImagesModel(Strict):
    """Images as they are written."""

    application: Annotated[ImageName, Field(description="Odoo's protocol on port 8069.")] = (
        REFERENCE_IMAGE
    )
    database: Annotated[ImageName, Field(description="The role database.")] = REFERENCE_IMAGE
    cache: Annotated[ImageName, Field(description="The role cache.")] = REFERENCE_IMAGE
    ingress: Annotated[ImageName, Field(description="The role ingress.")] = REFERENCE_IMAGE
    store: Annotated[ImageName, Field(description="The role store.")] = REFERENCE_IMAGE
    partners: Annotated[ImageName, Field(description="The role partners.")] = REFERENCE_IMAGE
    consensus: Annotated[ImageName, Field(description="The role consensus.")] = REFERENCE_IMAGE
    keeper: Annotated[ImageName, Field(description="The role keeper.")] = REFERENCE_IMAGE


class ApplicationModel(Strict):
    """The application as it is written."""

    kind: Annotated[
        Literal["shop", "odoo"], Field(description="Whose calls it answers. shop by default.")
    ] = "shop"
    command: Annotated[
        list[Line] | None,
        Field(min_length=1, description="An argument list; no shell reads it."),
    ] = None
    environment: Annotated[
        dict[str, Line] | None, Field(description="Beside what every part is told. No secrets.")
    ] = None


class PortsModel(Strict):
    """Ports on 127.0.0.1 that must be known beforehand; any free one by default."""

    ingress: Port = None
    ingress_api: Port = None
    queue_door: Port = None
    store: Port = None
    partners: Port = None
    pg_0: Port = None
    pg_1: Port = None
    patroni_0: Port = None
    patroni_1: Port = None


class ContainersModel(Strict):
    """platform.yaml of kind containers as it is written."""

    kind: Literal["containers"]
    images: Annotated[
        ImagesModel | None, Field(description="Each is the reference image by default.")
    ] = None
    application: Annotated[
        ApplicationModel | None, Field(description="How the application is started.")
    ] = None
    ports: PortsModel | None = None
    disposable: Annotated[
        bool, Field(description="It is made for drills, and removed: always true.")
    ] = True
    synchronous: Annotated[
        bool, Field(description="Whether a commit waits for the standby. true by default.")
    ] = True
    dialect: Annotated[
        Literal[14, 18, 19], Field(description="The Odoo whose calls the application answers.")
    ] = 19
    leader_ttl_s: Annotated[
        int, Field(ge=20, le=300, description="Patroni's ttl. 20 by default.")
    ] = 20


def read_containers(file: Path) -> ContainersOptions:
    """Read and check; nothing is asked of Docker. Raises UsageError and BadInput."""
    document = read_yaml(file)
    model = validated(ContainersModel, document)
    if not model.disposable:
        raise document.bad(("disposable",), "is always true: it is made for drills, and removed")
    images, run = model.images or ImagesModel(), model.application or ApplicationModel()
    environment = run.environment or {}
    for name in environment:
        _check_variable(document, name)
    return ContainersOptions(
        images=Images(**{field.name: getattr(images, field.name) for field in fields(Images)}),
        application=ApplicationRun(
            kind=run.kind,
            command=tuple(run.command or ()),
            environment=tuple(sorted(environment.items())),
        ),
        ports=_ports(document, model.ports),
        synchronous=model.synchronous,
        dialect=model.dialect,
        leader_ttl_s=model.leader_ttl_s,
    )


def _check_variable(document: Document, name: str) -> None:
    if not _VARIABLE.match(name):
        raise document.bad(("application", "environment", name), "must be like NAME_OF_IT")
    if _SECRET.match(name):
        raise document.bad(
            ("application", "environment", name),
            "looks like a secret, which everybody could read there: name a file below /secrets, "
            f"as {name}_FILE",
        )


def _ports(document: Document, asked: PortsModel | None) -> tuple[tuple[str, int], ...]:
    named = {} if asked is None else asked.model_dump(exclude_none=True)
    taken: dict[int, str] = {}
    for name, port in named.items():
        if port in taken:
            raise document.bad(("ports", name), f"{port} is named for {taken[port]} already")
        taken[port] = name
    return tuple(sorted(named.items()))
