"""What a part is told: every word that is missing or wrong is named, and no secret is invented."""

from dataclasses import asdict
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.reference.inside.settings import Address, Settings


def told(**words: str) -> Settings:
    return Settings({f"PEAKDRILL_{name}": value for name, value in words.items()})


def with_secrets(folder: Path, **known: str) -> Settings:
    for name, value in known.items():
        (folder / name).write_text(f"{value}\n")
    return told(SECRETS=str(folder))


def test_folders_have_defaults_and_may_be_elsewhere() -> None:
    settings = told(DATA="/elsewhere")
    assert (settings.data, settings.filestore) == (Path("/elsewhere"), Path("/filestore"))


@pytest.mark.parametrize("name", ["STORE", "QUEUE", "DATABASE"])
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(PlatformError, match=f"PEAKDRILL_{name} is not set"):
        told().addresses(name)


@pytest.mark.parametrize("wrong", ["store", "store:", ":8333", "store:0", "store:70000", "store:x"])
def test_an_address_is_a_host_and_a_port(wrong: str) -> None:
    with pytest.raises(PlatformError, match=r"PEAKDRILL_STORE is .*; wanted: HOST:PORT"):
        told(STORE=wrong).address("STORE")


def test_several_addresses_keep_their_order() -> None:
    found = told(DATABASE="b:2,a:1").addresses("DATABASE")
    assert found == (Address("b", 2), Address("a", 1))


def test_options_as_told() -> None:
    options = told(SYNCHRONOUS="false", DIALECT="14", LEADER_TTL_S="30").options
    assert (options.synchronous, options.dialect, options.leader_ttl_s) == (False, 14, 30)


@pytest.mark.parametrize(("name", "wrong"), [("SYNCHRONOUS", "yes"), ("DIALECT", "-1")])
def test_an_option_that_is_none_is_refused(name: str, wrong: str) -> None:
    with pytest.raises(PlatformError, match=f"PEAKDRILL_{name} is '{wrong}'"):
        _ = told(**{name: wrong}).options


def test_a_secret_is_read_again_at_every_use(tmp_path: Path) -> None:
    settings = with_secrets(tmp_path, valkey="old")
    assert settings.secret("valkey") == "old"
    with_secrets(tmp_path, valkey="new")
    assert settings.secret("valkey") == "new"


def test_a_secret_that_is_missing_or_empty_is_named_and_not_replaced(tmp_path: Path) -> None:
    settings = with_secrets(tmp_path, valkey="")
    with pytest.raises(PlatformError, match="the secret valkey is empty"):
        settings.secret("valkey")
    with pytest.raises(PlatformError, match="the secret shop cannot be read"):
        settings.secrets_of("shop")


def test_secrets_that_a_part_may_not_have_are_words_that_nobody_knows(tmp_path: Path) -> None:
    settings = with_secrets(tmp_path, shop="ours", postgres="not for us")
    first, second = settings.secrets_of("shop"), settings.secrets_of("shop")
    assert first.shop == second.shop == "ours"
    others = {name: value for name, value in asdict(first).items() if name != "shop"}
    assert "not for us" not in others.values()
    assert all(value != asdict(second)[name] for name, value in others.items())


def test_settings_show_no_environment() -> None:
    assert "hidden" not in repr(told(SECRETS="hidden"))
