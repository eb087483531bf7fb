"""What is read of a Patroni that has just begun, without one."""

from __future__ import annotations

from pathlib import Path

from harness.platforms.embedded import patroni
from harness.platforms.embedded.layout import Layout


def test_a_server_whose_file_is_being_replaced_is_not_configured_yet(tmp_path: Path) -> None:
    """Patroni moves initdb's file aside before it writes its own, and a look may fall in between."""
    layout = Layout(tmp_path / "platform")
    written = layout.pgdata("a") / "postgresql.conf"
    written.parent.mkdir(parents=True)

    assert not patroni.is_configured(layout, "a")
    written.write_text("max_connections = 100\n")
    assert not patroni.is_configured(layout, "a")
    written.write_text("archive_command = 'send %p'\n")
    assert patroni.is_configured(layout, "a")
