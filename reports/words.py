"""How figures, durations and verdicts are worded; shared by every renderer."""

from __future__ import annotations

import unicodedata

from harness.core import checks, wording
from harness.core.timeline import MarkName
from harness.core.verdict import Finding, Judgement, Verdict

NS_PER_S = 1_000_000_000

WORD = {
    Verdict.MET: "Met",
    Verdict.MISSED: "Missed",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.INVALID: "Invalid",
    Verdict.ERROR: "Error",
}
MEANING = {
    Verdict.MET: "Every declared objective that was checked was met.",
    Verdict.MISSED: "A declared objective was missed.",
    Verdict.INCONCLUSIVE: "This run cannot say whether the objectives were met. It is not a pass.",
    Verdict.INVALID: "The instrument was not fit to judge: this run says nothing of the platform.",
    Verdict.ERROR: "peakdrill itself failed. This run says nothing of the platform.",
}
SIGN = {
    Verdict.MET: "✓",
    Verdict.MISSED: "✗",
    Verdict.INCONCLUSIVE: "?",
    Verdict.INVALID: "∅",
    Verdict.ERROR: "!",
}
MARK_WORD = {
    MarkName.FAULT_ACTIVE: "fault takes effect",
    MarkName.NO_EFFECT: "no effect observed",
    MarkName.DETECTED: "detected",
    MarkName.DECIDED: "decided",
    MarkName.FAILED_OVER: "failed over",
    MarkName.FAULT_RELEASED: "fault released",
    MarkName.FAULT_HEALED: "lost part is back",
    MarkName.FAULT_SPOILED: "fault spoiled",
    MarkName.UNPROTECTED: "unprotected from here",
    MarkName.RECOVERY_BEGUN: "recovery begins",
    MarkName.INGRESS_CLOSED: "ingress closed",
    MarkName.RESTORED: "data back",
    MarkName.REPLAYED: "calls replayed",
    MarkName.REVOKED: "last class revoked",
    MarkName.APPROVED: "approved",
    MarkName.INGRESS_OPENED: "ingress opened",
    MarkName.RECOVERY_ENDED: "recovery done",
    MarkName.FAILBACK_BEGUN: "way back begins",
    MarkName.FAILBACK_ENDED: "way back done",
    MarkName.PROTECTED: "protected again",
    MarkName.INTERRUPTED: "interrupted",
}
"""The marks that the pictures carry; the table of marks shows all of them."""

_INVISIBLE = {"Cc", "Cs", "Co", "Cn"}
_DIRECTION = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    r"""`text` on one line, without control characters, surrogates and changes of direction.

    A name may come from anybody's file: it must not move a cursor, break a row, or make a
    verdict read backwards.

    >>> clean("a\x1b[31m\n b\u202ec")
    'a[31m bc'
    """
    spaced = "".join(" " if c.isspace() else c for c in text)
    kept = (c for c in spaced if unicodedata.category(c) not in _INVISIBLE and c not in _DIRECTION)
    return " ".join("".join(kept).split())


def headline(judgement: Judgement) -> str:
    """One sentence for the person at 3 a.m.: the judge's first reason, else what it means."""
    return clean(judgement.reasons[0]) if judgement.reasons else MEANING[judgement.verdict]


def other_reasons(judgement: Judgement) -> tuple[str, ...]:
    """What else must be said: not what the headline says, nor what the table of numbers shows.

    The judge has a sentence for every workload; those of workloads that were met, or that an
    unfit run says nothing about, are the table's rows in words. What was met of a recovery by
    runbook has a table of its own, too: one line names it.
    """
    first = headline(judgement)
    telling = {Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.ERROR}
    tabled = tuple(f"{w.workload}: " for w in judgement.workloads if w.verdict not in telling)
    shown = [f for f in judgement.findings if f.check in _SHOWN_APART and f.verdict not in telling]
    apart = {clean(f.reason) for f in shown}
    others = (clean(reason) for reason in judgement.reasons[1:])
    told = tuple(
        text
        for text in others
        if text not in first and text not in apart and not text.startswith(tabled)
    )
    met = dict.fromkeys(f.check for f in shown if f.verdict is Verdict.MET)
    failed = {f.check for f in judgement.findings if f.verdict in telling}
    named = ", ".join(check for check in met if check not in failed)
    return (*told, f"also met: {named}") if named else told


_SHOWN_APART = {"failback", *checks.ALL} - {check.name for check in checks.EVERY_DRILL}


def is_skipped(finding: Finding) -> bool:
    """A capability was lacking: never green, and worded so by the judge."""
    return finding.verdict is Verdict.INCONCLUSIVE and finding.reason.startswith("skipped")


def count(number: int) -> str:
    """Thousands apart.

    >>> count(12345)
    '12,345'
    """
    return f"{number:,}"


def money(cents: int, currency: str) -> str:
    """Exact to the cent.

    >>> money(123456, "EUR")
    'EUR 1,234.56'
    """
    sign = "-" if cents < 0 else ""
    return f"{clean(currency)} {sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def _decimals(value_s: float) -> int:
    size = abs(value_s)
    return 0 if size >= 1000 else 1 if size >= 10 else 2


def figure(value_s: float, decimals: int | None = None) -> str:
    """Seconds without their unit; 60 and not 60.0.

    >>> figure(14.26), figure(0.114), figure(60.0), figure(-0.001)
    ('14.3', '0.11', '60', '0')
    """
    places = _decimals(value_s) if decimals is None else decimals
    text = f"{value_s:,.{places}f}"
    if decimals is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text


def seconds(value_s: float) -> str:
    """With the unit.

    >>> seconds(14.26)
    '14.3 s'
    """
    return f"{figure(value_s)} s"


def milliseconds_or_seconds(value_ms: float) -> str:
    """Latencies.

    >>> milliseconds_or_seconds(250), milliseconds_or_seconds(1500)
    ('250 ms', '1.5 s')
    """
    return f"{value_ms:,.3g} ms" if value_ms < 1000 else seconds(value_ms / 1000)


def span(low_s: float, high_s: float) -> str:
    """An interval; its two ends are never shown as one where they differ.

    >>> span(14.21, 14.9), span(14.21, 14.24), span(0, 0.11), span(3, 3)
    ('14.2 to 14.9 s', '14.21 to 14.24 s', '0 to 0.11 s', '3 s')
    """
    if low_s == high_s:
        return seconds(low_s)
    places = _decimals(high_s)
    low, high = figure(low_s, places), figure(high_s, places)
    while low == high and places < 9:
        places += 1
        low, high = figure(low_s, places), figure(high_s, places)
    return f"{'0' if low_s == 0 else low} to {'0' if high_s == 0 else high} s"


def recovery_span(low_ns: int, high_ns: int | None, *, well_at_end: bool = False) -> str:
    """A recovery time as the judge words it: an interval in tenths, rounded outwards.

    >>> recovery_span(24_190_000_000, 24_510_000_000), recovery_span(0, 350_000_000)
    ('24.1 to 24.6 s', '0 to 0.4 s')
    >>> recovery_span(58_200_000_000, None)
    'over 58.2 s, not recovered'
    """
    if high_ns is None:
        end = "well too late to be sure" if well_at_end else "not recovered"
        return f"over {wording.seconds(low_ns)} s, {end}"
    low = wording.seconds(low_ns) if low_ns > 0 else "0"
    return f"{low} to {wording.seconds(high_ns, up=True)} s"
