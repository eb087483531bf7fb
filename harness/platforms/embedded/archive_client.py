"""PostgreSQL's archive_command and restore_command: ask a resident process, exit 0 for its `ok`.

    python -I -S archive_client.py PORT TOKEN_FILE NODE SEGMENT             to archive
    python -I -S archive_client.py PORT TOKEN_FILE PLACE SEGMENT EXIT_CODE  to restore

Run as a plain script it starts in 20 ms, because it imports nothing but the socket module's C
part. `absent` exits 1, everything else EXIT_CODE (1 where it is not given).
"""

import _socket
import sys


def main() -> int:
    """An archiver that is told 1 asks again; a recovery ends at 1, and aborts above 125."""
    port, token_file, subject, name = sys.argv[1:5]
    failed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    with open(token_file, encoding="ascii") as file:
        token = file.read().strip()
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        connection.settimeout(30.0)
        connection.connect(("127.0.0.1", int(port)))
        connection.sendall(f"{token} {subject} {name}\n".encode("ascii"))
        told = connection.recv(500).decode("utf-8", "replace").strip()
    except OSError as error:
        told = str(error)
    finally:
        connection.close()
    if told == "ok":
        return 0
    if told == "absent":
        return 1
    print(f"archive of {name}: {told or 'no answer'}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
