"""platform.yaml -> PlatformOptions: which platform is drilled, and how it is set up.

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

from harness.inputs.problems import Strict, validated
from harness.inputs.yaml_lines import read_yaml

KINDS = ("embedded",)


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

    kind: Literal["embedded"]
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


def read_platform(file: Path) -> PlatformOptions:
    """Read and check. Raises UsageError and BadInput."""
    model = validated(PlatformModel, read_yaml(file))
    return PlatformOptions(**model.model_dump())
