"""The Chaos Toolkit as a child process.

In process it works in the main thread only, and would die with us. As a child in a session of its
own it does not see the harness's Ctrl-C; its standard input is a pipe from the harness, and the
`hold` action waits for that pipe's end. Closing the pipe plays the rollbacks, and the kernel
closes it for a harness that was killed.

Its exit code is never trusted: with a failed hypothesis it exits 0 without having run anything.
What happened is read from its journal and from the marks.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.errors import FaultError
from harness.evidence import layout
from harness.json_text import parsed

LOG = "chaos.log"
JOURNAL = "journal.json"
_KILL_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Account:
    """What the child's own journal tells: its status and a sentence for each failed step."""

    status: str  # completed | failed | aborted | interrupted; "" when it left no journal
    failures: tuple[str, ...] = ()


class Child:
    """One run of `<run>/experiment.yaml`. It takes its orders by the pipe alone."""

    def __init__(self, run: Path, *, environment: dict[str, str]) -> None:
        self._folder = run / layout.CHAOS
        self._folder.mkdir(exist_ok=True)
        try:
            with (self._folder / LOG).open("ab") as log:
                self._process = subprocess.Popen(
                    _command(run / layout.EXPERIMENT, self._folder),
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=self._folder,
                    env=os.environ | environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise FaultError(f"the experiment's process cannot be started: {error}") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def release(self) -> None:
        """Close the pipe: `hold` ends and the rollbacks are played. May be repeated."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def wait(self, within_s: float) -> bool:
        """True when it has ended by itself."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> None:
        """Make it end: by SIGTERM, which still plays the rollbacks, then by force."""
        self.release()
        if self.is_alive():
            self._process.terminate()
            if not self.wait(_KILL_WAIT_S):
                self._process.kill()
        self._process.wait()

    def account(self) -> Account:
        """Its journal, read with distrust: what is missing or cut off tells nothing good."""
        try:
            journal = parsed((self._folder / JOURNAL).read_bytes())
            before = (journal["steady_states"]["before"] or {}).get("probes", [])
            steps = [*before, *journal["run"], *journal["rollbacks"]]
            failures = [told for step in steps if (told := _failure(step))]
            if journal["run"] == []:
                failures.insert(0, "no step of its method was run")
            return Account(str(journal["status"]), tuple(failures))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Account("", (f"it left no journal; see {layout.CHAOS}/{LOG}",))


def _failure(step: dict[str, object]) -> str:
    """What is wrong with a step, "" when nothing is."""
    activity = step.get("activity")
    name = activity.get("name") if isinstance(activity, dict) else "?"
    if step.get("tolerance_met") is False:
        return f"{name}: {step.get('output')}, which is not tolerated"
    if step.get("status") == "succeeded":
        return ""
    exception = step.get("exception")
    why = str(exception[-1]).strip() if isinstance(exception, list) and exception else ""
    return f"{name}: {step.get('status', 'cut short')}{' (' + why + ')' if why else ''}"


def _command(experiment: Path, folder: Path) -> list[str]:
    # A settings file that does not exist: a user's own could add controls, or send notifications.
    # -P: nothing is imported from the folder that it happens to run in.
    return [
        sys.executable, "-P", "-m", "chaostoolkit",
        "--no-version-check", "--no-log-file", "--settings", str(folder / "no-settings.yaml"),
        "run", "--rollback-strategy", "always", "--hypothesis-strategy", "before-method-only",
        "--journal-path", str(folder / JOURNAL), str(experiment),
    ]  # fmt: skip
