"""platform.yaml -> PlatformOptions: which platform is drilled, and how it is set up.

kind: embedded
synchronous: true     # the standby confirms every commit
dialect: 19           # 14 | 18 | 19: the Odoo that the stand-in speaks
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness.inputs.problems import Strict, validated
from harness.inputs.yaml_lines import read_yaml

KINDS = ("embedded",)
DIALECTS = (14, 18, 19)


@dataclass(frozen=True, slots=True)
class PlatformOptions:
    """What a person may choose of a platform; the defaults are those of `make drill`."""

    kind: str = "embedded"
    synchronous: bool = True
    dialect: int = 19


class PlatformModel(Strict):
    """platform.yaml as it is written."""

    kind: Literal["embedded"]
    synchronous: Annotated[
        bool, Field(description="Whether a commit waits for the standby. true by default.")
    ] = True
    dialect: Annotated[
        Literal[14, 18, 19], Field(description="The Odoo that the stand-in speaks.")
    ] = 19


def read_platform(file: Path) -> PlatformOptions:
    """Read and check. Raises UsageError and BadInput."""
    model = validated(PlatformModel, read_yaml(file))
    return PlatformOptions(model.kind, model.synchronous, model.dialect)
