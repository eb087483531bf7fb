"""platform.yaml -> PlatformOptions: which platform is drilled, and how it is set up.

Of kind embedded; each of the others has a reader of its own (odoo_file.py, kubernetes_file.py,
containers_file.py).

kind: embedded
synchronous: true     # the standby confirms every commit
dialect: 19           # 14 | 18 | 19: the Odoo that the stand-in speaks
leader_ttl_s: 20      # how long a dead leader holds the lock: most of a failover's time
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness.errors import UsageError
from harness.inputs.problems import Strict, validated
from harness.inputs.yaml_lines import Document, read_yaml

EMBEDDED, ODOO, KUBERNETES, CONTAINERS = "embedded", "odoo", "kubernetes", "containers"
KINDS = (EMBEDDED, ODOO, KUBERNETES, CONTAINERS)


@dataclass(frozen=True, slots=True)
class PlatformOptions:
    """What a person may choose of a platform; the defaults are those of `make drill`."""

    kind: str = "embedded"
    synchronous: bool = True
    dialect: int = 19
    leader_ttl_s: int = 20
    ingress_port: int | None = None


class PlatformModel(Strict):
    """platform.yaml as it is written."""

    kind: Literal["embedded", "odoo", "kubernetes", "containers"]
    synchronous: Annotated[
        bool, Field(description="Whether a commit waits for the standby. true by default.")
    ] = True
    dialect: Annotated[
        Literal[14, 18, 19], Field(description="The Odoo that the stand-in speaks.")
    ] = 19
    leader_ttl_s: Annotated[
        int,
        Field(
            ge=20,
            le=300,
            description="How long a dead leader holds the lock: Patroni's ttl. 20 by default.",
        ),
    ] = 20
    ingress_port: Annotated[
        int | None,
        Field(ge=1024, le=65535, description="On 127.0.0.1; any free one by default."),
    ] = None


def kind_of(file: Path) -> str:
    """Which platform a file describes. Raises UsageError and BadInput."""
    kind = _kind_in(read_yaml(file))
    return kind if kind in KINDS else read_platform(file).kind


def read_platform(file: Path) -> PlatformOptions:
    """Read and check. Raises UsageError and BadInput."""
    document = read_yaml(file)
    kind = _kind_in(document)
    if kind == ODOO:
        raise UsageError(
            f"{file} describes an Odoo of your own, which peakdrill neither starts nor ends",
            next_step=f"peakdrill run database-outage --platform {file}",
        )
    if kind in KINDS and kind != EMBEDDED:
        raise UsageError(f"{file} describes {kind}, not embedded")
    model = validated(PlatformModel, document)
    return PlatformOptions(**model.model_dump())


def _kind_in(document: Document) -> str:
    value = document.value
    return str(value.get("kind")) if isinstance(value, dict) else ""
