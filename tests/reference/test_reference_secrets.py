"""Rotation of a reference stack: who is told, who is asked whether he was, and what is no answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.errors import NotReady, PlatformError
from harness.platforms.embedded import credentials
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.reference import components
from harness.platforms.reference.components import SiteComponents, SiteReplica
from harness.platforms.reference.inside import application, replica_asked, store
from harness.platforms.reference.inside.settings import Settings
from harness.platforms.reference.inside.told import digest, told
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.secrets import secrets
from tests.reference.local_site import LocalSite

PORTS = Ports(1, 2, 3, 4, 5, 6, 7, 8, 9)
ENVIRON = {
    "PEAKDRILL_NAME": "application-0",
    "PEAKDRILL_DATABASE": "database:5432",
    "PEAKDRILL_QUEUE": "queue:6379",
    "PEAKDRILL_PARTNERS": "partners:8090",
}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "platform")
    made.make()
    credentials.generate(made)
    return made


def components_of(layout: Layout, site: LocalSite) -> SiteComponents:
    return SiteComponents(layout, PORTS, Options(), site)


def settings_of(folder: Path) -> Settings:
    """Of a part whose secrets and data lie there."""
    places = {"SECRETS": folder / "secrets", "DATA": folder / "data", "FILESTORE": folder / "fs"}
    for place in places.values():
        place.mkdir(exist_ok=True)
    return Settings({**ENVIRON, **{f"PEAKDRILL_{n}": str(p) for n, p in places.items()}})


def mount(settings: Settings, **words: str) -> None:
    for name, word in words.items():
        (settings.secrets / name).write_text(word)


def test_the_six_classes_are_rotated_here_too(layout: Layout, tmp_path: Path) -> None:
    found = secrets(layout, PORTS, Options(), LocalSite(tmp_path))
    assert found.classes() == (
        "database-role", "backup-writer", "application-password", "api-key", "session-cookie",
        "queue",
    )  # fmt: skip
    with pytest.raises(PlatformError, match="no class of credentials 'root'"):
        found.rotate("root")


def test_what_a_thief_has_says_the_doors_of_this_machine(layout: Layout, tmp_path: Path) -> None:
    found = secrets(layout, PORTS, Options(), LocalSite(tmp_path))
    for credential, where in (
        ("database-role", "host=127.0.0.1,127.0.0.1 port=1,2 "),
        ("backup-writer", "http://127.0.0.1:8/"),
        ("api-key", "http://127.0.0.1:5"),
        ("queue", "redis://127.0.0.1:6/0"),
    ):
        file = tmp_path / credential
        found.hand_out(credential, file)
        assert json.loads(file.read_text())["where"].startswith(where)
        assert file.stat().st_mode & 0o777 == 0o600


def test_replicas_are_told_when_each_of_them_says_so(layout: Layout, tmp_path: Path) -> None:
    heard: dict[str, int] = {}

    def answer(part: str, words: Sequence[str], stdin: bytes) -> bytes:
        assert words[-1] == "told"
        assert json.loads(stdin)["digests"]["shop"] == digest(known.shop)
        heard[part] = heard.get(part, 0) + 1
        return json.dumps({"told": heard[part] > 2}).encode()

    site, known = LocalSite(tmp_path, answer=answer), credentials.load(layout)
    components_of(layout, site).tell_replicas(known)
    assert heard == {"application-0": 3 + 2, "application-1": 3}
    assert site.secrets.keys() == {"shop", "admin_password", "api_key", "valkey"}
    shown = " ".join(word for words in site.asked for word in words)
    assert not [word for word in asdict(known).values() if word in shown]


@pytest.mark.parametrize("answer", [b'{"told": false}', b"nonsense", b"[]", b'{"told": "yes"}'])
def test_a_part_that_does_not_say_so_was_not_told(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(components, "_ARRIVES_S", 0.3)
    site = LocalSite(tmp_path, answer=lambda *_: answer)
    for tell in (
        components_of(layout, site).tell_replicas,
        components_of(layout, site).tell_archive,
    ):
        with pytest.raises(NotReady, match="everybody who reads"):
            tell(credentials.load(layout))


def test_nobody_to_be_told_is_nobody_told(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zero matched targets are an error: a replica that comes up late would never be asked."""
    monkeypatch.setattr(components, "_ARRIVES_S", 0.3)
    site = LocalSite(tmp_path, dead={"application-0", "application-1"})
    with pytest.raises(NotReady):
        components_of(layout, site).tell_replicas(credentials.load(layout))
    with pytest.raises(PlatformError, match="no replica of the application runs"):
        components_of(layout, site).renew("password", credentials.load(layout), held=-1)


def test_what_lies_in_the_database_is_renewed_by_one_replica(
    layout: Layout, tmp_path: Path
) -> None:
    heard: list[tuple[str, tuple[str, ...], object]] = []

    def answer(part: str, words: Sequence[str], stdin: bytes) -> bytes:
        heard.append((part, tuple(words[-2:]), json.loads(stdin)))
        return b"{}"

    site, known = LocalSite(tmp_path, answer=answer), credentials.load(layout)
    for what in ("password", "api-key", "sessions"):
        components_of(layout, site).renew(what, known, held=-1)
    assert heard == [
        ("application-0", ("renew", "password"), {"admin_password": known.admin_password}),
        ("application-0", ("renew", "api-key"), {"api_key": known.api_key}),
        ("application-0", ("renew", "sessions"), {}),
    ]


