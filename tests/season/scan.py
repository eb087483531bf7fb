"""Does any output of a season hold a credential?  `make season-scan`

    python -m tests.season.scan runs/season [--platform FOLDER_OF_A_PLATFORM_THAT_IS_UP]

Every byte of every file is searched, and what is packed in it: zip, gzip, xz, tar, and base64 in
whatever text (envelopes, headers). Three ways to know a credential:

1. the secrets of a platform that is still up, as they are and in base64;
2. the exact shapes that peakdrill draws its own in (`SHAPES`);
3. what credentials look like anywhere: PEM keys, passwords in assignments and URLs, pgpass lines,
   bearer and basic headers, AWS keys, web tokens.

A digest has the shape of a backup key (64 hexadecimal digits). One that is the SHA-256 of a file
of the folder, is listed in a seal, or stands in a field or sentence that says so is a digest; any
other is a finding. What is found is told by place and class, and never shown. Nothing searched is
no pass.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.evidence import layout
from harness.history.address import FILE as HISTORY
from tests.season.layers import Layer, layers

# what harness/platforms/embedded draws: credentials.py, backup_key.py; shop/web/sessions.py; serve
SHAPES = {
    "platform secret": re.compile(rb"(?<![0-9A-Za-z])[0-9a-f]{48}(?![0-9A-Za-z])"),
    "session or page token": re.compile(
        rb"(?<![\w./+-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*[0-9])"
        rb"(?:[\w-]{43}|[\w-]{32})(?![\w/+=-])",
        re.ASCII,
    ),
}
_VALUE = rb"""["']?\s*[=:]\s*["']?(?P<value>[^\s"',;&<>(){}\[\]\\]{4,})"""
PATTERNS = {
    "private key": re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    "password": re.compile(rb"(?i)(?:password|passwd|pgpassword)" + _VALUE),
    "URL with a password": re.compile(
        rb"[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]*:(?P<value>[^\s/@\"'<>]+)@"
    ),
    "pgpass line": re.compile(
        rb"(?m)^[\w.*-]+:(?:\*|\d{2,5}):[\w*-]+:[\w*-]+:(?P<value>[^\s:]{4,})$"
    ),
    "bearer token": re.compile(rb"(?i)\bbearer\s+(?P<value>[\w.~+/-]{16,}=*)"),
    "basic header": re.compile(rb"(?i)authorization[\"']?\s*[=:]\s*[\"']?basic\s+[\w+/-]{8,}=*"),
    "web token": re.compile(rb"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    "AWS secret": re.compile(rb"(?i)aws_?secret_?(?:access_?)?key" + _VALUE),
    "AWS key pair": re.compile(
        rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b[\s\S]{0,200}?(?<![\w/+])[A-Za-z0-9/+]{40}(?![\w/+=])"
    ),
    "API key": re.compile(rb"(?i)\b(?:api[_-]?key|secret[_-]?key|access[_-]?token)" + _VALUE),
}
# "api-key: last accepted 1.8 s after": a sentence; a word of letters alone, after a colon and a
# space, without quotes. A password of that kind in a YAML file is what this scan can miss.
_PROSE = re.compile(rb":\s+[A-Za-z-]+:?$")
_RUN_ID = re.compile(rb"[0-9]{8}T[0-9]{6}Z[0-9a-f]{4}")
_HEX64 = re.compile(rb"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])")
_SAYS_DIGEST = re.compile(
    rb"(?i)(?:sha-?256|digest|hash|key_?id|.build.:|configuration|seal)[^\n]{0,60}$"
)
_NO_SECRET = re.compile(
    rb"(?i)^(?:\*+|x{3,}|null|none|true|false|redacted|[0-9]+\.[0-9]+|/.*|\.\.\.|<.*)$"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A place and a class; never the credential."""

    file: str
    within: str  # "base64, zip member x", "" for the file itself
    at: int
    kind: str
    length: int

    def __str__(self) -> str:
        inside = f" ({self.within})" if self.within else ""
        return f"{self.file}{inside}, byte {self.at}: {self.kind}, {self.length} characters"


