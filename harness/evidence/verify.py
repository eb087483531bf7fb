"""`peakdrill verify`: is a run directory what was signed, and does it say what the run says?

Needs nothing but the directory. First the bytes: every file against the signed digests, the
signatures, the link of the chain. Then, if no byte is wrong, every number: the verdict is judged
again from the evidence, and the reports are rendered again. Writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from harness.core.record import RunRecord
from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical, layout, left_out
from harness.evidence.compare import differences
from harness.evidence.findings import NO_REPORT, Problem, State, Verified
from harness.evidence.keys import PublicKey, trusted_keys
from harness.evidence.manifest import Listing, build_digest, listing
from harness.evidence.numbers import Numbers, numbers
from harness.evidence.seal import Seal
from harness.evidence.statement import Claim, Link, ReportsClaim, RunClaim, Statement, opened_by
from harness.evidence.walk import walked

Render = Callable[[RunRecord, frozenset[str]], Mapping[str, str]]
"""All reports of a record, by file name, with the skips that were allowed."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass
class _Look:
    """What has been found so far."""

    told: Listing
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: tuple[str, ...] = ()

    def wrong(self, name: str, what: str) -> None:
        self.problems.append(Problem(name, what))


def verify(
    directory: Path,
    *,
    chain: Path | None = None,
    keys: Sequence[PublicKey] | None = None,
    render: Render | None = None,
) -> Verified:
    """Everything that one directory can prove, and with `chain` what its store can.

    `keys` are those whom the reader trusts (None: PEAKDRILL_TRUSTED_KEYS). With any, a signature
    by another is damage; without, it is told that nobody vouched. Raises Refused: no run there.
    """
    if not any((directory / name).exists() for name in (layout.PLAN, layout.RUN_ENVELOPE)):
        raise Refused(
            f"there is no run in {directory}: {layout.PLAN} is missing",
            next_step="name a run directory, such as the last line of `peakdrill run` prints",
        )
    trusted = trusted_keys() if keys is None else tuple(keys)
    look = _Look(listing(directory))
    look.problems += [Problem(name, why) for name, why in look.told.refused.items()]
    if not any(name in look.told.files for name in layout.SIGNATURES):
        found = _unsigned(directory, look)
    else:
        found = _signed(directory, look, trusted, render)
    if chain is None:
        return found
    walk = walked(chain, found, partial(verify, keys=trusted, render=render))
    problems = (*found.problems, *walk.problems)
    state = State.DAMAGED if problems else found.state
    if state is State.INTACT and not walk.whole:
        state = State.INCOMPLETE
    return replace(found, state=state, problems=problems, notes=(*found.notes, *walk.notes))


def _signed(
    directory: Path, look: _Look, trusted: Sequence[PublicKey], render: Render | None
) -> Verified:
    run = _opened(directory, look, layout.RUN_ENVELOPE, layout.RUN_KEY, RunClaim)
    _compare_run(directory, look, run[0] if run else None)
    reports = _reports(directory, look)
    for name, opened in ((layout.RUN_ENVELOPE, run), (layout.REPORTS_ENVELOPE, reports)):
        if opened and trusted and not _vouched(opened[1], trusted):
            look.wrong(name, f"signed by key {opened[1].key_id}, which is none of the trusted")
    if run and reports and run[1].raw != reports[1].raw:
        look.notes.append(f"the reports are signed by another key: {reports[1].key_id}")
        if not _vouched(reports[1], trusted) and reports[0].claim.build != build_digest():
            # only the build that wrote them could say whether these are the words of the run
            told = "signed by another key than the run's, of reports by another build"
            look.wrong(layout.REPORTS_ENVELOPE, f"{told}: nobody vouches for their words")
    counted = None
    if run and not look.problems and not look.left_out:
        counted = numbers(directory, run[0], reports[0] if reports else None, render)
        look.problems += counted.problems
        look.notes += counted.notes
    return _verified(directory, look, run, counted, trusted)


def _unsigned(directory: Path, look: _Look) -> Verified:
    """A run of before there were signatures: its seal and its verdict must hold all the same."""
    counted = None
    if not look.problems:
        counted = numbers(directory, None, None, None)
        look.problems += counted.problems
    state = State.DAMAGED if look.problems else State.UNSIGNED
    found = Verified(directory.name, state, tuple(sorted(look.problems)))
    return _judged(replace(found, files=len(look.told.files)), counted)


def _verified(
    directory: Path,
    look: _Look,
    run: tuple[Statement[RunClaim], PublicKey] | None,
    counted: Numbers | None,
    trusted: Sequence[PublicKey],
) -> Verified:
    whole = State.INCOMPLETE if look.left_out else State.INTACT
    found = Verified(
        directory=directory.name,
        state=State.DAMAGED if look.problems else whole,
        problems=tuple(sorted(set(look.problems))),
        files=len(look.told.files),
        left_out=look.left_out,
        notes=tuple(look.notes),
        envelope_sha256=look.told.files.get(layout.RUN_ENVELOPE, ""),
    )
    if run is None:
        return found
    claim = run[0].claim
    found = replace(
        found,
        run_id=claim.run_id,
        scenario=claim.scenario,
        signer=replace(run[1], self_signed=claim.signer.self_signed),
        vouched=_vouched(run[1], trusted),
        signed_utc=claim.signed_utc,
        signed_late=claim.signed_late,
        link=_link_text(claim.link),
    )
    return _judged(found, counted)


