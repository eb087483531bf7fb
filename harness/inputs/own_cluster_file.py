"""platform.yaml of `kind: kubernetes`, `stack: own` -> OwnClusterOptions: a stack of one's own.

kind: kubernetes
stack: own
disposable: true
namespace: webshop
application:
  kind: odoo
  url: https://webshop.staging.example
  database: shop
  login: admin
  password_file: secrets/admin
  pods: {app: odoo}
database:
  managed_by: cloudnative-pg        # patroni | cloudnative-pg | plain
  pods: {cnpg.io/cluster: shop-db}
  dsn: "host=127.0.0.1 port=30432 dbname=shop user=reader passfile=secrets/reader.pgpass"

A relative path begins at the file's own folder, and so do the commands. Secrets stand in files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.inputs import odoo_file
from harness.inputs.kubernetes_file import (
    KIND,
    RESERVED,
    KubernetesOptions,
    NodeHooks,
    hooks_of,
    read_kubernetes,
)
from harness.inputs.odoo_file import OdooOptions
from harness.inputs.own_cluster_model import (
    CNPG,
    PATRONI,
    PLAIN,
    BackupsModel,
    CredentialModel,
    DatabaseModel,
    DocumentsModel,
    DoorModel,
    OwnClusterModel,
)
from harness.inputs.problems import validated
from harness.inputs.yaml_lines import Document, read_yaml

OWN = "own"
type_labels = tuple[tuple[str, str], ...]
_ROLE_LABELS = {PATRONI: "role", CNPG: "cnpg.io/instanceRole", PLAIN: ""}
_PSQL = ("psql", "-U", "postgres", "-d", "postgres")


@dataclass(frozen=True, slots=True)
class DatabasePods:
    """How PostgreSQL is managed in the cluster."""

    managed_by: str
    pods: type_labels
    copies: int
    container: str = ""  # "": the first
    role_label: str = ""  # "": the pods are asked
    ask: tuple[str, ...] = _PSQL  # psql in the container, as a superuser


@dataclass(frozen=True, slots=True)
class PodFolder:
    path: str
    container: str = ""  # "": the first


@dataclass(frozen=True, slots=True)
class Door:
    kind: str  # ingress | traefik
    name: str
    may_close: bool = False


@dataclass(frozen=True, slots=True)
class BackupHooks:
    """Which tool, and the owner's commands for it: words, no shell. () where there is none."""

    by: str
    list: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    restore: tuple[str, ...] = ()
    limit_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Credential:
    name: str
    secret: str
    key: str
    restart: tuple[str, ...]  # deployment/NAME, statefulset/NAME


@dataclass(frozen=True, slots=True)
class OwnClusterOptions:
    """What a person says of a stack of their own in a cluster. Holds no secret."""

    folder: Path  # of the file: where commands run
    namespace: str
    application: OdooOptions  # how it is traded with and read back, and the owner's faults
    kind: str  # odoo | shop
    application_pods: type_labels
    database: DatabasePods
    context: str = ""
    disposable: bool = False
    documents_in_pod: PodFolder | None = None
    door: Door | None = None
    backups: BackupHooks | None = None
    credentials: tuple[Credential, ...] = ()
    nodes: NodeHooks | None = None


def is_own(file: Path | None) -> bool:
    """Whether a file describes a stack of one's own in a cluster. Raises UsageError, BadInput."""
    value = read_yaml(file).value if file else None
    told = value if isinstance(value, dict) else {}
    return (told.get("kind"), told.get("stack")) == (KIND, OWN)


def read_any_cluster(file: Path) -> KubernetesOptions | OwnClusterOptions:
    """Either form of a file of kind kubernetes. Raises UsageError and BadInput."""
    return read_own_cluster(file) if is_own(file) else read_kubernetes(file)


