"""A small S3 client: signature version 4 over plain HTTP, standard library alone.

boto3 costs a third of a second of start-up and 60 MB in a process that puts one file a minute.
Every call is bounded and retried, because a restarting S3 can hang its first answer.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import time
import urllib.parse
from dataclasses import dataclass
from datetime import UTC, datetime

_REGION = "us-east-1"
_SERVICE = "s3"
_PAUSE_S = 0.2


class S3Error(Exception):
    """S3 did not do what was asked. The message holds no credential."""


@dataclass(frozen=True, slots=True)
class S3Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    timeout_s: float


@dataclass(frozen=True, slots=True, repr=False)
class S3Client:
    """One identity at one endpoint: on loopback, or beside us in a container's network."""

    port: int
    access_key: str
    secret_key: str
    bucket: str
    host: str = "127.0.0.1"

    def __repr__(self) -> str:
        return f"S3Client(port={self.port}, bucket={self.bucket!r})"

    def create_locked_bucket(self, retention_days: int) -> None:
        """A versioned bucket whose objects nobody can delete before their time, not even admins."""
        lock = {"x-amz-bucket-object-lock-enabled": "true"}
        self._expect(self.call("PUT", "", headers=lock), "create the bucket", also=(409,))
        rule = (
            '<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
            f"<Mode>COMPLIANCE</Mode><Days>{retention_days}</Days>"
            "</DefaultRetention></Rule></ObjectLockConfiguration>"
        )
        answer = self.call("PUT", "", query={"object-lock": ""}, body=rule.encode())
        self._expect(answer, "lock the bucket")

    def put(self, key: str, body: bytes, *, metadata: dict[str, str] | None = None) -> None:
        """Returns only after S3 has confirmed."""
        headers = {f"x-amz-meta-{name}": value for name, value in (metadata or {}).items()}
        answer = self.call("PUT", key, body=body, headers=headers, timeout_s=20.0)
        self._expect(answer, f"put {key}")

    def head(self, key: str) -> dict[str, str] | None:
        """The object's headers, None where there is none."""
        answer = self.call("HEAD", key)
        if answer.status == 404:
            return None
        self._expect(answer, f"look at {key}")
        return answer.headers

    def get(self, key: str) -> bytes | None:
        answer = self.call("GET", key, timeout_s=60.0)
        if answer.status == 404:
            return None
        self._expect(answer, f"get {key}")
        return answer.body

    def is_up(self) -> bool:
        """Answers a signed request within a second."""
        try:
            return self.call("GET", "", query={"max-keys": "1"}, tries=1, timeout_s=1.0).status in (
                200,
                404,
            )
        except S3Error:
            return False

    def call(
        self,
        method: str,
        key: str,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float = 5.0,
        tries: int = 4,
    ) -> S3Answer:
        """One request; a 5xx and a broken connection are tried again, all calls are idempotent."""
        made = _Call(method, key, query or {}, headers or {}, body, timeout_s)
        problem = ""
        for attempt in range(tries):
            if attempt:
                time.sleep(_PAUSE_S * attempt)
            try:
                answer = self._once(made)
            except (OSError, http.client.HTTPException) as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            if answer.status < 500:
                return answer
            problem = f"HTTP {answer.status}"
        raise S3Error(f"{method} {self.bucket}/{key}: {problem}")

    def _once(self, call: _Call) -> S3Answer:
        method, key, query, headers, body = (
            call.method, call.key, call.query, call.headers, call.body,
        )  # fmt: skip
        path = "/" + self.bucket + ("/" + urllib.parse.quote(key) if key else "")
        asked = "&".join(f"{_quote(k)}={_quote(v)}" for k, v in sorted(query.items()))
        signed = self._signed(method, path, asked, headers, body)
        connection = http.client.HTTPConnection(self.host, self.port, timeout=call.timeout_s)
        try:
            connection.request(method, path + ("?" + asked if asked else ""), body, signed)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return S3Answer(answer.status, told, answer.read())
        finally:
            connection.close()

    def _signed(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> dict[str, str]:
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        every = {
            **{name.lower(): value for name, value in headers.items()},
            "host": f"{self.host}:{self.port}",
            "x-amz-content-sha256": digest,
            "x-amz-date": now,
        }
        names = ";".join(sorted(every))
        lines = "".join(f"{name}:{every[name]}\n" for name in sorted(every))
        request = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}"
        scope = f"{now[:8]}/{_REGION}/{_SERVICE}/aws4_request"
        text = "\n".join(
            ["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()]
        )
        key = f"AWS4{self.secret_key}".encode()
        for part in (now[:8], _REGION, _SERVICE, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        every["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return every

    def _expect(self, answer: S3Answer, what: str, also: tuple[int, ...] = ()) -> None:
        if answer.status not in (200, 204, *also):
            told = answer.body[:300].decode("utf-8", "replace")
            raise S3Error(f"S3 did not {what}: HTTP {answer.status} {told}")


def _quote(text: str) -> str:
    return urllib.parse.quote(text, safe="-_.~")
