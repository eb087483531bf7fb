"""platform.yaml of `kind: kubernetes`, `stack: own`, as it is written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from harness.inputs.kubernetes_file import NodesModel, Word
from harness.inputs.odoo_file import BucketModel, FaultModel, Line, Seconds
from harness.inputs.problems import Strict

PATRONI, CNPG, PLAIN = "patroni", "cloudnative-pg", "plain"
BARMAN, CNPG_BACKUPS, PGBACKREST = "barman-cloud", "cloudnative-pg", "pgbackrest"

Name = Annotated[
    str, StringConstraints(max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")
]
LabelKey = Annotated[
    str, StringConstraints(max_length=317, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$")
]
LabelValue = Annotated[
    str, StringConstraints(max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
]
Labels = Annotated[dict[LabelKey, LabelValue], Field(min_length=1, max_length=20)]
Words = Annotated[list[Word], Field(min_length=1, max_length=100)]


class ApplicationModel(Strict):
    """Whose calls are made, and where."""

    kind: Annotated[Literal["odoo", "shop"], Field(description="Whose calls it answers.")]
    url: Annotated[Line, Field(description="Where customers reach it: http:// or https://.")]
    database: Annotated[Line, Field(description="The application's database.")]
    login: Annotated[Line, Field(description="A user who may sell, ship and invoice.")]
    password_file: Annotated[Line, Field(description="Holds that user's password or API key.")]
    version: Annotated[
        Literal[14, 15, 16, 17, 18, 19] | None, Field(description="As it says itself by default.")
    ] = None
    pods: Annotated[Labels, Field(description="Labels that mean its pods, and no others.")]
    server_timeout_s: Annotated[
        Seconds,
        Field(description="The longest that a request can still commit after its client left."),
    ] = 5.0
    canary_limit_s: Annotated[
        float, Field(ge=0.25, le=30, description="How long a canary waits. 2 by default.")
    ] = 2.0


class DatabaseModel(Strict):
    """How PostgreSQL is managed, and how it is read."""

    managed_by: Annotated[
        Literal["patroni", "cloudnative-pg", "plain"], Field(description="Who leads it.")
    ]
    pods: Annotated[Labels, Field(description="Labels that mean its pods, and no others.")]
    dsn: Annotated[Line, Field(description="For the read-back: libpq, a role that may read.")]
    copies: Annotated[
        int | None, Field(ge=1, le=20, description="Pods. 1 for plain, 2 for the others.")
    ] = None
    container: Annotated[Name | None, Field(description="PostgreSQL's; the first by default.")] = (
        None
    )
    role_label: Annotated[
        LabelKey | None, Field(description="Which one the leader is told by; Patroni's: role.")
    ] = None
    ask: Annotated[
        Words | None, Field(description="psql in that container, as a superuser: words, no shell.")
    ] = None


class PodFolderModel(Strict):
    """Documents in the application's pods."""

    path: Annotated[str, StringConstraints(max_length=1000, pattern=r"^/[^\x00-\x1f\x7f]*$")]
    container: Annotated[Name | None, Field(description="The first by default.")] = None


class DocumentsModel(Strict):
    """Where the application keeps documents: one of the three."""

    folder: Annotated[Line | None, Field(description="A folder of this machine.")] = None
    bucket: Annotated[BucketModel | None, Field(description="Object storage.")] = None
    pod: Annotated[PodFolderModel | None, Field(description="Read by an exec.")] = None


class DoorModel(Strict):
    """What customers come in by."""

    kind: Annotated[
        Literal["ingress", "traefik"], Field(description="An Ingress, or Traefik's IngressRoute.")
    ]
    name: Annotated[Name, Field(description="Of that object, in the same namespace.")]
    may_close: Annotated[
        bool, Field(description="Whether a drill may close it. false by default.")
    ] = False


class BackupsModel(Strict):
    """How the database is backed up, and the owner's commands."""

    by: Annotated[
        Literal["barman-cloud", "cloudnative-pg", "pgbackrest"], Field(description="Which tool.")
    ]
    list: Annotated[Words | None, Field(description="Prints what there is.")] = None
    verify: Annotated[Words | None, Field(description="{backup}: exits 0 where it is sound.")] = (
        None
    )
    restore: Annotated[
        Words | None, Field(description="{backup}, {until}: exits 0 once it is restored.")
    ] = None
    limit_s: Annotated[float, Field(gt=0, le=86_400, description="For each. 600 by default.")] = (
        600.0
    )


class CredentialModel(Strict):
    """One secret that can be renewed."""

    secret: Annotated[Name, Field(description="The Secret that holds it.")]
    key: Annotated[LabelKey, Field(description="Which of its keys.")]
    restart: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^(deployment|statefulset)/[a-z0-9.-]+$")]],
        Field(min_length=1, max_length=20, description="Who reads it: deployment/NAME."),
    ]


class OwnClusterModel(Strict):
    """The whole file."""

    kind: Literal["kubernetes"]
    stack: Literal["own"]
    disposable: Annotated[
        bool, Field(description="Whether it may be broken. false by default.")
    ] = False
    context: Annotated[Word | None, Field(description="Of the kubeconfig.")] = None
    namespace: Annotated[
        str, StringConstraints(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    ]
    application: ApplicationModel
    database: DatabaseModel
    documents: DocumentsModel | None = None
    ingress: DoorModel | None = None
    backups: BackupsModel | None = None
    credentials: Annotated[
        dict[str, CredentialModel] | None, Field(description="What can be renewed, by name.")
    ] = None
    nodes: Annotated[
        NodesModel | None, Field(description="Commands that cut a node's power, and give it back.")
    ] = None
    loops_s: Annotated[
        dict[str, Seconds] | None, Field(description="Polling periods that recovery waits for.")
    ] = None
    faults: Annotated[
        dict[str, FaultModel] | None, Field(description="What may be done to it, by name.")
    ] = None