def read_own_cluster(file: Path) -> OwnClusterOptions:
    """Read and check; nothing is asked of the cluster. Raises UsageError and BadInput."""
    document = read_yaml(file)
    model = validated(OwnClusterModel, document)
    if model.namespace in RESERVED[1:]:
        raise document.bad(("namespace",), "is the cluster's own: a stack of yours is elsewhere")
    folder = file.absolute().parent
    told = model.application
    inside = model.documents.pod if model.documents else None
    return OwnClusterOptions(
        folder=folder,
        namespace=model.namespace,
        application=_application(document, model, folder),
        kind=told.kind,
        application_pods=_labels(told.pods),
        database=_database(document, model.database),
        context=model.context or "",
        disposable=model.disposable,
        documents_in_pod=PodFolder(inside.path, inside.container or "") if inside else None,
        door=_door(model.ingress),
        backups=_backups(document, model.backups),
        credentials=_credentials(document, model.credentials or {}),
        nodes=hooks_of(document, model.nodes),
    )


def _application(document: Document, model: OwnClusterModel, folder: Path) -> OdooOptions:
    told, where = model.application, model.documents or DocumentsModel()
    _check_documents(document, model.documents)
    odoo_file.check_url(document, ("application", "url"), told.url)
    if where.bucket is not None:
        path = ("documents", "bucket", "url")
        odoo_file.check_url(document, path, where.bucket.url or "https://aws")
    loops_s, faults = model.loops_s or {}, model.faults or {}
    odoo_file.check_names(document, "loops_s", loops_s)
    odoo_file.check_names(document, "faults", faults)
    return OdooOptions(
        folder=folder,
        url=told.url.rstrip("/"),
        database=told.database,
        login=told.login,
        password_file=folder / told.password_file,
        dsn=odoo_file.checked_dsn(document, ("database", "dsn"), model.database.dsn, folder),
        version=told.version,
        filestore=folder / where.folder if where.folder else None,
        bucket=odoo_file.bucket_at(where.bucket, folder),
        disposable=model.disposable,
        server_timeout_s=told.server_timeout_s,
        canary_limit_s=told.canary_limit_s,
        loops_s=tuple(sorted(loops_s.items())),
        faults=tuple(odoo_file.fault_of(name, fault) for name, fault in sorted(faults.items())),
    )


def _check_documents(document: Document, told: DocumentsModel | None) -> None:
    if told is None:
        return
    named = [key for key in ("folder", "bucket", "pod") if getattr(told, key) is not None]
    if len(named) != 1:
        what = f"names {' and '.join(named)}" if named else "names nothing"
        raise document.bad(
            ("documents",), f"{what}: say where they are, once", allowed=("folder", "bucket", "pod")
        )


def _database(document: Document, told: DatabaseModel) -> DatabasePods:
    copies = told.copies or (1 if told.managed_by == PLAIN else 2)
    if told.managed_by == PLAIN and told.role_label:
        raise document.bad(
            ("database", "role_label"), "is of no use: the pods of a plain one are asked themselves"
        )
    return DatabasePods(
        managed_by=told.managed_by,
        pods=_labels(told.pods),
        copies=copies,
        container=told.container or "",
        role_label=told.role_label or _ROLE_LABELS[told.managed_by],
        ask=tuple(told.ask or _PSQL),
    )


def _door(told: DoorModel | None) -> Door | None:
    return Door(told.kind, told.name, told.may_close) if told else None


def _backups(document: Document, told: BackupsModel | None) -> BackupHooks | None:
    if told is None:
        return None
    for key, words in (("verify", told.verify), ("restore", told.restore)):
        if words and not any("{backup}" in word for word in words):
            raise document.bad(("backups", key), "does not say which one: {backup}")
    if not told.list and told.by != CNPG:
        raise document.bad(("backups", "list"), "is missing: nothing could be listed")
    return BackupHooks(
        told.by,
        tuple(told.list or ()),
        tuple(told.verify or ()),
        tuple(told.restore or ()),
        told.limit_s,
    )


def _credentials(document: Document, told: Mapping[str, CredentialModel]) -> tuple[Credential, ...]:
    odoo_file.check_names(document, "credentials", told)
    return tuple(
        Credential(name, one.secret, one.key, tuple(one.restart))
        for name, one in sorted(told.items())
    )


def _labels(told: Mapping[str, str]) -> type_labels:
    return tuple(sorted(told.items()))
