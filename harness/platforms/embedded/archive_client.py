"""PostgreSQL's archive_command: asks the resident uploader, and exits 0 only for its `ok`.

Run as a plain script (`python -I -S archive_client.py PORT TOKEN_FILE NODE SEGMENT`): it starts
in 20 ms because it imports nothing but the socket module's C part.
"""

import _socket
import sys


def main() -> int:
    """0 when S3 has the segment, 1 otherwise; PostgreSQL then asks again."""
    port, token_file, node, name = sys.argv[1:5]
    with open(token_file, encoding="ascii") as file:
        token = file.read().strip()
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        connection.settimeout(30.0)
        connection.connect(("127.0.0.1", int(port)))
        connection.sendall(f"{token} {node} {name}\n".encode("ascii"))
        told = connection.recv(500).decode("utf-8", "replace").strip()
    except OSError as error:
        told = str(error)
    finally:
        connection.close()
    if told != "ok":
        print(f"archive of {name}: {told or 'no answer'}", file=sys.stderr)
    return 0 if told == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
