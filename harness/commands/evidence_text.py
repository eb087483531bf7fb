"""What `peakdrill verify` prints: the answer, every file that does not hold, the proof."""

from __future__ import annotations

from harness.commands.rendering import clean
from harness.evidence.findings import State, Verified


def text_of(found: Verified) -> str:
    lines = [first_line(found)]
    lines += [f"  {clean(p.name)}: {clean(p.what)}" for p in found.problems]
    lines += [f"  left out: {clean(name)}" for name in found.left_out]
    lines += [f"  {label:<9}{clean(told)}" for label, told in _proof(found) if told]
    return "\n".join(lines)


def first_line(found: Verified) -> str:
    """Can this run be believed? With the reason, on one line."""
    name = clean(found.directory)
    if found.state is State.DAMAGED:
        many = len(found.problems)
        things = "1 thing is" if many == 1 else f"{many} things are"
        return f"damaged: {name}: {things} not what was signed; this run proves nothing"
    what = f"{clean(found.scenario)} was {found.verdict}" if found.verdict else "not recomputed"
    if found.state is State.UNSIGNED:
        return f"unsigned: {name}: {what}; it agrees with itself, and nobody signed it"
    if found.left_out:
        left = len(found.left_out)
        return (
            f"incomplete: {name}: as it was signed, as far as it goes; {left} files were left out, "
            "so that the verdict was not recomputed"
        )
    if found.state is State.INCOMPLETE:
        return f"incomplete: {name}: {what}; as it was signed, but not all of its chain is here"
    trust = "" if found.vouched else "; nobody vouched for who signed it"
    return f"intact: {name}: {what}; every byte and every number is as it was signed{trust}"


def _proof(found: Verified) -> list[tuple[str, str]]:
    told = [("files", str(found.files))]
    if found.signer is not None:
        kind = "self-signed by" if found.signer.self_signed else "signed by"
        vouched = "which you trust" if found.vouched else "which nobody vouched for"
        told.append(("key", f"{kind} key {found.signer.key_id}, {vouched}"))
        late = ", long after the run: nothing vouches for the time before"
        told.append(("signed", found.signed_utc + (late if found.signed_late else "")))
        told.append(("envelope", found.envelope_sha256))
        told.append(("link", found.link))
    if found.state is State.UNSIGNED:
        told.append(("next", f"peakdrill evidence seal {found.directory}"))
    return told + [("note", note) for note in found.notes]
