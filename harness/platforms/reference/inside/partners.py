"""The role `partners`: a payment provider, a carrier and the marketplace, which remember calls."""

from __future__ import annotations

from harness.platforms.embedded import application, programs
from harness.platforms.embedded.blueprint import Commands
from harness.platforms.embedded.layout import write_private
from harness.platforms.reference.inside import running
from harness.platforms.reference.inside.settings import Settings

PORT = 8090


def main(settings: Settings) -> int:
    """Never returns: it becomes the program."""
    file = settings.data / "partners.json"
    place = application.Place(
        name="partners",
        host="0.0.0.0",
        port=PORT,
        dialect=settings.options.dialect,
        database="",
        queue="",
        filestore=str(settings.data),
        partners=f"0.0.0.0:{PORT}",  # where it listens itself
        partners_memory=str(settings.data / "calls"),
        audit_log="",
    )
    write_private(file, application.configuration(place, settings.secrets_of()))
    argv = [programs.python(), "-m", Commands().partners, str(file)]
    return running.become(argv, home=settings.data)
