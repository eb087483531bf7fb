"""What was preserved is looked at again at the end, and a look that was not whole shows nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from harness.core.proofs import Proof
from harness.core.targets import Targets
from harness.evidence import layout, lines
from harness.inspection import forensics
from harness.inspection.scene import Scene
from harness.platforms.embedded.clean_room import EmbeddedCleanRoom
from harness.recovery.clean_room import MANIFEST
from harness.recovery.facts import Course
from harness.recovery.ground import Ground


def preserved(root: Path) -> Path:
    """One file of the old environment, and the manifest that names it."""
    file = root / "nodes" / "a" / "pgdata" / "base"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"as the intruder left it")
    manifest = root / MANIFEST
    manifest.parent.mkdir()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest.write_text(f"{digest}  nodes/a/pgdata/base\n")
    return file


def looked_at(root: Path) -> Proof:
    room = EmbeddedCleanRoom(root)
    platform = cast(Any, SimpleNamespace(directory=root, clean_room=room))
    forensics.is_kept(Scene(platform, root, "r1", cast(Any, None), Targets(()), ""))
    (proof,) = lines.read_lines(root / layout.PROOFS, Proof)
    return proof


def test_what_is_as_it_was_preserved_is_kept(tmp_path: Path) -> None:
    preserved(tmp_path)
    assert looked_at(tmp_path).ok is True


@pytest.mark.parametrize("gone", [True, False])
def test_what_was_changed_or_removed_afterwards_is_named(tmp_path: Path, gone: bool) -> None:
    file = preserved(tmp_path)
    file.unlink() if gone else file.write_bytes(b"tidied up")
    proof = looked_at(tmp_path)
    assert proof.ok is False
    assert "nodes/a/pgdata/base" in proof.told


def test_without_a_manifest_or_with_an_empty_one_nothing_was_shown(tmp_path: Path) -> None:
    manifest = tmp_path / MANIFEST
    manifest.parent.mkdir()
    manifest.touch()
    assert looked_at(tmp_path).ok is None
    manifest.unlink()
    (tmp_path / layout.PROOFS).unlink()
    assert looked_at(tmp_path).ok is None


@pytest.mark.parametrize("complete", [True, False])
def test_a_look_that_was_not_whole_was_no_look(tmp_path: Path, complete: bool) -> None:
    ground = Ground.of(cast(Any, None), Course("x", "r1", str(tmp_path), {}, Targets(())))
    assert ground.looked("restored") is None  # never taken
    folder = tmp_path / layout.READBACK
    folder.mkdir()
    np.save(folder / "restored.npy", np.zeros(3))
    (folder / "restored.json").write_text(json.dumps({"complete": complete}))
    assert ground.looked("restored") == ("3 records read back" if complete else None)
