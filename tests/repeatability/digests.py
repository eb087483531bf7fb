"""What this Python makes of the stored evidence: a digest for every judgement and every report."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from harness.commands.rendering import render_all
from harness.core.judge import judge
from harness.evidence import canonical, layout
from harness.evidence.load import load_record
from tests.core import golden_evidence
from tests.evidence.stored_run import store


def digests() -> dict[str, str]:
    """Name -> SHA-256. Nothing in here depends on when or where it is called."""
    found = {}
    for name in golden_evidence.runs():
        plan, evidence, _ = golden_evidence.read(name)
        found[f"golden/{name}"] = _digest(canonical.dumps(judge(plan, evidence)))
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix=".run-") as folder:
        run = store(Path(folder))
        found[f"run/{layout.VERDICT}"] = _digest((run / layout.VERDICT).read_bytes())
        record = replace(load_record(run), directory="run")
        for name, text in render_all(record, frozenset()).items():
            found[f"run/{name}"] = _digest(text.encode())
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    json.dump({"python": sys.version.split()[0], "digests": digests()}, sys.stdout, sort_keys=True)
