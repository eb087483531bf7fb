"""What an exec asks where a volume of an environment that stands still is mounted.

    python3 -m harness.platforms.reference.inside.evidence digests FOLDER   {"FILE": "SHA-256"}
    python3 -m harness.platforms.reference.inside.evidence logs FOLDER      a tar of the logs in it

Every file, or an exit code of 1 and a sentence on stderr: what cannot be read is not kept.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import forensics

WORDS = ("python3", "-m", "harness.platforms.reference.inside.evidence")
_LOGS = ("log/*.log", "audit/*.jsonl")  # of a member, and of the replicas


def main(words: Sequence[str]) -> int:
    """0, or 1."""
    if len(words) != 2 or words[0] not in ("digests", "logs"):
        print("wanted: digests FOLDER or logs FOLDER", file=sys.stderr)
        return 1
    folder = Path(words[1])
    try:
        if words[0] == "digests":
            print(json.dumps(forensics.strictly(folder, forensics.files_in(folder))))
        else:
            _logs(folder)
    except (PlatformError, OSError) as error:
        print(error.what if isinstance(error, PlatformError) else error, file=sys.stderr)
        return 1
    return 0


def _logs(folder: Path) -> None:
    """By their names in the volume."""
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
        for pattern in _LOGS:
            for file in sorted(folder.glob(pattern)):
                archive.add(file, str(file.relative_to(folder)), recursive=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
