"""What is read of a Patroni that has just begun, without one."""

from __future__ import annotations

import json
from pathlib import Path

import patroni as installed
import yaml

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


def test_libyaml_reads_what_patroni_is_given_as_its_own_parser_does() -> None:
    """The runner has Patroni use it; a difference would be another configuration."""
    folder = Path(installed.__file__).parent / "postgresql" / "available_parameters"
    documents = [file.read_text(encoding="utf-8") for file in folder.glob("*.y*ml")]
    assert documents
    word = json.dumps({"password": "a'b\"c: #-é", "numbers": [1, 2.5, True, None], "ports": "5:6"})
    for text in (*documents, word):
        assert yaml.load(text, yaml.CSafeLoader) == yaml.load(text, yaml.SafeLoader)
