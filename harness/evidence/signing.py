"""Sign a judged run, then its reports: what happens after the verdict, and what is asked before.

Whether a key can be read and the chain be continued is asked before anything is broken (`ready`).
The run is signed as soon as its verdict is there, whatever becomes of the reports; they are signed
by themselves, for they may be rendered again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.core.verdict import Judgement
from harness.errors import DamagedEvidence, PeakdrillError, Refused
from harness.evidence import canonical, chain, envelope, layout, statement
from harness.evidence.files import write_whole
from harness.evidence.keys import Signer, signer
from harness.evidence.manifest import build_digest, listing
from harness.evidence.rundir import Head
from harness.evidence.seal import digest_of
from harness.evidence.statement import Link, ReportsClaim, RunClaim, SignedBy, Statement

TOOL = f"peakdrill {__version__}"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Notary:
    """Who signs in one store: the folder that holds the runs."""

    signer: Signer
    store: Path

    def signed_by(self) -> SignedBy:
        public = self.signer.public
        return SignedBy(public.key_id, public.self_signed)


def ready(store: Path) -> Notary:
    """The notary of a store, when it can sign. Raises Refused while nothing has been touched."""
    file = store / layout.CHAIN
    try:
        chain.read(store)
    except DamagedEvidence as error:
        raise Refused(error.what, next_step=error.next_step) from error
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        raise Refused(
            f"the chain {file} cannot be written",
            next_step="make it writable, or name another folder with --out",
        )
    return Notary(signer(), store.resolve())


def now_utc() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def signed(directory: Path, notary: Notary, say: Say) -> Iterator[None]:
    """However the drill within ends: where it left a verdict, the run is signed.

    What fails here (a full disk) takes no verdict away: it is told, and the run stays unsigned.
    """
    from harness.interrupts import unbroken

    try:
        yield
    finally:
        with unbroken():
            if (directory / layout.VERDICT).exists():
                with _told(directory, say):
                    sign_run(directory, notary, signed_utc=now_utc())


def sign_rendered(directory: Path, notary: Notary, say: Say) -> None:
    """Sign the reports at a run's end; what fails is told, and takes no verdict away."""
    with _told(directory, say):
        sign_reports(directory, notary.signer, signed_utc=now_utc())


@contextmanager
def _told(directory: Path, say: Say) -> Iterator[None]:
    try:
        yield
    except (PeakdrillError, OSError) as error:
        told = error.what if isinstance(error, PeakdrillError) else str(error)
        say(f"not signed: {told}; next: peakdrill evidence seal {directory}")


def sign_run(directory: Path, notary: Notary, *, signed_utc: str, late: bool = False) -> None:
    """Put the run's envelope and key beside its evidence, and its link into the chain.

    Raises DamagedEvidence where the directory holds what is no evidence.
    """
    told = listing(directory)
    if told.refused:
        wrong = "; ".join(f"{name}: {why}" for name, why in sorted(told.refused.items()))
        raise DamagedEvidence(f"{directory.name}: {wrong}", next_step="remove it, then seal again")
    subjects = told.of_the_run()
    judgement = canonical.loads(Judgement, directory / layout.VERDICT)
    head = canonical.loads(Head, directory / "head.json")
    key = notary.signer.public.pem()

    def sign(link: Link) -> tuple[str, bytes, bytes]:
        claim = RunClaim(
            run_id=judgement.run_id,
            scenario=judgement.scenario,
            tool=TOOL,
            judge=judgement.judge,
            verdict=judgement.verdict.value,
            begun_utc=head.begun_utc,
            signed_utc=signed_utc,
            signed_late=late,
            seal_sha256=digest_of(directory / layout.SEAL),
            signer=notary.signed_by(),
            link=link,
        )
        payload = Statement(subjects, claim).dumps()
        sealed = envelope.seal(payload, statement.PAYLOAD_TYPE, notary.signer)
        return judgement.run_id, sealed, key

    entry = chain.append(notary.store, sign)
    write_run_envelope(directory, entry)


def write_run_envelope(directory: Path, entry: chain.Entry) -> None:
    """The chain has it first: what is torn in between is written again from there."""
    write_whole(directory / layout.RUN_KEY, entry.key.encode())
    write_whole(directory / layout.RUN_ENVELOPE, entry.envelope.encode())


def is_signed(directory: Path) -> bool:
    return (directory / layout.RUN_ENVELOPE).is_file()


def who_signs(directory: Path) -> Signer | None:
    """Who would sign the reports of a run, asked before they are replaced; None where unsigned."""
    return signer() if is_signed(directory) else None


def sign_reports(
    directory: Path, who: Signer, *, signed_utc: str, allow_skip: frozenset[str] = frozenset()
) -> None:
    """Sign what was rendered from a signed run. Reports of an unsigned run stay unsigned."""
    if not is_signed(directory):
        return
    run_envelope = (directory / layout.RUN_ENVELOPE).read_bytes()
    run, _ = statement.opened_by(run_envelope, (directory / layout.RUN_KEY).read_bytes(), RunClaim)
    claim = ReportsClaim(
        run_id=run.claim.run_id,
        run_envelope_sha256=hashlib.sha256(run_envelope).hexdigest(),
        tool=TOOL,
        build=build_digest(),
        allow_skip=tuple(sorted(allow_skip)),
        signed_utc=signed_utc,
        signer=SignedBy(who.public.key_id, who.public.self_signed),
    )
    payload = Statement(listing(directory).of_the_reports(), claim).dumps()
    write_whole(directory / layout.REPORTS_KEY, who.public.pem())
    write_whole(
        directory / layout.REPORTS_ENVELOPE, envelope.seal(payload, statement.PAYLOAD_TYPE, who)
    )
