"""What two environments of containers have in common: seen, or nothing is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.errors import PlatformError
from harness.platforms.containers import in_common, names, secret_files, state
from harness.platforms.embedded import credentials
from harness.platforms.embedded.layout import Layout

type_seen = dict[tuple[str, str], Any]  # (environment, part) -> as `docker inspect` has it


@pytest.fixture
def old(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "containers" / "x1")
    state.make(layout)
    secret_files.write_all(layout, credentials.generate(layout))
    return layout


@pytest.fixture
def new(old: Layout) -> Layout:
    layout = Layout(old.root, "clean-1")
    for folder in (layout.secrets, state.mounted(layout)):
        folder.mkdir(parents=True)
    secret_files.write_all(layout, credentials.generate(layout))
    return layout


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> type_seen:
    """Every container of both, each environment on a network of its own."""
    inside = [name for name in names.ALL if name not in names.OUTSIDE]
    made = {("", name): told("", name, running=False) for name in inside}
    made |= {("clean-1", name): told("clean-1", name) for name in names.ALL}

    def look(layout: Layout, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = made.get((layout.environment, name), {})
        return found

    monkeypatch.setattr(in_common, "_told", look)
    return made


def told(environment: str, name: str, *, running: bool = True) -> dict[str, Any]:
    return {
        "State": {"Running": running},
        "Mounts": [{"Name": f"volume-{environment}-{name}"}],
        "NetworkSettings": {"Networks": {names.network("x1", environment): {}}},
    }


def test_two_that_share_nothing(old: Layout, new: Layout, seen: type_seen) -> None:
    assert len(seen) > len(names.ALL)
    assert in_common.between(old, new) == ()


def test_each_thing_in_common_is_told(old: Layout, new: Layout, seen: type_seen) -> None:
    seen["", "database-0"]["State"]["Running"] = True
    seen["clean-1", "database-1"]["Mounts"] = seen["", "database-1"]["Mounts"]
    seen["clean-1", "store"]["NetworkSettings"] = seen["", "database-1"]["NetworkSettings"]
    word = (secret_files.folder(old, "database") / "shop").read_text()
    secret_files.write(secret_files.folder(new, "database") / "shop", word)
    sentences = in_common.between(old, new)
    assert "database-0 of the old environment runs" in sentences
    assert "volume volume--database-1, of database-1" in sentences
    assert "store is on the old environment's network still" in sentences
    assert "the mounted secret database/shop" in sentences


@pytest.mark.parametrize(
    ("which", "gone"),
    [
        ("old", ("", "database-0")),
        ("new", ("clean-1", "database-1")),
        ("new", ("clean-1", "store")),
    ],
)
def test_what_is_not_there_was_not_compared(
    old: Layout, new: Layout, seen: type_seen, which: str, gone: tuple[str, str]
) -> None:
    """One whose volumes nobody can name any more may share them."""
    del seen[gone]
    with pytest.raises(PlatformError, match=f"{gone[1]} of the {which} environment is not there"):
        in_common.between(old, new)


def test_secrets_that_cannot_be_read_are_not_other_ones(
    old: Layout, new: Layout, seen: type_seen
) -> None:
    assert seen
    for file in state.mounted(old).glob("*/*"):
        if file.parent.name not in names.OUTSIDE:
            file.unlink()
    with pytest.raises(PlatformError, match="no secret of the old environment is mounted"):
        in_common.between(old, new)
