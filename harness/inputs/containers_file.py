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
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from harness.inputs.problems import Strict, validated
from harness.inputs.yaml_lines import Document, read_yaml

KIND = "containers"
REFERENCE_IMAGE = "localhost/peakdrill-reference:dev"
SHOP, ODOO = "shop", "odoo"
PATRONI, OWN = "patroni", "own"
_SHOP_SPEAKS = (14, 18, 19)
_OF_OTHERS = ("install", "user", "port", "health", "filestore", "ready_within_s")
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
class ContainersOptions:
    """What a person may choose of a platform of containers. Holds no secret."""

    images: Images = Images()
    application: ApplicationRun = ApplicationRun()
    database: DatabaseRun = DatabaseRun()
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
Command = Annotated[
    list[Line] | None, Field(min_length=1, description="An argument list; no shell reads it.")
]
Environment = Annotated[
    dict[str, Line] | None, Field(description="Beside what every part is told. No secrets.")
]
User = Annotated[
    str | None,
    Field(pattern=r"^[a-z0-9_][a-z0-9_-]{0,31}(:[a-z0-9_][a-z0-9_-]{0,31})?$",
          description="USER or USER:GROUP; the image's own by default."),
]  # fmt: skip
Folder = Annotated[
    str | None,
    Field(pattern=r"^(/[A-Za-z0-9._-]*[A-Za-z0-9_-])+$", description="A folder in the container."),
]


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
    command: Command = None
    environment: Environment = None
    install: Command = None
    user: User = None
    port: Annotated[int | None, Field(ge=1, le=_LAST_PORT, description="8069 by default.")] = None
    health: Annotated[
        str | None,
        Field(pattern=r"^/[\x21-\x7e]{0,300}$",
              description="A path that answers 200 only while the database does."),
    ] = None  # fmt: skip
    filestore: Folder = None
    ready_within_s: Annotated[int | None, Field(ge=1, le=3600, description="120 by default.")] = (
        None
    )
    server_timeout_s: Annotated[
        float | None,
        Field(gt=0, le=3600, description="How long a request may commit after its client left."),
    ] = None
    canary_limit_s: Annotated[
        float | None, Field(ge=0.25, le=30, description="How long a canary waits.")
    ] = None


class DatabaseModel(Strict):
    """PostgreSQL as it is written."""

    managed: Annotated[
        Literal["patroni", "own"],
        Field(
            description="By the reference role, or by what the image brings. patroni by default."
        ),
    ] = "patroni"
    command: Command = None
    environment: Environment = None
    user: User = None
    data: Folder = None


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
    database: Annotated[DatabaseModel | None, Field(description="Who looks after PostgreSQL.")] = (
        None
    )
    ports: PortsModel | None = None
    disposable: Annotated[
        bool, Field(description="It is made for drills, and removed: always true.")
    ] = True
    synchronous: Annotated[
        bool, Field(description="Whether a commit waits for the standby. true by default.")
    ] = True
    dialect: Annotated[
        Literal[14, 15, 16, 17, 18, 19],
        Field(description="The Odoo whose calls the application answers."),
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
    database = model.database or DatabaseModel()
    _check_application(document, run, model.dialect)
    _check_database(document, database, images)
    return ContainersOptions(
        images=Images(**{field.name: getattr(images, field.name) for field in fields(Images)}),
        application=ApplicationRun(**_said(run)),
        database=DatabaseRun(**_said(database)),
        ports=_ports(document, model.ports),
        synchronous=model.synchronous,
        dialect=model.dialect,
        leader_ttl_s=model.leader_ttl_s,
    )


def _said(model: ApplicationModel | DatabaseModel) -> dict[str, Any]:
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


def _check_database(document: Document, database: DatabaseModel, images: ImagesModel) -> None:
    _check_variables(document, "database", database.environment)
    is_own = database.managed == OWN
    told = ("command", "environment", "user", "data")
    _refuse(document, "database", database, told, unless=is_own, where="managed is own")
    if is_own and images.database == REFERENCE_IMAGE:
        raise document.bad(
            ("database", "managed"), "is own, so images.database has to name whose own"
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
