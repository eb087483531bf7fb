"""platform.yaml -> PlatformOptions: which platform is drilled, and how it is set up.

Of kind embedded; one of kind odoo is read by odoo_file.py.

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
from harness.inputs.yaml_lines import read_yaml

EMBEDDED, ODOO = "embedded", "odoo"
KINDS = (EMBEDDED, ODOO)


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

    kind: Literal["embedded", "odoo"]
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
    document = read_yaml(file)
    kind = document.value.get("kind") if isinstance(document.value, dict) else None
    return ODOO if kind == ODOO else read_platform(file).kind


def read_platform(file: Path) -> PlatformOptions:
    """Read and check. Raises UsageError and BadInput."""
    document = read_yaml(file)
    if isinstance(document.value, dict) and document.value.get("kind") == ODOO:
        raise UsageError(
            f"{file} describes an Odoo of your own, which peakdrill neither starts nor ends",
            next_step=f"peakdrill run database-outage --platform {file}",
        )
    model = validated(PlatformModel, document)
    return PlatformOptions(**model.model_dump())
