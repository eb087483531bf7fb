"""The deed and its undo, in this process, on a cluster of two nodes in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from file_platform import FilePlatform

from harness.chaos import actions, page
from harness.core.timeline import MarkName
from harness.errors import FaultError, PlatformError
from harness.evidence import events
from harness.faults import journal
from harness.platforms.capabilities import Instant


class Database:
    """Node A leads; damage stays in a node's files until they are copied anew."""

    def __init__(self) -> None:
        self.leads = "A"
        self.damaged: dict[str, tuple[str, ...]] = {}
        self.deeds: list[str] = []
        self.fails: Exception | None = None

    def names(self) -> tuple[str, ...]:
        return ("A", "B")

    def leader(self) -> str:
        return self.leads

    def corrupt_page(self, node: str, table: str) -> Instant:
        if self.fails:
            raise self.fails
        self.damaged[node] = (f"shop.public.{table}: invalid page in block 2",)
        return Instant(1, 2)

    def corruption(self, node: str) -> tuple[str, ...]:
        return self.damaged.get(node, ())

    def switchover(self, to: str = "") -> str:
        self.leads = to or ("B" if self.leads == "A" else "A")
        self.deeds.append(f"switch to {self.leads}")
        return self.leads

    def reinitialize(self, node: str) -> None:
        self.deeds.append(f"copy {node} anew")
        self.damaged.pop(node, None)


@pytest.fixture
def database(acting: FilePlatform, monkeypatch: pytest.MonkeyPatch) -> Database:
    made = Database()
    monkeypatch.setattr(type(acting), "database", made)
    return made


def marks(run: Path) -> list[MarkName]:
    return [m.name for m in events.read(run / "events.jsonl").timeline.marks]


def test_the_damaged_node_is_left_and_copied_anew(
    acting: FilePlatform, database: Database, run: Path
) -> None:
    assert page.corrupt_page("primary", "product_template") == "A"
    assert marks(run) == [MarkName.FAULT_ARMED, MarkName.FAULT_ACTIVE]
    assert actions.mend() == ["node A copied anew from a sound leader"]
    assert database.deeds == ["switch to B", "copy A anew"]
    assert marks(run)[2:] == [MarkName.FAULT_RELEASED, MarkName.FAULT_HEALED]
    assert journal.pending(acting.directory) == ()


def test_a_node_without_a_copy_matches_nothing(
    acting: FilePlatform, database: Database, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "names", lambda: ("B",))
    with pytest.raises(FaultError, match="matches no node with a copy; those are B"):
        page.corrupt_page("primary", "product_template")
    assert run.is_dir()
    assert journal.pending(acting.directory) == ()


def test_a_damaged_standby_costs_no_switch(database: Database, run: Path) -> None:
    page.corrupt_page("standby", "product_template")
    assert run.is_dir()
    actions.mend()
    assert database.deeds == ["copy B anew"]


def test_what_a_recovery_has_mended_is_not_mended_again(
    acting: FilePlatform, database: Database, run: Path
) -> None:
    page.corrupt_page("primary", "product_template")
    database.switchover()
    database.reinitialize("A")
    before = list(database.deeds)
    actions.mend()
    assert database.deeds == before
    assert (
        marks(run)[-1] is MarkName.FAULT_HEALED
    )  # damage that is mended early is no spoiled fault
    assert MarkName.FAULT_SPOILED not in marks(run)
    assert journal.pending(acting.directory) == ()


def test_merely_rejoining_is_no_undo(
    acting: FilePlatform, database: Database, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.corrupt_page("primary", "product_template")
    monkeypatch.setattr(database, "reinitialize", database.deeds.append)
    with pytest.raises(FaultError, match="not observed"):
        actions.mend(within_s=0.2)
    assert run.is_dir()
    assert len(journal.pending(acting.directory)) == 1


def test_a_page_that_still_reads_well_is_no_effect(database: Database, run: Path) -> None:
    database.fails = FaultError("product_template on node A still reads well")
    with pytest.raises(FaultError, match="still reads well"):
        page.corrupt_page("primary", "product_template")
    assert marks(run) == [MarkName.FAULT_ARMED, MarkName.NO_EFFECT]
    assert actions.mend() != []  # garbage may lie under the sound buffer: looked at, and found well
    assert database.deeds == []


def test_an_instrument_that_fails_spoils_the_fault(database: Database, run: Path) -> None:
    database.fails = PlatformError("the disk is full")
    with pytest.raises(PlatformError):
        page.corrupt_page("primary", "product_template")
    assert marks(run) == [MarkName.FAULT_ARMED, MarkName.FAULT_SPOILED]


def test_no_target_is_an_error_and_nothing_is_armed(
    acting: FilePlatform, database: Database, run: Path
) -> None:
    with pytest.raises(FaultError, match="no node"):
        page.corrupt_page("C", "product_template")
    acting.nodes.kill("B")
    with pytest.raises(FaultError, match="dead"):
        page.corrupt_page("B", "product_template")
    assert database.damaged == {}
    assert not (run / "events.jsonl").exists()


def test_the_null_fault_sees_no_damage_and_says_so_where_there_is(
    database: Database, run: Path
) -> None:
    actions.nothing("primary", "page-corruption", table="product_template", within_s=0.05)
    assert marks(run) == [MarkName.NO_EFFECT]
    database.corrupt_page("A", "another_table")
    actions.nothing("primary", "page-corruption", table="product_template", within_s=0.05)
    database.corrupt_page("A", "product_template")
    with pytest.raises(FaultError, match="breaks nothing"):
        actions.nothing("primary", "page-corruption", table="product_template", within_s=0.05)
