"""Load pods without a cluster: processes with a disk, a clock and a slow line of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.load_pods import LoadPod, Role

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@dataclass
class Line:
    """As an exec through two proxies: there and back take their time, and not the same."""

    process: subprocess.Popen
    there_s: float
    back_s: float

    def ask(self, line: bytes, *, within_s: float) -> bytes:
        time.sleep(self.there_s)
        try:
            self.process.stdin.write(line + b"\n")
            self.process.stdin.flush()
            told = self.process.stdout.readline()
        except OSError as error:
            raise PlatformError(f"the stream broke: {error}") from error
        time.sleep(self.back_s)
        if not told:
            raise PlatformError("the stream ended")
        return told.rstrip(b"\n")

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self.process.kill()
        self.process.wait()


@dataclass
class PodsHere:
    """Each pod is the process group of load/in_pod.py in a folder of its own."""

    root: Path
    application_url: str
    ahead_ns: dict[int, int] = field(default_factory=dict)  # by worker
    ppm: dict[int, int] = field(default_factory=dict)
    there_s: float = 0.0
    back_s: float = 0.0
    queue_url: str = ""
    work: str = "."
    secrets: str = "secrets"
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    def folder(self, worker: int, role: str = "worker") -> Path:
        return self.root / f"{role}-{worker}"

    def start(
        self, run_id: str, roles: Sequence[Role], *, lives_s: float, within_s: float
    ) -> tuple[LoadPod, ...]:
        assert lives_s > within_s > 0
        start_up = self.root / "start-up"  # what a Python imports before anything else
        start_up.mkdir(parents=True, exist_ok=True)
        (start_up / "sitecustomize.py").write_text("import skewed_clock\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = str(probe.getsockname()[1])
        return tuple(self._pod(run_id, role) for role in roles)

    def talk(self, pod: LoadPod) -> Line:
        if self.why_gone(pod):
            raise PlatformError(f"{pod.name} is not there")
        role = pod.role
        words = [sys.executable, "-m", "load.beside", ".", "secrets"]
        process = subprocess.Popen(
            words, cwd=self.folder(role.number, role.name), env=self._environment(role),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.lines.append(Line(process, self.there_s, self.back_s))
        return self.lines[-1]

    def why_gone(self, pod: LoadPod) -> str:
        code = self.processes[pod.name].poll()
        return "" if code is None else f"Failed with exit code {code}"

    def remove(self, run_id: str) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for line in self.lines:
            line.close()

    def kill(self, worker: int) -> None:
        """Power off: all of the pod, and the streams into it."""
        (process,) = (p for name, p in self.processes.items() if name.endswith(f"worker-{worker}"))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for line in self.lines:
            if f"worker-{worker}" in str(Path(f"/proc/{line.process.pid}/cwd").resolve()):
                line.process.kill()

    def locust_of(self, worker: int) -> list[int]:
        (process,) = (p for name, p in self.processes.items() if name.endswith(f"worker-{worker}"))
        task = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        return [int(pid) for pid in task.read_text().split()]

    def _pod(self, run_id: str, role: Role) -> LoadPod:
        folder = self.folder(role.number, role.name)
        (folder / "secrets").mkdir(parents=True)
        name = f"load-{run_id}-{role.name}-{role.number}"
        with (folder / "pod.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "load.in_pod", role.name, str(role.number), "."],
                cwd=folder, env=self._environment(role), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        return LoadPod(role, name, f"node{role.number + 1}", "127.0.0.1")

    def _environment(self, role: Role) -> dict[str, str]:
        clock = {
            "ahead_ns": self.ahead_ns.get(role.number, 0),
            "ppm": self.ppm.get(role.number, 0),
            "step_file": str(self.folder(role.number, role.name) / "step"),
        }
        return {
            **os.environ,
            "PYTHONPATH": f"{self.root / 'start-up'}:{HERE}:{ROOT}",
            "PEAKDRILL_TEST_CLOCK": json.dumps(clock),
            "PEAKDRILL_MASTER_PORT": self._port,
        }
