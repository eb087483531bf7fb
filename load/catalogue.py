"""catalogue.json: what prepare.py found or made, by id. It holds no secret."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PosSession:
    """An open session of a till, and how its customers pay."""

    session_id: int
    payment_method_id: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """A picking that only canaries touch: `moves` (17 and later) or `move_lines` of it."""

    picking_id: int
    moves: tuple[int, ...]
    move_lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the workloads trade with."""

    uid: int
    products: tuple[int, ...]
    partners: tuple[int, ...]
    canary_product: int
    canary_partner: int
    canary_journal: int | None
    pricelist: int | None  # point of sale needs one up to 17
    sessions: tuple[PosSession, ...]
    canary_session: PosSession
    transfers: tuple[Transfer, ...]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Catalogue:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            uid=raw["uid"],
            products=tuple(raw["products"]),
            partners=tuple(raw["partners"]),
            canary_product=raw["canary_product"],
            canary_partner=raw["canary_partner"],
            canary_journal=raw["canary_journal"],
            pricelist=raw["pricelist"],
            sessions=tuple(PosSession(**s) for s in raw["sessions"]),
            canary_session=PosSession(**raw["canary_session"]),
            transfers=tuple(
                Transfer(t["picking_id"], tuple(t["moves"]), tuple(t["move_lines"]))
                for t in raw["transfers"]
            ),
        )
