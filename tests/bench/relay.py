"""A unix socket before a database's own, that counts what goes through. For bytes alone, not time."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = ".s.PGSQL.5432"


class Counted:
    """Bytes that the database's client was sent."""

    def __init__(self) -> None:
        self.received = 0

    def pass_on(self, source: socket.socket, sink: socket.socket, *, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(1 << 16):
                self.received += len(block) if counts else 0
                sink.sendall(block)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def counting(sockets: Path, folder: Path) -> Iterator[Counted]:
    """`folder` takes one connection, in the place of `sockets`."""
    folder.mkdir()
    counted = Counted()
    with (
        socket.socket(socket.AF_UNIX) as door,
        socket.socket(socket.AF_UNIX) as database,
        contextlib.ExitStack() as open_,
    ):
        door.bind(str(folder / _NAME))
        door.listen(1)
        database.connect(str(sockets / _NAME))

        def serve() -> None:
            with contextlib.suppress(OSError):
                client = open_.enter_context(door.accept()[0])
                asks = threading.Thread(
                    target=counted.pass_on, args=(client, database), kwargs={"counts": False}
                )
                asks.start()
                counted.pass_on(database, client, counts=True)
                asks.join(5)

        both = threading.Thread(target=serve)
        both.start()
        try:
            yield counted
        finally:
            for end in (door, database):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            both.join(5)
    (folder / _NAME).unlink(missing_ok=True)
    folder.rmdir()
