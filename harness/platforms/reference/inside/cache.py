"""The role `cache`: Valkey, the queue whose answer is an order's acknowledgement."""

from __future__ import annotations

from harness.platforms.embedded import programs, valkey
from harness.platforms.embedded.layout import write_private
from harness.platforms.reference.inside import running
from harness.platforms.reference.inside.settings import Settings

PORT = 6379


def main(settings: Settings) -> int:
    """Never returns: it becomes the program."""
    file = running.private_folder() / "valkey.conf"
    password = settings.secret("valkey")
    write_private(file, valkey.configuration(settings.data, "0.0.0.0", PORT, password))
    return running.become([programs.valkey(), str(file)], home=settings.data)
