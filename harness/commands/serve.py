"""`peakdrill serve`: the live page of the drill in progress, and the archive behind it."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import FILE
from harness.errors import Refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from harness.serving.access import Token

_PORT = 8440
_CONNECTIONS_MAX = 400
_GOODBYE_S = 2  # for streams that are open
_LINK = "operator-link"


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Anything but loopback needs --token-file.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    help="0: a free one, which is printed.",
)
@click.option("--runs", type=FILE, default="runs", show_default=True, help="The folder of runs.")
@click.option("--history", metavar="DSN", help="Also list the runs of this history.")
@click.option("--targets", type=FILE, help="For readiness. Default: as for `run`.")
@click.option(
    "--token-file",
    type=FILE,
    help="One `viewer TOKEN` or `operator TOKEN` a line; readable by its owner alone.",
)
def serve(
    *,
    host: str,
    port: int,
    runs: Path,
    history: str | None,
    targets: Path | None,
    token_file: Path | None,
) -> int:
    """Serve the live page: phases, rates, time against each target, and the abort button.

    Everybody on this machine may look. Who opens the link that is printed at the start may abort.
    """
    from harness.serving.access import Access, is_loopback
    from harness.serving.app import create_app
    from harness.serving.archive import Archive
    from harness.watching.live_state import live_folder

    local = is_loopback(host)
    if not local and token_file is None:
        raise Refused(
            f"{host} can be reached by others, so it needs tokens",
            next_step="name a --token-file, or serve on 127.0.0.1 and forward the port by ssh",
        )
    tokens = _tokens(token_file)
    with contextlib.ExitStack() as until_the_end:
        door = until_the_end.enter_context(_door(host, port))
        access = Access(host, door.getsockname()[1], tokens, open_to_view=token_file is None)
        address = f"http://{_shown(host)}:{access.port}/"
        click.echo(f"watch   {address}")
        if token_file is None:
            link = f"{address}#{tokens[0].secret}"
            until_the_end.callback(_hand_out(link, live_folder()))
        if not local:
            click.echo(
                "note    there is no TLS here: tokens cross the network as they are. Put a proxy "
                "with TLS in front, or forward the port by ssh.",
                err=True,
            )
        archive, folder = Archive(runs, history, targets), live_folder()
        _run(lambda is_over: create_app(access, archive, folder, is_over=is_over), door)
    return 0


def _tokens(file: Path | None) -> tuple[Token, ...]:
    from harness.serving.access import Role, Token, read_tokens

    if file is not None:
        return read_tokens(file)
    return (Token(Role.OPERATOR, secrets.token_urlsafe(24), once=True),)


def _hand_out(link: str, folder: Path) -> Callable[[], None]:
    """The link on the terminal, once; where nobody sits there, in a file of the user's own."""
    if sys.stdout.isatty():
        click.echo(f"abort   {link}\n        (this link makes its browser the operator, once)")
        return lambda: None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{_LINK}-{os.getpid()}"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(link + "\n")
    click.echo(f"abort   the operator's link, for one use, is in {file}")
    return lambda: file.unlink(missing_ok=True)


def _door(host: str, port: int) -> socket.socket:
    """The listening socket. Raises Refused when it cannot be had."""
    name = host.strip("[]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((name, port))
        door.listen(128)
    except OSError as error:
        door.close()
        raise Refused(
            f"{host}:{port} cannot be served on: {error.strerror or error}",
            next_step="name another with --port, or --port 0 for a free one",
        ) from error
    return door


def _run(made: Callable[[Callable[[], bool]], ASGIApp], door: socket.socket) -> None:
    """Until Ctrl-C. The drill has no part in it: it goes on whether anybody watches or not."""
    import uvicorn

    running: list[uvicorn.Server] = []
    config = uvicorn.Config(
        made(lambda: any(server.should_exit for server in running)),
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS_MAX,
        proxy_headers=False,  # nobody in front of us speaks for a client
        timeout_graceful_shutdown=_GOODBYE_S,
        lifespan="on",
        ws="none",
    )
    running.append(uvicorn.Server(config))
    with contextlib.suppress(KeyboardInterrupt):
        running[0].run(sockets=[door])


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
