"""platform.yaml of kind containers as it is written: what containers_file.py validates."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from harness.inputs.problems import Strict

REFERENCE = "localhost/peakdrill-reference:dev"
_LEAST_PORT, _LAST_PORT = 1024, 65535

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
        REFERENCE
    )
    database: Annotated[ImageName, Field(description="The role database.")] = REFERENCE
    cache: Annotated[ImageName, Field(description="The role cache.")] = REFERENCE
    ingress: Annotated[ImageName, Field(description="The role ingress.")] = REFERENCE
    store: Annotated[ImageName, Field(description="The role store.")] = REFERENCE
    partners: Annotated[ImageName, Field(description="The role partners.")] = REFERENCE
    consensus: Annotated[ImageName, Field(description="The role consensus.")] = REFERENCE
    keeper: Annotated[ImageName, Field(description="The role keeper.")] = REFERENCE


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


class PartModel(Strict):
    """The cache or the ingress as it is written."""

    managed: Annotated[
        Literal["role", "own"],
        Field(description="The reference role, or the image's own program. role by default."),
    ] = "role"
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
    cache: Annotated[PartModel | None, Field(description="Redis or Valkey.")] = None
    ingress: Annotated[PartModel | None, Field(description="Traefik.")] = None
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
