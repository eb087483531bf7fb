"""Object storage in memory, with every version of every key."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.platforms.embedded.s3_client import S3Answer, S3Client, S3Error


@dataclass(frozen=True)
class Store(S3Client):
    """Versions in memory; the true secret is 'right'."""

    port: int = 0
    access_key: str = ""
    secret_key: str = "right"
    bucket: str = "test"
    kept: dict[str, list[tuple[bytes, dict[str, str]]]] = field(default_factory=dict)

    def put(self, key: str, body: bytes, *, metadata: dict[str, str] | None = None) -> None:
        self._check()
        told = {f"x-amz-meta-{name}": value for name, value in (metadata or {}).items()}
        self.kept.setdefault(key, []).append((body, told))

    def head(self, key: str) -> dict[str, str] | None:
        self._check()
        return self.kept[key][-1][1] if key in self.kept else None

    def call(self, method: str, key: str, **asked: object) -> S3Answer:
        self._check()
        query = asked["query"]
        assert isinstance(query, dict)
        if "versionId" in query:
            return S3Answer(200, {}, self.kept[key][int(query["versionId"])][0])
        rows = "".join(
            f"<Version><Key>{name}</Key><VersionId>{number}</VersionId>"
            f"<LastModified>{number}</LastModified></Version>"
            for name in sorted(self.kept)
            if name.startswith(str(query["prefix"]))
            for number in reversed(range(len(self.kept[name])))
        )
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        return S3Answer(200, {}, f"<R xmlns='{space}'>{rows}</R>".encode())

    def _check(self) -> None:
        if self.secret_key != "right":
            raise S3Error("HTTP 403")
