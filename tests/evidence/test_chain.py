"""The chain: two writers never fork it, a torn line is nothing, and every break is named."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.commands.rendering import render_all
from harness.errors import DamagedEvidence, PeakdrillError, Refused
from harness.evidence import canonical, chain, envelope, layout, signing, statement, walk
from harness.evidence.chain import Entry
from harness.evidence.findings import State, Verified
from harness.evidence.statement import Link, RunClaim, SignedBy, Statement
from harness.evidence.verify import verify
from tests.evidence.stored_run import flipped, store
from tests.evidence.test_envelope import MINE, OTHER

FIRST, SECOND = "20261122T030000Z0001", "20261122T040000Z0002"
WRITER = """
import sys
from pathlib import Path
from harness.evidence import chain
from tests.evidence.test_chain import signed
for number in range(int(sys.argv[3])):
    chain.append(Path(sys.argv[1]), lambda link: signed(f"{sys.argv[2]}-{number}", link))
"""


def signed(run_id: str, link: Link, who=MINE) -> tuple[str, bytes, bytes]:
    claim = RunClaim(
        run_id, "node-loss", "peakdrill", "v1", "met", "2026-11-22T03:00:00Z",
        "2026-11-22T03:05:00Z", False, "0" * 64, SignedBy(who.public.key_id, False), link,
    )  # fmt: skip
    payload = Statement({"plan.json": "0" * 64}, claim).dumps()
    return run_id, envelope.seal(payload, statement.PAYLOAD_TYPE, who), who.public.pem()


def grown(store_: Path, *names: str) -> list[Entry]:
    store_.mkdir(exist_ok=True)
    return [chain.append(store_, lambda link, n=name: signed(n, link)) for name in names]


def rewritten(store_: Path, entries: list[Entry]) -> None:
    body = b"".join(canonical.dumps(entry) for entry in entries)
    (store_ / layout.CHAIN).write_bytes(body)


def breaks(store_: Path) -> list[tuple[str, str]]:
    return [(p.name, p.what) for p in walk.links(chain.read(store_))]


def test_each_link_names_the_envelope_before_it(tmp_path: Path) -> None:
    one, two, three = grown(tmp_path, "a", "b", "c")
    assert one.statement().claim.link == Link(1, "", "")
    digest = hashlib.sha256(two.envelope.encode()).hexdigest()
    assert three.statement().claim.link == Link(3, "b", digest)
    assert chain.read(tmp_path) == (one, two, three)
    assert breaks(tmp_path) == []


def test_writers_at_once_stand_one_after_the_other(tmp_path: Path) -> None:
    """Four processes, 25 links each: one chain, nobody lost, nobody's link twice."""
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, name, "25"])
        for name in ("a", "b", "c", "d")
    ]
    assert [one.wait(120) for one in started] == [0, 0, 0, 0]
    entries = chain.read(tmp_path)
    assert [entry.sequence for entry in entries] == list(range(1, 101))
    assert {entry.run_id for entry in entries} == {f"{w}-{n}" for w in "abcd" for n in range(25)}
    assert breaks(tmp_path) == []


