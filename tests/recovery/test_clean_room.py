"""The clean room's runbook: what it may not take for a proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core import checks
from harness.core.proof_findings import gate_proofs
from harness.core.proofs import Proof
from harness.core.targets import Targets
from harness.core.verdict import Verdict
from harness.evidence import layout, lines
from harness.platforms.capabilities import Backup, Wholeness
from harness.recovery import base_backups, clean_room, old_credentials
from harness.recovery.facts import Course
from harness.recovery.ground import Ground
from harness.recovery.old_credentials import Answer

SOUND, POISONED = "20261122T055500", "20261122T055600"


def ground_on(run: Path, **capabilities: object) -> Ground:
    platform = SimpleNamespace(directory=run, **capabilities)
    return Ground.of(platform, Course("clean-room", "r1", str(run), {}, Targets(())))


def verdict(run: Path, check: checks.Check) -> Verdict:
    return gate_proofs(check, lines.read_lines(run / layout.PROOFS, Proof)).verdict


@pytest.mark.parametrize(
    ("refused", "chosen", "judged"),
    [
        ({POISONED}, SOUND, Verdict.MET),
        (set(), POISONED, Verdict.INCONCLUSIVE),  # a check that lets everything pass
    ],
)
def test_a_poisoned_backup_that_nobody_refused_is_no_pass(
    tmp_path: Path, refused: set[str], chosen: str, judged: Verdict
) -> None:
    backups = SimpleNamespace(
        candidates=lambda: (Backup(POISONED, "", "2", True), Backup(SOUND, "", "2", True)),
        verify=lambda name: Wholeness(name not in refused, ("other bytes",)),
    )
    ground = ground_on(tmp_path, backups=backups)
    base_backups.choose(ground)
    assert ground.facts["backup"] == chosen
    assert verdict(tmp_path, checks.backup_chosen) is judged


@pytest.mark.parametrize(("refused", "told"), [(True, "are refused"), (None, "nobody could be")])
def test_a_credential_that_nobody_judged_is_not_told_as_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool | None, told: str
) -> None:
    def answers(*_of: object) -> Iterator[Answer]:
        yield Answer("api-key", True, "refused: HTTP 401")
        yield Answer("queue", refused, "…")

    monkeypatch.setattr(old_credentials, "try_all", answers)
    ground = ground_on(tmp_path, clean_room=SimpleNamespace(shared=lambda: ()))
    clean_room._prove_clean(ground)
    assert told in str(clean_room._proven_clean(ground))
    met = verdict(tmp_path, checks.environment_clean) is Verdict.MET
    assert met is (refused is True)
