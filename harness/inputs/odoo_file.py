"""platform.yaml of kind odoo -> OdooOptions: an Odoo of one's own, and what may be done to it.

kind: odoo
url: http://127.0.0.1:8069
database: shop
login: admin
password_file: secrets/odoo-admin
dsn: "host=127.0.0.1 port=5432 dbname=shop user=peakdrill_reader passfile=secrets/reader.pgpass"
filestore: /var/lib/odoo/filestore/shop
disposable: true
faults:
  database-stop:
    begin: pg_ctlcluster 15 main stop -m immediate
    end: pg_ctlcluster 15 main start

A relative path begins at the file's own folder, and so do the commands. Secrets stand in files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from harness.inputs.problems import Strict, validated
from harness.inputs.yaml_lines import Document, KeyPath, read_yaml

KIND = "odoo"
VERSIONS = (14, 15, 16, 17, 18, 19)
_LONGEST_COMMAND_S = 900
_NAME, _LONGEST_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z"), 60


@dataclass(frozen=True, slots=True)
class FaultCommands:
    """One fault that the owner offers: shell commands that begin and end it, and show it."""

    name: str
    begin: str
    end: str
    effect: str = ""  # exits 0 while the fault acts; "": the application is asked
    healed: str = ""  # exits 0 once it is over; "": the application is asked
    limit_s: float = 20.0  # for each command


@dataclass(frozen=True, slots=True)
class BucketAt:
    """Where documents lie in object storage."""

    name: str  # BUCKET or BUCKET/PREFIX
    url: str = ""  # "": AWS
    credentials_file: Path | None = None  # an AWS shared credentials file; None: boto3's own ways


@dataclass(frozen=True, slots=True)
class OdooOptions:
    """What a person says of an Odoo of their own. Holds no secret: those are named by file."""

    folder: Path  # of the file: where commands run
    url: str
    database: str
    login: str
    password_file: Path
    dsn: str
    version: int | None = None  # None: as it says itself
    filestore: Path | None = None
    bucket: BucketAt | None = None  # the filestore, where it lies in object storage
    disposable: bool = False
    server_timeout_s: float = 5.0
    canary_limit_s: float = 2.0
    loops_s: tuple[tuple[str, float], ...] = ()
    faults: tuple[FaultCommands, ...] = ()

    def fault(self, name: str) -> FaultCommands | None:
        return next((fault for fault in self.faults if fault.name == name), None)


Line = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class FaultModel(Strict):
    """A fault as it is written."""

    begin: Annotated[Line, Field(description="A shell command that begins it.")]
    end: Annotated[Line, Field(description="A shell command that ends it. May be repeated.")]
    effect: Annotated[Line | None, Field(description="Exits 0 while the fault acts.")] = None
    healed: Annotated[Line | None, Field(description="Exits 0 once the fault is over.")] = None
    limit_s: Annotated[
        float, Field(gt=0, le=_LONGEST_COMMAND_S, description="For each command. 20 by default.")
    ] = 20.0


class BucketModel(Strict):
    """A filestore in object storage, as it is written."""

    name: Annotated[Line, Field(description="BUCKET or BUCKET/PREFIX.")]
    url: Annotated[Line | None, Field(description="The endpoint; AWS by default.")] = None
    credentials_file: Annotated[Line | None, Field(description="AWS's shared format.")] = None


class OdooModel(Strict):
    """platform.yaml of kind odoo as it is written."""

    kind: Literal["odoo"]
    url: Annotated[Line, Field(description="Where customers reach it: http:// or https://.")]
    database: Annotated[Line, Field(description="Odoo's database.")]
    login: Annotated[Line, Field(description="A user who may sell, ship and invoice.")]
    password_file: Annotated[Line, Field(description="Holds that user's password or API key.")]
    dsn: Annotated[Line, Field(description="For the read-back: libpq, a role that may read.")]
    version: Annotated[
        Literal[14, 15, 16, 17, 18, 19] | None, Field(description="As it says itself by default.")
    ] = None
    filestore: Annotated[Line | None, Field(description="Odoo's filestore/DATABASE.")] = None
    bucket: Annotated[
        BucketModel | None, Field(description="The filestore, where it lies in a bucket.")
    ] = None
    disposable: Annotated[
        bool, Field(description="Whether it may be broken. false by default.")
    ] = False
    server_timeout_s: Annotated[
        Seconds,
        Field(description="The longest that a request can still commit after its client left."),
    ] = 5.0
    canary_limit_s: Annotated[
        float, Field(ge=0.25, le=30, description="How long a canary waits. 2 by default.")
    ] = 2.0
    loops_s: Annotated[
        dict[str, Seconds] | None,
        Field(description="Polling periods that recovery waits for."),
    ] = None
    faults: Annotated[
        dict[str, FaultModel] | None, Field(description="What may be done to it, by name.")
    ] = None


def read_odoo(file: Path) -> OdooOptions:
    """Read and check; nothing is asked of the Odoo itself. Raises UsageError and BadInput."""
    document = read_yaml(file)
    model = validated(OdooModel, document)
    check_url(document, ("url",), model.url)
    if model.bucket is not None:
        if model.filestore is not None:
            raise document.bad(("bucket",), "is named beside filestore: name the one that is used")
        check_url(document, ("bucket",), model.bucket.url or "https://aws")
    loops_s, faults = model.loops_s or {}, model.faults or {}
    check_names(document, "loops_s", loops_s)
    check_names(document, "faults", faults)
    folder = file.absolute().parent
    return OdooOptions(
        folder=folder,
        url=model.url.rstrip("/"),
        database=model.database,
        login=model.login,
        password_file=folder / model.password_file,
        dsn=checked_dsn(document, ("dsn",), model.dsn, folder),
        version=model.version,
        filestore=folder / model.filestore if model.filestore else None,
        bucket=bucket_at(model.bucket, folder),
        disposable=model.disposable,
        server_timeout_s=model.server_timeout_s,
        canary_limit_s=model.canary_limit_s,
        loops_s=tuple(sorted(loops_s.items())),
        faults=tuple(fault_of(name, fault) for name, fault in sorted(faults.items())),
    )


def fault_of(name: str, fault: FaultModel) -> FaultCommands:
    effect, healed = fault.effect or "", fault.healed or ""
    return FaultCommands(name, fault.begin, fault.end, effect, healed, fault.limit_s)


def check_names(document: Document, key: str, named: Mapping[str, object]) -> None:
    for name in named:
        if not _NAME.match(name) or len(name) > _LONGEST_NAME:
            raise document.bad((key, name), "must be lower-case words with hyphens between them")


def bucket_at(at: BucketModel | None, folder: Path) -> BucketAt | None:
    if at is None:
        return None
    file = folder / at.credentials_file if at.credentials_file else None
    return BucketAt(at.name, at.url or "", file)


def check_url(document: Document, path: KeyPath, url: str) -> None:
    """Raises BadInput for what is no URL, and for one that holds a secret."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in {"http", "https"} and bool(parts.hostname)
        named = named and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named:
        raise document.bad(path, "must be http://HOST[:PORT] or https://HOST[:PORT]")
    if parts.username or parts.password:
        raise document.bad(path, "must not hold a user or a password: use login, password_file")


def checked_dsn(document: Document, path: KeyPath, dsn: str, folder: Path) -> str:
    """With its passfile as a whole path. A password in it would reach process lists."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:
        raise document.bad(path, "is no libpq connection string") from None
    if parts.get("password"):
        raise document.bad(path, "must not hold a password: name a passfile")
    if passfile := parts.get("passfile"):
        parts["passfile"] = str(folder / str(passfile))
    return make_conninfo("", **{key: str(value) for key, value in parts.items()})