def test_a_killed_writer_s_line_is_cut_off_at_any_byte(tmp_path: Path) -> None:
    grown(tmp_path, "a", "b")
    file = tmp_path / layout.CHAIN
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole), 97):
        file.write_bytes(whole[:end])
        assert [e.run_id for e in chain.read(tmp_path)] == ["a"]
        grown(tmp_path, "c")
        assert [e.run_id for e in chain.read(tmp_path)] == ["a", "c"]
        assert breaks(tmp_path) == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_changed_byte_of_a_chain_is_named_or_cuts_off_its_end(data, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("chain")
    grown(folder, "a", "b", "c")
    file = folder / layout.CHAIN
    body = file.read_bytes()
    at = data.draw(st.integers(0, len(body) - 1))
    line = body[:at].count(b"\n") + 1
    with flipped(file, at, data.draw(st.integers(0, 7))):
        told, entries = read_or_told(folder)
        assert f":{line}:" in told or at == len(body) - 1 or list(walk.links(entries))
        assert told or len(entries) == (2 if at == len(body) - 1 else 3)


def read_or_told(folder: Path) -> tuple[str, tuple[Entry, ...]]:
    try:
        return "", chain.read(folder)
    except DamagedEvidence as error:
        return error.what, ()


def test_a_link_taken_out_put_elsewhere_or_forked_is_named(tmp_path: Path) -> None:
    one, two, three = grown(tmp_path, "a", "b", "c")
    rewritten(tmp_path, [one, three])
    assert breaks(tmp_path) == [("c", "the run before it is missing from the chain: b")]
    rewritten(tmp_path, [one, three, two])
    assert ("c", "out of its order: link 3 stands at 2") in breaks(tmp_path)
    run_id, body, pem = signed("x", Link(3, "b", two.envelope_sha256))
    twin = Entry(3, run_id, hashlib.sha256(body).hexdigest(), body.decode(), pem.decode())
    rewritten(tmp_path, [one, two, three, twin])
    assert ("x", "forked: c is link 3 too") in breaks(tmp_path)
    rewritten(tmp_path, [one, two, two])
    assert any("twice" in what for _, what in breaks(tmp_path))


def test_an_altered_line_is_named_though_its_digest_was_made_to_fit(tmp_path: Path) -> None:
    one, two, _ = grown(tmp_path, "a", "b", "c")
    rewritten(tmp_path, [one, replace(two, run_id="z")])
    assert breaks(tmp_path) == [("z", "its line in the chain is not what was signed")]
    forged = two.envelope.replace(two.envelope[30], "A" if two.envelope[30] != "A" else "B", 1)
    digest = hashlib.sha256(forged.encode()).hexdigest()
    rewritten(tmp_path, [one, replace(two, envelope=forged, envelope_sha256=digest)])
    assert breaks(tmp_path)[0][1].startswith("its envelope in the chain was altered")
    rewritten(tmp_path, [one, replace(two, key=OTHER.public.pem().decode())])
    assert breaks(tmp_path)[0][1].startswith("its envelope in the chain was altered")


def test_a_chain_that_cannot_be_continued_is_told_before_a_drill(tmp_path: Path) -> None:
    grown(tmp_path, "a", "b")
    file = tmp_path / layout.CHAIN
    with flipped(file, 30, 0), pytest.raises(Refused, match="begins a new chain"):
        signing.ready(tmp_path)
    with flipped(file, file.stat().st_size - 30, 0), pytest.raises(DamagedEvidence):
        grown(tmp_path, "c")
    assert len(chain.read(tmp_path)) == 2
    assert signing.ready(tmp_path).store == tmp_path


def test_what_a_signer_raises_leaves_the_chain_as_it_was(tmp_path: Path) -> None:
    grown(tmp_path, "a")
    before = (tmp_path / layout.CHAIN).read_bytes()

    def fails(link: Link) -> tuple[str, bytes, bytes]:
        raise PeakdrillError(f"no key for {link.sequence}")

    with pytest.raises(PeakdrillError, match="no key for 2"):
        chain.append(tmp_path, fails)
    assert (tmp_path / layout.CHAIN).read_bytes() == before
    with pytest.raises(PeakdrillError, match="cannot be written"):
        chain.append(tmp_path / "nowhere", lambda link: signed("a", link))


def look(run: Path, store_: Path) -> Verified:
    return verify(run, chain=store_, render=render_all)


def named(found: Verified) -> set[str]:
    return {problem.name for problem in found.problems}


def test_the_predecessors_are_walked_and_verified(runs: Path, run: Path) -> None:
    found = look(run, runs)
    assert (found.state, found.notes[-1]) == (
        State.INTACT, "1 runs before it in the chain were verified too",
    )  # fmt: skip
    assert look(run, runs / layout.CHAIN).state is State.INTACT
    with flipped(runs / FIRST / layout.VERDICT, 20, 0):
        assert named(look(run, runs)) == {f"{FIRST}/{layout.VERDICT}"}
        assert look(runs / SECOND, runs).exit_code == 4
    with flipped(runs / FIRST / layout.RUN_ENVELOPE, 20, 0):
        assert FIRST in named(look(run, runs))
    shutil.rmtree(runs / FIRST)
    (problem,) = look(run, runs).problems
    assert (problem.name, problem.what) == (FIRST, "missing")


def test_a_run_that_its_chain_does_not_know_is_named(runs: Path, run: Path, tmp_path) -> None:
    """Re-signed by whoever: alone it holds, and the chain tells."""
    other = tmp_path / "other"
    shutil.copytree(run, other / SECOND)
    for name in (layout.RUN_ENVELOPE, layout.RUN_KEY, layout.REPORTS_ENVELOPE, layout.REPORTS_KEY):
        (other / SECOND / name).unlink()
    notary = signing.ready(other)  # the installation's own key, a chain of its own
    signing.sign_run(other / SECOND, notary, signed_utc="2026-11-22T05:00:00Z")
    signing.sign_reports(other / SECOND, notary.signer, signed_utc="2026-11-22T05:00:00Z")
    assert verify(other / SECOND, render=render_all).state is State.INTACT
    (problem,) = look(other / SECOND, runs).problems
    assert problem.what == "the chain holds another envelope of it"
    shutil.copytree(other / SECOND, runs / "second")
    assert named(look(runs / FIRST, runs)) == {"second"}


def test_a_cut_off_end_and_a_cut_off_beginning_show(runs: Path, run: Path) -> None:
    one, two = chain.read(runs)
    rewritten(runs, [one])
    assert named(look(runs / FIRST, runs)) == {SECOND}
    assert named(look(run, runs)) == {SECOND}
    rewritten(runs, [two])
    assert named(look(run, runs)) == {FIRST}
    shutil.rmtree(runs / FIRST)
    found = look(run, runs)
    assert (found.state, found.exit_code) == (State.INCOMPLETE, 3)
    assert "begins with link 2" in found.notes[-1]
    (runs / layout.CHAIN).unlink()
    with pytest.raises(Refused, match="there is no chain"):
        look(run, runs)


def test_an_unsigned_run_that_the_chain_knows_was_stripped(runs: Path, run: Path, tmp_path) -> None:
    old = store(tmp_path / "old", "20261121T000000Z0009")
    assert look(old, runs).state is State.UNSIGNED
    shutil.rmtree(run / layout.SIGNED)
    assert verify(run, render=render_all).state is State.UNSIGNED
    (problem,) = look(run, runs).problems
    assert (problem.name, problem.what) == (SECOND, "the chain holds another envelope of it")


def test_a_chain_is_what_auditors_read_with_any_tool(runs: Path) -> None:
    for line in (runs / layout.CHAIN).read_text().splitlines():
        told = json.loads(line)
        assert hashlib.sha256(told["envelope"].encode()).hexdigest() == told["envelope_sha256"]
        assert (runs / told["run_id"] / layout.RUN_ENVELOPE).read_text() == told["envelope"]
