"""A strict reader of the Prometheus text format 0.0.4, for the tests: whatever is not in it fails."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_HEAD = re.compile(rf"# (HELP|TYPE) ({_NAME}) (.*)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? ([-+0-9.eE]+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)')
_ESCAPED = re.compile(r'\\(\\|"|n)')


@dataclass
class Metric:
    help: str = ""
    kind: str = ""
    samples: dict[tuple[tuple[str, str], ...], float] = field(default_factory=dict)


def read(text: str) -> dict[str, Metric]:
    """Every family; raises AssertionError for what a scrape would refuse."""
    assert text.endswith("\n"), "the last line must end"
    found: dict[str, Metric] = {}
    current = ""
    for line in text.removesuffix("\n").split("\n"):
        head = _HEAD.fullmatch(line)
        if head:
            what, name, rest = head.groups()
            if name != current:
                assert name not in found, f"{name} stands in two places"
                found[name] = Metric()
                current = name
            if what == "HELP":
                assert not found[name].help, f"{name} has two HELP lines"
                found[name].help = rest
            else:
                assert not found[name].kind, f"{name} has two TYPE lines"
                assert not found[name].samples, f"{name}: TYPE comes late"
                assert rest in {"gauge", "counter", "untyped"}
                found[name].kind = rest
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample, f"no line of the format: {line!r}"
        assert sample[1] == current, f"{sample[1]} stands under {current}"
        labels = _labels(sample[2] or "")
        assert labels not in found[current].samples, f"twice: {line}"
        found[current].samples[labels] = float(sample[3])
    return found


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    pairs, at = [], 0
    while at < len(text):
        label = _LABEL.match(text, at)
        assert label, f"no label at {text[at:]!r}"
        pairs.append((label[1], _ESCAPED.sub(lambda m: "\n" if m[1] == "n" else m[1], label[2])))
        at = label.end()
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"a label stands twice: {names}"
    return tuple(sorted(pairs))
