"""What an exec asks of the queue: end every client's connection.

python3 -m harness.platforms.reference.inside.queue_clients      {"password": ...} by stdin
"""

from __future__ import annotations

import json
import sys
from contextlib import closing

import redis

from harness.platforms.reference.inside.cache import PORT

_ANSWER_S = 5.0


def main(password: str, port: int = PORT) -> int:
    """The application's own connections end too; it opens new ones."""
    client = redis.Redis(port=port, password=password, socket_timeout=_ANSWER_S)
    try:
        with closing(client) as queue:
            queue.client_kill_filter(_type="normal", skipme=True)
    except redis.RedisError as error:
        print(f"the queue does not hang up: {type(error).__name__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(str(json.load(sys.stdin)["password"])))
