"""barman's cloud commands as an operator calls them, against the platform's own S3."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from harness.platforms.embedded.s3_client import S3Client

BUCKET = "track-record"
_LIMIT_S = 120


@dataclass(frozen=True)
class Barman:
    """One bucket without a lock, and who may write to it."""

    admin: S3Client
    url: str
    passfile: Path
    folder: Path

    @property
    def store(self) -> S3Client:
        return replace(self.admin, bucket=BUCKET)

    @property
    def target(self) -> list[str]:
        """Whose backup it is goes by the folder: no two tests share one."""
        return [f"s3://{BUCKET}/{self.folder.name}", "shop"]

    def make_bucket(self) -> None:
        assert self.store.call("PUT", "").status in (200, 409)

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        """`barman-cloud-PROGRAM`; it may fail, and the caller says whether it should."""
        with tempfile.TemporaryDirectory() as short:  # its sockets allow no long path
            return self._run(program, words, short)

    def _run(
        self, program: str, words: tuple[str, ...], temporary: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": temporary,
            "PGPASSFILE": str(self.passfile),
            "AWS_ACCESS_KEY_ID": self.admin.access_key,
            "AWS_SECRET_ACCESS_KEY": self.admin.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        command = Path(sys.executable).with_name(f"barman-cloud-{program}")
        return subprocess.run(
            [str(command), "--endpoint-url", self.url, *words], env=environment, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LIMIT_S,
        )  # fmt: skip
