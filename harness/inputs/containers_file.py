"""platform.yaml of kind containers -> ContainersOptions: the images that a drill is made on.

kind: containers
images:
  application: registry.example/shop:2026.11.0   # the release candidate
application:
  kind: shop                    # shop | odoo: whose calls it answers
  environment: {WORKERS: "4"}   # never a secret: those lie in /secrets

Every image is the reference image by default. What each one has to offer, and what is told of one
that knows nothing of peakdrill: docs/containers.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from harness.inputs.containers_model import (
    REFERENCE,
    ApplicationModel,
    ContainersModel,
    DatabaseModel,
    ImagesModel,
    PartModel,
    PortsModel,
)
from harness.inputs.problems import Strict, validated
from harness.inputs.yaml_lines import Document, read_yaml

KIND = "containers"
REFERENCE_IMAGE = REFERENCE
SHOP, ODOO = "shop", "odoo"
PATRONI, ROLE, OWN = "patroni", "role", "own"
_SHOP_SPEAKS = (14, 18, 19)
_OF_OTHERS = ("install", "user", "port", "health", "filestore", "ready_within_s")
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

    kind: str = SHOP  # shop | odoo
    command: tuple[str, ...] = ()  # (): the reference role of a shop, an Odoo image's own
    environment: tuple[tuple[str, str], ...] = ()
    install: tuple[str, ...] = ()  # run once, to its end, before a replica starts
    user: str = ""  # "": the image's own
    port: int = 8069
    health: str = "/web/health?db_server_status=1"  # 200 only while its database answers
    filestore: str = "/filestore"  # where documents are mounted: DATABASE/sha1[:2]/sha1 below it
    ready_within_s: int = 120  # also the limit of `install`
    server_timeout_s: float | None = None  # None: as the kind of application has it
    canary_limit_s: float | None = None

    @property
    def is_role(self) -> bool:
        """It runs the reference role: it has everything that the reference image has."""
        return self.kind == SHOP and not self.command


@dataclass(frozen=True, slots=True)
class DatabaseRun:
    """Who looks after PostgreSQL: our role with its Patroni, or whatever the image brings."""

    managed: str = PATRONI  # patroni | own
    command: tuple[str, ...] = ()  # (): the image's own
    environment: tuple[tuple[str, str], ...] = ()
    user: str = ""
    data: str = "/var/lib/postgresql"  # where its volume is mounted

    @property
    def is_role(self) -> bool:
        return self.managed == PATRONI


@dataclass(frozen=True, slots=True)
class PartRun:
    """A part that stands beside the nodes: our role, or the program that its image brings."""

    managed: str = ROLE  # role | own
    command: tuple[str, ...] = ()  # (): the image's own
    environment: tuple[tuple[str, str], ...] = ()
    user: str = ""
    data: str = "/data"  # where its volume is mounted

    @property
    def is_role(self) -> bool:
        return self.managed == ROLE


@dataclass(frozen=True, slots=True)
class ContainersOptions:
    """What a person may choose of a platform of containers. Holds no secret."""

    images: Images = Images()
    application: ApplicationRun = ApplicationRun()
    database: DatabaseRun = DatabaseRun()
    cache: PartRun = PartRun()
    ingress: PartRun = PartRun()
    ports: tuple[tuple[str, int], ...] = ()  # those that must be known beforehand
    synchronous: bool = True
    dialect: int = 19
    leader_ttl_s: int = 20


def read_containers(file: Path) -> ContainersOptions:
    """Read and check; nothing is asked of Docker. Raises UsageError and BadInput."""
    document = read_yaml(file)
    model = validated(ContainersModel, document)
    if not model.disposable:
        raise document.bad(("disposable",), "is always true: it is made for drills, and removed")
    images, run = model.images or ImagesModel(), model.application or ApplicationModel()
    database = model.database or DatabaseModel()
    cache, ingress = model.cache or PartModel(), model.ingress or PartModel()
    _check_application(document, run, model.dialect)
    _check_part(document, "database", database, images.database)
    _check_part(document, "cache", cache, images.cache)
    _check_part(document, "ingress", ingress, images.ingress)
    return ContainersOptions(
        images=Images(**{field.name: getattr(images, field.name) for field in fields(Images)}),
        application=ApplicationRun(**_said(run)),
        database=DatabaseRun(**_said(database)),
        cache=PartRun(**_said(cache)),
        ingress=PartRun(**_said(ingress)),
        ports=_ports(document, model.ports),
        synchronous=model.synchronous,
        dialect=model.dialect,
        leader_ttl_s=model.leader_ttl_s,
    )


def _said(model: ApplicationModel | DatabaseModel | PartModel) -> dict[str, Any]:
    """What is written; everything else keeps its default."""
    told = model.model_dump(exclude_none=True)
    for name in ("command", "install"):
        if name in told:
            told[name] = tuple(told[name])
    if "environment" in told:
        told["environment"] = tuple(sorted(told["environment"].items()))
    return told


def _check_application(document: Document, run: ApplicationModel, dialect: int) -> None:
    _check_variables(document, "application", run.environment)
    if run.kind == ODOO:
        return
    if dialect not in _SHOP_SPEAKS:
        raise document.bad(("dialect",), "must be one of 14, 18, 19 where application.kind is shop")
    _refuse(
        document, "application", run, _OF_OTHERS,
        unless=bool(run.command), where="kind is odoo, or a command is named",
    )  # fmt: skip


def _check_part(
    document: Document, section: str, part: DatabaseModel | PartModel, image: str
) -> None:
    _check_variables(document, section, part.environment)
    is_own = part.managed == OWN
    told = ("command", "environment", "user", "data")
    _refuse(document, section, part, told, unless=is_own, where="managed is own")
    if is_own and image == REFERENCE_IMAGE:
        raise document.bad(
            (section, "managed"), f"is own, so images.{section} has to name whose own"
        )


def _refuse(
    document: Document, section: str, model: Strict, names: Sequence[str], *, unless: bool,
    where: str,
) -> None:  # fmt: skip
    """What the reference role decides by itself cannot be told otherwise."""
    for name in names:
        if getattr(model, name) is not None and not unless:
            raise document.bad((section, name), f"is only heard where {where}")


def _check_variables(document: Document, section: str, named: Mapping[str, str] | None) -> None:
    for name in named or {}:
        if not _VARIABLE.match(name):
            raise document.bad((section, "environment", name), "must be like NAME_OF_IT")
        if _SECRET.match(name):
            raise document.bad(
                (section, "environment", name),
                "looks like a secret, which everybody could read there: name a file below "
                f"/secrets, as {name}_FILE",
            )


def _ports(document: Document, asked: PortsModel | None) -> tuple[tuple[str, int], ...]:
    named = {} if asked is None else asked.model_dump(exclude_none=True)
    taken: dict[int, str] = {}
    for name, port in named.items():
        if port in taken:
            raise document.bad(("ports", name), f"{port} is named for {taken[port]} already")
        taken[port] = name
    return tuple(sorted(named.items()))
