"""Attachments: the bytes in the filestore, everything else in the row."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from shop.business.methods import Environment, as_ids, in_kind, method, values_of
from shop.business.orders import as_json, plain
from shop.errors import OdooError
from shop.orm import reading, writing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Values = dict[str, object]

MAGIC = ((b"%PDF", "application/pdf"), (b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
CONTENT = ("datas", "raw")
INSERT = """
INSERT INTO ir_attachment (name, type, res_model, res_id, mimetype, checksum, store_fname,
                           file_size, description, url, public, create_uid, write_uid)
SELECT x.name, coalesce(x.type, 'binary'), x.res_model, x.res_id, x.mimetype, x.checksum,
       x.store_fname, coalesce(x.file_size, 0), x.description, x.url, coalesce(x.public, false),
       %s::int4, %s::int4
FROM ROWS FROM (jsonb_to_recordset(%s::jsonb) AS (name text, type text, res_model text, res_id int,
     mimetype text, checksum text, store_fname text, file_size int, description text, url text,
     public bool)) WITH ORDINALITY AS x (name, type, res_model, res_id, mimetype, checksum,
     store_fname, file_size, description, url, public, n)
ORDER BY x.n RETURNING id"""


def sniff(content: bytes, stated: object) -> str:
    """The type that the content shows; what was stated only where it shows none."""
    for start, mimetype in MAGIC:
        if content.startswith(start):
            return mimetype
    return str(stated or "application/octet-stream")


async def _with_content(env: Environment, values: Mapping[str, object]) -> Values:
    """Values with the content replaced by where it was kept."""
    own = {name: value for name, value in values.items() if name not in CONTENT}
    content = _decoded(values)
    if content is None:
        return own
    stored = await env.filestore.keep(content)
    return {
        **own,
        "mimetype": sniff(content, values.get("mimetype")),
        "store_fname": stored.store_fname,
        "checksum": stored.checksum,
        "file_size": stored.file_size,
    }


def _decoded(values: Mapping[str, object]) -> bytes | None:
    if values.get("raw"):
        return str(values["raw"]).encode()
    if not values.get("datas"):
        return None
    try:
        return base64.b64decode(str(values["datas"]))
    except binascii.Error as error:
        raise OdooError(str(error), name="binascii.Error") from error


@method("ir.attachment", "create", records=False)
async def create_attachment(env: Environment, vals_list: object) -> object:
    wanted = values_of(vals_list)
    kept: list[Values] = []
    for values in wanted:
        if not values.get("name"):
            raise writing.required_error(env.model, "name", env.model.fields["name"])
        kept.append(plain(env, await _with_content(env, values), ""))
    rows = await env.session.rows(INSERT, [env.uid, env.uid, as_json(kept)])
    made = [row[0] for row in rows]
    return in_kind(vals_list, made)


@method("ir.attachment", "write", atomic=True)
async def write_attachment(env: Environment, ids: object, vals: Mapping[str, object]) -> bool:
    writing.check_names(env.registry, env.model, vals, "write")
    kept = await _with_content(env, vals)
    await writing.write_many(env.session, env.registry, env.model, as_ids(ids), kept, env.uid)
    return True


@method("ir.attachment", "read", writes=False)
async def read_attachment(
    env: Environment,
    ids: object,
    fields: Sequence[str] | None = None,
    load: object = "_classic_read",
) -> list[Values]:
    names = fields or [name for name in env.model.fields if name not in CONTENT]
    records = await reading.select(
        env.session, env.registry, env.model, names,
        where="t.id = ANY(%s)", parameters=[as_ids(ids)], bare=not load,
    )  # fmt: skip
    return [await _filled(env, record) for record in records]


@method("ir.attachment", "search_read", writes=False, records=False)
async def search_read_attachment(
    env: Environment, domain: object = None, fields: Sequence[str] | None = None,
    offset: object = 0, limit: object = None, order: object = None,
) -> list[Values]:  # fmt: skip
    found = await reading.search(
        env.session, env.registry, env.model, domain, offset=offset, limit=limit, order=order
    )
    records = await read_attachment(env, found, fields)
    assert isinstance(records, list)
    by_id = {record["id"]: record for record in records}
    return [by_id[record] for record in found]


def _size(name: str, content: bytes) -> int:
    """Odoo measures `raw` as if it was base64: three bytes for four letters of its alphabet."""
    if name == "datas":
        return len(content)
    return sum(chr(byte).isalnum() or byte in b"+/" for byte in content) * 3 // 4


async def _filled(env: Environment, record: Values) -> Values:
    """Put the bytes in place of the file's name, or their size where that was asked for."""
    for name in CONTENT:
        if name not in record or not record[name]:
            continue
        content = await env.filestore.load(str(record[name]))
        if env.context.get("bin_size"):
            record[name] = f"{_size(name, content)}.00 bytes"
        elif name == "datas":
            record[name] = base64.b64encode(content).decode()
        else:
            record[name] = content.decode(errors="replace")
    return record