@dataclass(slots=True)
class Scanned:
    files: int = 0
    size: int = 0
    packed: int = 0  # documents within documents
    digests: int = 0  # 64 hexadecimal digits that were explained
    found: list[Found] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Only where something was searched."""
        return self.size > 0 and not self.found


def scan(folder: Path, known: Mapping[bytes, str] | None = None) -> Scanned:
    """Every file below `folder`. `known`: secret -> what it opens."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    explained = _digests(files)
    done = Scanned()
    for file in files:
        body = file.read_bytes()
        done.files, done.size = done.files + 1, done.size + len(body)
        for layer in layers(body):
            done.packed += bool(layer.within)
            _search(layer, str(file.relative_to(folder)), known or {}, explained, done)
    return done


def _search(
    layer: Layer, file: str, known: Mapping[bytes, str], explained: frozenset[bytes], done: Scanned
) -> None:
    def note(at: int, kind: str, length: int) -> None:
        done.found.append(Found(file, layer.within, layer.at + at, kind, length))

    body = layer.body
    for secret, opens in known.items():
        if (at := body.find(secret)) >= 0:
            note(at, f"a secret of the platform: {opens}", len(secret))
    for kind, pattern in {**SHAPES, **PATTERNS}.items():
        for hit in pattern.finditer(body):
            if not _is_harmless(hit):
                note(hit.start(), kind, len(hit.groupdict().get("value") or hit.group()))
    for hit in _HEX64.finditer(body):
        before = body[max(0, hit.start() - 100) : hit.start()]
        if hit.group() in explained or _SAYS_DIGEST.search(before):
            done.digests += 1
        else:
            note(hit.start(), "64 hexadecimal digits that are no digest we know", 64)


def _is_harmless(hit: re.Match[bytes]) -> bool:
    """A placeholder, a path, a sentence about passwords, or the name of a run."""
    value = hit.groupdict().get("value")
    if value is None:
        return bool(_RUN_ID.search(hit.group()))
    return bool(_NO_SECRET.match(value) or _PROSE.search(hit.group()))


def _digests(files: list[Path]) -> frozenset[bytes]:
    """Of every file, and what the seals list of files that are away."""
    known = {hashlib.sha256(file.read_bytes()).hexdigest().encode() for file in files}
    for file in files:
        if file.name == layout.SEAL:
            listed = json.loads(file.read_bytes()).get("files", {})
            known |= {digest.encode() for digest in listed.values()}
        if file.name == HISTORY:
            known |= _digests_of_rows(file)
    return frozenset(known)


def _digests_of_rows(store: Path) -> set[bytes]:
    """What a history's rows say of themselves, where it is true: the outcome's own digest."""
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as rows:
        found = rows.execute("SELECT outcome, outcome_digest FROM peakdrill_runs").fetchall()
    return {
        digest.encode()
        for outcome, digest in found
        if hashlib.sha256(outcome.encode()).hexdigest() == digest
    }


def secrets_of(platform: Path) -> dict[bytes, str]:
    """Of a platform that is up, of now and of before. It is only looked at."""
    from harness.inspection.secrets import known_to
    from harness.platforms.find import platform_at

    return dict(known_to(platform_at(platform)))


def _told(done: Scanned, known: int) -> Iterator[str]:
    what = f"{done.files:,} files, {done.size:,} bytes, {done.packed:,} documents packed in them"
    if not done.size:
        yield "Not known: there was nothing to search."
        return
    yield f"{'Clean: no credential in' if done.clean else 'NOT clean:'} {what}"
    live = f"{known} secrets of a platform that is up, " if known else ""
    kinds = len(SHAPES) + len(PATTERNS)
    yield f"searched for {live}{kinds} shapes; {done.digests:,} digests were told apart"
    for kind, count in Counter(found.kind for found in done.found).most_common():
        yield f"{count:6,}  {kind}"
    yield from (f"  {found}" for found in done.found[:200])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--platform", type=Path, help="the folder of a platform that is up")
    asked = parser.parse_args()
    known = secrets_of(asked.platform) if asked.platform else {}
    done = scan(asked.folder, known)
    print("\n".join(_told(done, len(known))))
    return 0 if done.clean else 1


if __name__ == "__main__":
    sys.exit(main())
