"""Is it whole? The application answers, and its database through it: asked for real."""

from __future__ import annotations

from pathlib import Path

import psycopg

from harness.platforms.capabilities import Endpoints, Wholeness
from harness.platforms.odoo import rpc
from harness.platforms.odoo.state import State
from harness.readback import bucket

_HEALTH = "/web/health?db_server_status=1"
_HEALTH_SINCE = 17  # before, nothing answers there
_CONNECT_S = 5
_NOTHING = "peakdrill/looks-for-nothing"


def look(state: State, endpoints: Endpoints) -> Wholeness:
    """A sentence for each thing that is not as it should be."""
    options = state.options
    if not options.password_file.is_file():
        return Wholeness(False, (f"{options.password_file} is not there",))
    missing = [*_application(state), *_database(state)]
    missing += _filestore(options.filestore) if options.filestore else []
    missing += _bucket(endpoints) if options.bucket else []
    return Wholeness(not missing, tuple(missing))


def _filestore(folder: Path) -> list[str]:
    """Whoever runs the drill has to see into it: documents are read back by their bytes."""
    try:
        next(folder.iterdir(), None)
    except FileNotFoundError:
        return [f"the filestore {folder} is not there"]
    except OSError as error:
        return [f"the filestore {folder} cannot be read: {error.strerror}"]
    return []


def _bucket(endpoints: Endpoints) -> list[str]:
    """It has to say of an object that is not there that it is not there: a refusal is no answer."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        bucket.fetcher(endpoints)(_NOTHING)
    except (BotoCoreError, ClientError) as error:
        return [f"the bucket {endpoints.s3_bucket} cannot be read: {type(error).__name__}"]
    return []


def _application(state: State) -> list[str]:
    options, uid = state.options, state.uid
    limit_s = options.server_timeout_s
    told = rpc.execute(
        options, uid, "res.users", "search_count", [["id", "=", uid]], timeout_s=limit_s
    )
    if not told.answered:
        return [f"the application does not serve: {told.why}"]
    if told.result != 1:
        return [f"the application does not find its own user {uid}"]
    if state.version >= _HEALTH_SINCE and not state.stand_in:
        status = rpc.status_of(options.url + _HEALTH, timeout_s=limit_s)
        if status not in {200, 404}:
            return [f"{_HEALTH} answers {status or 'nothing'}"]
    return []


def _database(state: State) -> list[str]:
    try:
        with psycopg.connect(
            state.options.dsn, connect_timeout=_CONNECT_S, autocommit=True
        ) as database:
            database.execute("SELECT 1")
    except psycopg.Error as error:
        return [f"the database cannot be read: {type(error).__name__}"]
    return []
