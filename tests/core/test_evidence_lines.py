"""Evidence by the line: what was told is read again, what a kill tore is left out, damage is named."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.evidence import Use
from harness.core.proofs import Proof, StepRecord
from harness.errors import DamagedEvidence
from harness.evidence import canonical, layout, lines

PROOF = Proof("nothing-corrupt", "node", "node a", True, "node a: 0 corrupt pages of 214", 17)
STEP = StepRecord("rotate", "close", "Close", "", "on call", 10, 20, True, "closed")
USE = Use("database-role", 5, 9, False, "denied: 28P01")


def test_what_was_told_is_read_again_in_its_order(tmp_path: Path) -> None:
    told = (PROOF, replace(PROOF, ok=None, told="zeile\n2 \u202e"), replace(PROOF, ok=False))
    for proof in told:
        lines.append_proof(tmp_path, proof)
    lines.append_step(tmp_path, STEP)
    assert lines.read_lines(tmp_path / layout.PROOFS, Proof) == told
    assert lines.read_lines(tmp_path / layout.STEPS, StepRecord) == (STEP,)
    assert lines.read_lines(tmp_path / layout.USES, Use) == ()


@settings(deadline=None, derandomize=True, max_examples=60)
@given(data=st.data())
def test_a_writer_killed_at_any_byte_loses_only_what_it_had_not_finished(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = tmp_path_factory.mktemp("run")
    told = [replace(PROOF, seen_ns=n) for n in range(3)]
    for proof in told:
        lines.append_proof(run, proof)
    file = run / layout.PROOFS
    whole = file.read_bytes()
    kept = data.draw(st.integers(0, len(whole)))
    file.write_bytes(whole[:kept])
    finished = whole[:kept].count(b"\n")
    assert lines.read_lines(file, Proof) == tuple(told[:finished])
    later = replace(PROOF, subject="node b")
    lines.append_proof(run, later)
    assert lines.read_lines(file, Proof) == (*told[:finished], later)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ok": "yes"}, "line 2: ok: "),
        ({"seen_ns": 1.5}, "line 2: seen_ns: "),
        ({"extra": 1}, "line 2: the keys must be check, kind"),
        ({"told": None}, "line 2: told: "),
    ],
)
def test_a_changed_line_is_damage_with_its_place(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    lines.append_proof(tmp_path, PROOF)
    file = tmp_path / layout.PROOFS
    file.write_bytes(file.read_bytes() + canonical.dumps(asdict(PROOF) | change))
    with pytest.raises(DamagedEvidence, match=r"recovery/proofs\.jsonl: ") as caught:
        lines.read_lines(file, Proof)
    assert said in caught.value.what


@pytest.mark.parametrize("line", [b"", b"[]", b"\xff\xfe", b'{"check": "x"', b"[" * 100_000])
def test_a_line_that_is_no_object_is_damage(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "uses.jsonl"
    file.write_bytes(line + b"\n")
    with pytest.raises(DamagedEvidence, match="line 1"):
        lines.read_lines(file, Use)


def test_a_try_that_ends_before_it_begins_is_damage(tmp_path: Path) -> None:
    file = tmp_path / "uses.jsonl"
    file.write_bytes(canonical.dumps(USE) + canonical.dumps(replace(USE, done_ns=1)))
    with pytest.raises(DamagedEvidence, match="line 2: it ends before it begins"):
        lines.read_lines(file, Use)


def test_a_file_that_cannot_be_read_is_damage_by_name(tmp_path: Path) -> None:
    (tmp_path / layout.USES).mkdir(parents=True)
    with pytest.raises(DamagedEvidence, match=r"attack/uses\.jsonl: cannot be read"):
        lines.read_lines(tmp_path / layout.USES, Use)