def _judged(found: Verified, counted: Numbers | None) -> Verified:
    """With the verdict of today, where the evidence gave one."""
    if counted is None or counted.judgement is None:
        return found
    told = counted.judgement
    return replace(found, run_id=told.run_id, scenario=told.scenario, verdict=told.verdict)


def _vouched(key: PublicKey, trusted: Sequence[PublicKey]) -> bool:
    return any(key.raw == one.raw for one in trusted)


def _opened(
    directory: Path, look: _Look, name: str, key_name: str, kind: type[Claim]
) -> tuple[Statement[Claim], PublicKey] | None:
    """The statement of an envelope; what is wrong with it, or with its key, is named."""
    for needed in (name, key_name):
        if needed not in look.told.files:
            if needed not in look.told.refused:
                look.wrong(needed, "missing")
            return None
    envelope, key = (directory / name).read_bytes(), (directory / key_name).read_bytes()
    try:
        return opened_by(envelope, key, kind)
    except DamagedEvidence as error:
        for blamed in _blamed(name, key_name, envelope, key):
            look.wrong(blamed, f"changed: {error.what}")
        return None


def _blamed(name: str, key_name: str, envelope: bytes, key: bytes) -> Iterator[str]:
    """Envelope or key? The id that the envelope names tells, unless it is what was changed."""
    from harness.evidence.envelope import unchecked
    from harness.evidence.keys import public_from

    try:
        claimed = unchecked(envelope).key_id
    except DamagedEvidence:
        yield name
        return
    try:
        read = public_from(key, key_name)
    except Refused:
        yield key_name
        return
    if read.pem() != key:
        yield key_name
    elif read.key_id == claimed:
        yield name
    else:  # one of the two was changed, and nothing here says which
        yield from (name, key_name)


def _compare_run(directory: Path, look: _Look, run: Statement[RunClaim] | None) -> None:
    found = look.told.of_the_run()
    if run is None:  # the seal still names what else was changed
        if layout.SEAL in found:
            look.problems += _by_the_seal(directory, found)
        return
    try:
        named = left_out.read(directory) if layout.LEFT_OUT in look.told.files else ()
    except DamagedEvidence as error:
        named = ()
        look.wrong(layout.LEFT_OUT, f"changed: {error.what}")
    absent = set()
    for problem in differences(run.subjects, found):
        if problem.what == "missing" and problem.name in named:
            absent.add(problem.name)
        elif problem.name not in look.told.refused:
            look.problems.append(problem)
    for name in sorted(set(named) - absent):
        look.wrong(layout.LEFT_OUT, f"it names {name}, which was not left out")
    look.left_out = tuple(sorted(absent))
    if not _is_link(run.claim.link):
        look.wrong(layout.RUN_ENVELOPE, "it has no link of a chain")


def _by_the_seal(directory: Path, found: Mapping[str, str]) -> list[Problem]:
    try:
        sealed = canonical.loads(Seal, directory / layout.SEAL).files
    except DamagedEvidence:
        return [Problem(layout.SEAL, "missing, or changed")]
    evidence = {n: d for n, d in found.items() if n not in {layout.SEAL, layout.VERDICT}}
    return list(differences(sealed, evidence))


def _reports(directory: Path, look: _Look) -> tuple[Statement[ReportsClaim], PublicKey] | None:
    """The reports' statement, after its files were compared with it."""
    files = look.told.of_the_reports()
    signatures = (layout.REPORTS_ENVELOPE, layout.REPORTS_KEY)
    if not any(name in look.told.files for name in signatures):
        for name in files:
            look.wrong(name, "no signature covers it; peakdrill evidence seal signs it")
        if not files:
            look.notes.append(NO_REPORT)
        return None
    opened = _opened(directory, look, *signatures, ReportsClaim)
    if opened is None:
        return None
    look.problems += [p for p in differences(opened[0].subjects, files) if _seen(look, p)]
    if opened[0].claim.run_envelope_sha256 != look.told.files.get(layout.RUN_ENVELOPE):
        look.wrong(layout.REPORTS_ENVELOPE, "it belongs to another envelope of the run")
    return opened


def _seen(look: _Look, problem: Problem) -> bool:
    return problem.name not in look.told.refused


def _is_link(link: Link) -> bool:
    first = link.sequence == 1
    known = bool(link.previous_run_id) and bool(_SHA256.fullmatch(link.previous_sha256))
    nothing = not link.previous_run_id and not link.previous_sha256
    return link.sequence >= 1 and (nothing if first else known)


def _link_text(link: Link) -> str:
    if link.sequence == 1:
        return "link 1 of its chain, the first"
    return f"link {link.sequence} of its chain, after {link.previous_run_id}"
