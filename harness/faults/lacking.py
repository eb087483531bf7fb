"""What the platform lacked when a fault was to go in: told by marks, from the child to us.

A probe of the Chaos Toolkit answers yes or no. Why it was no is what its reader has to know, so the
probe writes a mark for each thing that is missing, and the injection reads them back from there.
What may not live here: I/O, and the look at a platform.
"""

from __future__ import annotations

from harness.core.timeline import MarkName, Timeline

_NOT_WHOLE = "the platform is not whole: "
_NOT_YET = "the platform is not whole yet: "


def note(sentence: str) -> str:
    """Of what was missing to the end, so that no fault went in."""
    return _NOT_WHOLE + sentence


def passing_note(sentence: str) -> str:
    """Of what was missing in a look that others followed."""
    return _NOT_YET + sentence


def told_by(timeline: Timeline) -> tuple[str, ...]:
    """The notes of what was missing to the end.

    >>> from harness.core.timeline import Mark
    >>> notes = passing_note("S3 does not answer"), note("node b is dead")
    >>> told_by(Timeline(tuple(Mark(MarkName.STEP, 1, 1, each) for each in notes)))
    ('the platform is not whole: node b is dead',)
    """
    steps = timeline.all(MarkName.STEP)
    return tuple(mark.note for mark in steps if mark.note.startswith(_NOT_WHOLE))
