"""Metrics as a Prometheus text file, for node_exporter's textfile collector.

Written whole or not at all: a scrape in the middle of it sees the file of before.
"""

from __future__ import annotations

import math
import os
import re
from itertools import groupby
from pathlib import Path

from harness.core.record import RunRecord
from harness.errors import PeakdrillError
from harness.observe.metrics import Sample, samples

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def text_of(found: tuple[Sample, ...]) -> str:
    """The text exposition format, version 0.0.4. Samples of a family stand together."""
    lines: list[str] = []
    for family, of_family in groupby(found, key=lambda s: s.family):
        lines.append(f"# HELP {family.name} {family.help.translate(_HELP_ESCAPES)}")
        lines.append(f"# TYPE {family.name} gauge")
        lines += [_line(sample) for sample in of_family]
    return "\n".join(lines) + "\n" if lines else ""


def _line(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_label(value)}"' for name, value in sample.labels)
    return f"{sample.family.name}{{{labels}}} {_number(sample.value)}"


def _label(value: str) -> str:
    """Escaped, and valid UTF-8 whatever stood in it."""
    return value.encode("utf-8", "replace").decode().translate(_ESCAPES)


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    assert math.isfinite(value), "what was not measured has no sample"
    return repr(value)


def write_textfile(record: RunRecord, asked: Path) -> Path:
    """Write it to `asked`, or to peakdrill-<scenario>.prom where that is a folder.

    Raises PeakdrillError where it cannot be written.
    """
    name = f"peakdrill-{re.sub(r'[^A-Za-z0-9-]', '_', record.plan.scenario.name)}.prom"
    file = asked / name if asked.is_dir() else asked
    fresh = file.with_name(f".{file.name}.{os.getpid()}.part")  # not *.prom: nobody reads it
    try:
        fresh.write_text(text_of(samples(record)), encoding="utf-8", newline="\n")
        fresh.chmod(0o644)
        fresh.replace(file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise PeakdrillError(
            f"the Prometheus text file {file} cannot be written: {error.strerror}",
            next_step="name a folder or a file that can be written with --prometheus-file",
        ) from error
    return file
