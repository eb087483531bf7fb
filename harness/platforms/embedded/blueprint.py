"""Everything that decides the configuration of a platform's parts."""

from __future__ import annotations

from dataclasses import dataclass

from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import Layout, Options


@dataclass(frozen=True, slots=True)
class Commands:
    """Python modules, each run as `python -m MODULE CONFIG.json`.

    Another application that takes the same configuration can stand in the shop's place.
    """

    serve: str = "shop.serve"
    install: str = "shop.install"
    renew: str = "shop.renew"
    partners: str = "shop.partners"


@dataclass(frozen=True, slots=True)
class Blueprint:
    """One start of one platform."""

    layout: Layout
    ports: dict[str, int]
    secrets: Secrets
    options: Options
    commands: Commands
