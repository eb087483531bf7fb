"""Run directories that an accident or a person has been at: a typed error or an unchanged verdict.

Nothing passes: a run that was not met never becomes met, and one that was changed is never intact.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import VALUES, damaged

from harness.commands.rendering import render_all
from harness.core.verdict import Verdict
from harness.errors import PeakdrillError
from harness.evidence import layout, seal, signing
from harness.evidence.findings import State
from harness.evidence.load import load_record
from harness.evidence.verify import verify
from tests.evidence.stored_run import store

OFTEN = settings(
    max_examples=int(os.environ.get("PEAKDRILL_FUZZ", "100")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
JSON = (layout.PLAN, layout.OBSERVATION, layout.SEAL, layout.VERDICT, "readback/first.json")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store(tmp_path_factory.mktemp("sealed"))


def files_of(run: Path) -> list[str]:
    return sorted(p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file())


def copied(sealed: Path, tmp_path: Path, name: str) -> Path:
    shutil.rmtree(tmp_path / name, ignore_errors=True)
    return Path(shutil.copytree(sealed, tmp_path / name))


def judged(run: Path) -> Verdict | None:
    try:
        return load_record(run).judgement.verdict
    except PeakdrillError:
        return None


@OFTEN
@given(data=st.data())
def test_an_accident_in_any_file(data: st.DataObject, sealed: Path, tmp_path: Path) -> None:
    run = copied(sealed, tmp_path, "accident")
    before = judged(sealed)
    name = data.draw(st.sampled_from(files_of(run)))
    (run / name).write_bytes(data.draw(damaged((run / name).read_bytes())))
    after = judged(run)
    assert after in (None, before), f"{name}: {before} became {after}"
    try:
        found = verify(run, keys=(), render=render_all)
    except PeakdrillError:
        return
    assert found.state is not State.INTACT


@OFTEN
@given(data=st.data())
def test_an_accident_in_what_was_never_sealed(
    data: st.DataObject, sealed: Path, tmp_path: Path
) -> None:
    """A harness that died left no seal: whatever lies there, it is no pass."""
    run = copied(sealed, tmp_path, "unsealed")
    (run / layout.SEAL).unlink()
    (run / layout.VERDICT).unlink(missing_ok=True)
    name = data.draw(st.sampled_from(files_of(run)))
    (run / name).write_bytes(data.draw(damaged((run / name).read_bytes())))
    assert judged(run) is not Verdict.MET


@OFTEN
@given(data=st.data())
def test_a_file_that_is_gone_or_another(data: st.DataObject, sealed: Path, tmp_path: Path) -> None:
    run = copied(sealed, tmp_path, "gone")
    before = judged(sealed)
    names = files_of(run)
    name, other = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    how = data.draw(st.sampled_from(["gone", "empty", "other", "folder", "loop"]))
    target = run / name
    content = (run / other).read_bytes()
    target.unlink()
    if how == "empty":
        target.write_bytes(b"")
    elif how == "other":
        target.write_bytes(content)
    elif how == "folder":
        target.mkdir()
    elif how == "loop":
        target.symlink_to(target)
    without_seal = Verdict.INVALID if name == layout.SEAL else before
    assert judged(run) in (None, before, without_seal)


@OFTEN
@given(data=st.data())
def test_a_document_of_the_run_says_something_else(
    data: st.DataObject, sealed: Path, tmp_path: Path
) -> None:
    """Sealed again by whoever changed it: what is read is a typed error or a judged value."""
    run = copied(sealed, tmp_path, "told")
    there = [name for name in JSON if (run / name).exists()]
    name = data.draw(st.sampled_from(there))
    value = json.loads((run / name).read_bytes())
    key = data.draw(st.sampled_from(sorted(value)))
    value[key] = data.draw(VALUES)
    (run / name).write_text(json.dumps(value), encoding="utf-8")
    if name != layout.SEAL:
        (run / layout.SEAL).unlink()
        seal.seal(run)
    judged(run)


@pytest.mark.parametrize("deep", [b"[" * 20_000, b'{"a":' * 20_000, b'{"x": ' + b"[" * 20_000])
def test_what_is_nested_too_deep_is_damage(deep: bytes, made: Path, tmp_path: Path) -> None:
    """In every file of a signed run, sealed again where it is sealed: damage, and no crash."""
    for name in files_of(made):
        run = copied(made, tmp_path, made.name)
        (run / name).write_bytes(deep)
        if name != layout.SEAL and not name.startswith(layout.SIGNED):
            (run / layout.SEAL).unlink()
            seal.seal(run)
        judged(run)
        try:
            found = verify(run, keys=(), render=render_all)
        except PeakdrillError:
            continue
        assert found.state is not State.INTACT, name


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed run."""
    out = tmp_path_factory.mktemp("signed")
    return store(out, notary=signing.ready(out))
