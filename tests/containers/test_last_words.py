"""What somebody's own install said last is told without the secrets that it has read."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.errors import PlatformError
from harness.platforms.containers import daemon, foreign, parts


class Daemon:
    """A container that ended with 1, after it had said too much."""

    def __init__(self) -> None:
        self.containers = self
        self.api = self

    def get(self, _name: str) -> Daemon:
        return self

    def reload(self) -> None:
        pass

    @property
    def attrs(self) -> dict[str, object]:
        return {"State": {"Running": False, "ExitCode": 1}}

    def inspect_container(self, _name: str) -> dict[str, object]:
        return self.attrs

    def logs(self, _name: str, *, tail: int) -> bytes:
        assert tail > 0
        return b"cannot connect\nas shop with hush-hush to postgres://shop:other@db\n"


def test_what_an_install_said_last_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "client", Daemon)
    monkeypatch.setattr(parts, "start", lambda *_: None)
    state = SimpleNamespace(
        platform_id="x", options=SimpleNamespace(application=SimpleNamespace(ready_within_s=5.0))
    )
    part = SimpleNamespace(name="install")
    with pytest.raises(PlatformError, match="exit code 1: cannot connect") as told:
        foreign.run_to_its_end(state, part, {}, ["hush-hush"])  # type: ignore[arg-type]
    assert "hush-hush" not in str(told.value)
    assert "other" not in str(told.value)