def test_a_replica_that_cannot_be_asked_has_refused_nobody(tmp_path: Path) -> None:
    for site in (
        LocalSite(tmp_path, dead={"application-0"}),
        LocalSite(tmp_path, answer=lambda *_: b"nonsense"),
        LocalSite(tmp_path, answer=lambda *_: b'{"answer": null}'),
    ):
        replica = SiteReplica(site, "application-0")
        assert replica.lets_in("word") is None
        assert replica.lets_in_by_key("word") is None
        assert replica.log_in("word") is None
        assert not replica.has_ended_session("word")
        assert not replica.serves()


def test_a_replicas_word_goes_by_stdin(tmp_path: Path) -> None:
    heard: list[object] = []

    def answer(_part: str, _words: Sequence[str], stdin: bytes) -> bytes:
        heard.append(json.loads(stdin))
        return b'{"answer": false}'

    site = LocalSite(tmp_path, answer=answer)
    assert SiteReplica(site, "application-1").lets_in("the word") is False
    assert heard == [{"question": "lets-in", "word": "the word"}]
    assert "the word" not in str(site.asked)


def test_what_each_part_shows_can_be_searched_here(layout: Layout, tmp_path: Path) -> None:
    told = {"logs": {"database-0/database.log": "a\xff"}, "processes": {"7 patroni": "x"}}
    site = LocalSite(tmp_path, answer=lambda *_: json.dumps(told).encode())
    found = list(components_of(layout, site).shown())
    assert len(found) == 3 * 9  # two members, two replicas, and five that are one
    assert found[1].body == b"a\xff"  # byte for byte
    assert {shown.kind for shown in found} == {"log", "process"}
    assert [shown.place for shown in found[:3]] == [
        "the log of database-0", "database-0/database.log in database-0", "7 patroni in database-0",
    ]  # fmt: skip
    site.dead.add("keeper")
    with pytest.raises(PlatformError, match="keeper does not run"):
        list(components_of(layout, site).shown())
    with pytest.raises(PlatformError, match="cannot be understood"):
        list(components_of(layout, LocalSite(tmp_path, answer=lambda *_: b"{}")).shown())


# inside


def test_a_secret_has_arrived_when_the_mounted_file_is_that_one(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    mount(settings, s3_archive_key="old", s3_archive_secret="old too")
    asked = {"digests": {"s3_archive_key": digest("new"), "s3_archive_secret": digest("old too")}}
    assert told(settings, [], asked) == {"told": False}
    mount(settings, s3_archive_key="new")
    assert told(settings, [], asked) == {"told": True}
    with pytest.raises(PlatformError, match="the secret shop cannot be read"):
        told(settings, [], {"digests": {"shop": digest("x")}})
    for wrong in ({}, {"digests": {}}, {"digests": ["shop"]}):
        with pytest.raises(PlatformError, match="wants the digests"):
            told(settings, [], wrong)


def test_a_replica_is_told_when_its_configuration_says_so_too(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    mount(settings, shop="s", admin_password="a", api_key="k", valkey="v")
    configuration = application.Configuration(settings)
    assert configuration.renew()
    mount(settings, shop="renewed")
    asked = {"digests": {"shop": digest("renewed")}}
    assert told(settings, [], asked) == {"told": False}  # it still signs with the old one
    assert configuration.renew()
    assert told(settings, [], asked) == {"told": True}


def test_a_question_that_is_none_is_refused_without_its_word(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    with pytest.raises(PlatformError) as refused:
        replica_asked.asked(settings, [], {"question": "tell-me", "word": "the password"})
    assert "the password" not in str(refused.value)
    answered = replica_asked.asked(settings, [], {"question": "lets-in", "word": "x"}, port=1)
    assert answered == {"answer": None}  # nobody is there


def test_the_store_is_told_the_archives_keys_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "s3.json"
    monkeypatch.setattr(store, "_identities", lambda: file)
    settings = settings_of(tmp_path)
    mount(
        settings, s3_admin_key="A", s3_admin_secret="B", s3_archive_key="C", s3_archive_secret="D"
    )
    store.keys(settings, [], {"keys": [["new", "one"], ["C", "D"]]})
    admin, archive = json.loads(file.read_text())["identities"]
    assert [one["accessKey"] for one in archive["credentials"]] == ["new", "C"]
    assert admin["credentials"] == [{"accessKey": "A", "secretKey": "B"}]
    store.keys(settings, [], {"keys": [["new", "one"]]})
    _, archive = json.loads(file.read_text())["identities"]
    assert archive["credentials"] == [{"accessKey": "new", "secretKey": "one"}]
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(PlatformError, match="wants the keys"):
        store.keys(settings, [], {"keys": []})
