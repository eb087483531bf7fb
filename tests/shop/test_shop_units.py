"""Parts that need no database."""

from __future__ import annotations

import asyncio
import json

import pytest

from shop.config import ConfigError, load_config
from shop.credentials import hash_secret, key_index, verify_secret
from shop.database.connect import each_host
from shop.database.schema import schema_sql
from shop.errors import BadValue
from shop.filestore import Filestore
from shop.models import MODELS, registry
from shop.orm.domain import compile_domain
from shop.partners import Memory
from shop.queue.marketplace import Refused, parse_order
from shop.serve import application
from shop.web.messages import Request
from shop.web.sessions import Sessions

CONFIG = {
    "name": "a", "port": 1, "database": "shop", "dsn": "host=h1,h2 port=1,2 dbname=shop user=u",
    "admin_password": "secret-1", "api_key": "secret-2", "filestore": "fs",
}  # fmt: skip


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**CONFIG, "filestore": str(tmp_path / "fs")}))
    return path


def test_a_config_shows_no_secret(config_file):
    assert "secret" not in repr(load_config(config_file))


@pytest.mark.parametrize(
    ("change", "word"),
    [({"port": "x"}, "port"), ({"dialect": 15}, "dialect"), ({"dsn": None}, None), (None, "JSON")],
)
def test_a_bad_config_is_one_clear_sentence(tmp_path, change, word):
    path = tmp_path / "config.json"
    text = json.dumps({**CONFIG, **(change or {})}) if change is not None else "{"
    if change == {"dsn": None}:
        text = json.dumps({k: v for k, v in CONFIG.items() if k != "dsn"})
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"config\.json"):
        load_config(path)
    assert word is None or word


def test_health_says_503_while_draining(config_file):
    async def look():
        app = application(load_config(config_file))
        request = Request("GET", "/web/health", "", {}, b"")
        before = await app.respond(request)
        app.drain()
        after = await app.respond(request)
        await app.shop.close()
        return before.status, after.status

    assert asyncio.run(look()) == (200, 503)


def test_one_dsn_a_host():
    hosts = each_host(CONFIG["dsn"])
    assert [("host=h1" in h, "port=1" in h) for h in hosts] == [(True, True), (False, False)]
    assert all("target_session_attrs=read-write" in host for host in hosts)


def test_secrets_are_kept_as_digests():
    stored = hash_secret("open sesame")
    assert verify_secret("open sesame", stored)
    assert not verify_secret("open", stored)
    assert not verify_secret("open sesame", "")
    assert "sesame" not in stored + key_index("open sesame")


def test_every_relation_leads_to_a_model_and_every_line_back():
    for dialect in (14, 18, 19):
        models = registry(dialect).models
        for model in models.values():
            for name, field in model.fields.items():
                assert not field.relation or field.relation in models, (model.name, name)
                if field.type == "one2many" and not field.sql:
                    assert field.inverse in models[field.relation].fields, (model.name, name)


def test_the_schema_has_every_table_once():
    sql = schema_sql()
    for model in MODELS:
        kind = "VIEW" if model.view else "TABLE IF NOT EXISTS"
        assert sql.count(f" {kind} {model.table} ") == 1, model.name


@pytest.mark.parametrize(
    "domain", [[["name", "bogus", 1]], [["nothing", "=", 1]], ["x"], "name", [["name"]]]
)
def test_a_bad_domain_is_refused_before_any_sql(domain):
    models = registry(19)
    with pytest.raises(BadValue):
        compile_domain(models, models.models["res.partner"], domain)


def test_values_never_become_sql():
    models = registry(19)
    evil = "'; DROP TABLE sale_order; --"
    compiled = compile_domain(models, models.models["res.partner"], [["name", "=", evil]])
    assert evil not in compiled.sql
    assert compiled.parameters == [evil]


@pytest.mark.parametrize("body", [b"nonsense", b"{}", b'{"lines":[[1]]}', b"[]"])
def test_a_message_that_is_no_order_is_refused(body):
    with pytest.raises(Refused):
        parse_order({"order": body})
    with pytest.raises(Refused):
        parse_order({})


def test_partners_remember_across_a_restart_and_know_a_repeat(tmp_path):
    path = tmp_path / "payment.jsonl"
    first = Memory(path)
    first.remember([{"key": "a", "payload": 1}, {"key": "b", "payload": 2}])
    with path.open("a") as file:
        file.write('{"key": "torn')
    second = Memory(path)
    made = second.remember([{"key": "a", "payload": 1}, {"key": "c"}, {"key": "c"}])
    assert [call.repeat for call in made] == [True, False, True]
    assert [call.key for call in Memory(path).calls] == ["a", "b", "a", "c", "c"]


def test_the_same_bytes_are_one_file_and_no_draft_stays(tmp_path):
    store = Filestore(tmp_path)
    kept = [asyncio.run(store.keep(b"x")) for _ in range(2)]
    assert kept[0] == kept[1]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [kept[0].checksum]
    assert asyncio.run(store.load(kept[0].store_fname)) == b"x"
    assert asyncio.run(store.load("../etc/passwd")) == b""


def test_a_session_is_a_file_and_its_name_is_no_path(tmp_path):
    sessions = Sessions(tmp_path / "filestore")
    session_id = sessions.begin(7)
    assert sessions.uid(session_id) == 7
    assert sessions.uid("../x") is None
    sessions.end(session_id)
    assert sessions.uid(session_id) is None
