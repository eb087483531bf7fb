"""What it is, by its own word: refused by name before anything is touched, and never a guess."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from own_odoo import OwnOdoo

from harness.core.operation import Workload
from harness.errors import Refused
from harness.faults import journal
from harness.inputs.odoo_file import OdooOptions, read_odoo
from harness.platforms import find
from harness.platforms.odoo.detect import detect, refuse_unserved
from harness.platforms.odoo.platform import OdooPlatform, attach
from harness.platforms.odoo.platform import facts as facts_of
from harness.platforms.odoo.state import State


@pytest.fixture
def options(standing: OwnOdoo, monkeypatch: pytest.MonkeyPatch) -> OdooOptions:
    return options_of(standing, monkeypatch)


@pytest.fixture
def of_own(own: OwnOdoo, monkeypatch: pytest.MonkeyPatch) -> OdooOptions:
    return options_of(own, monkeypatch)


def options_of(odoo: OwnOdoo, monkeypatch: pytest.MonkeyPatch) -> OdooOptions:
    monkeypatch.setenv("PEAKDRILL_HOME", str(odoo.home))
    return read_odoo(odoo.file)


def taken_up(options: OdooOptions) -> OdooPlatform:
    platform = find.odoo(options)
    platform.take_up(options)
    return platform


def test_it_is_what_it_says_and_a_stand_in_is_called_one(options: OdooOptions) -> None:
    platform = taken_up(options)
    facts = platform.facts()
    assert facts.kind == platform.endpoints().kind == "shop"
    assert facts.heading.startswith("stand-in application that speaks Odoo 14")
    assert platform.endpoints().version == 14
    assert set(facts.capabilities) == {
        "application", "database.read", "filestore.read", "faults.command",
    }  # fmt: skip
    assert platform.whole().whole, platform.whole().missing


def test_two_of_one_version_are_two_configurations(tmp_path: Path) -> None:
    """A gate that mixed them would clear the one by drills on the other."""
    options = OdooOptions(tmp_path, "http://127.0.0.1:8069", "shop", "admin", tmp_path / "p", "")
    own = State(options, 2, 14, "14.0", stand_in=False, modules=())
    copy = replace(own, options=replace(options, database="copy"))
    assert facts_of(own.options, own) != facts_of(copy.options, copy)
    moved = replace(own, options=replace(options, folder=options.folder / "elsewhere"))
    assert facts_of(own.options, own) == facts_of(moved.options, moved)


def test_one_that_is_down_or_whose_database_is_away_is_not_whole(
    own: OwnOdoo, of_own: OdooOptions
) -> None:
    platform = taken_up(of_own)
    own.server.stop("immediate")
    try:
        told = "; ".join(platform.whole().missing)
        assert "the application does not serve" in told
        assert "the database cannot be read" in told
    finally:
        own.server.start()
    own.shop.stop()
    assert "the application does not serve" in "; ".join(platform.whole().missing)


def test_a_filestore_that_is_not_there_is_not_whole(options: OdooOptions) -> None:
    platform = taken_up(replace(options, filestore=options.folder / "elsewhere"))
    (told,) = platform.whole().missing
    assert "elsewhere is not there" in told


def test_a_filestore_that_one_may_not_look_into_is_not_whole(
    options: OdooOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Odoo's own folders are its user's: whoever runs a drill has to be let in."""

    def forbidden(folder: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(folder))

    platform = taken_up(options)
    monkeypatch.setattr(Path, "iterdir", forbidden)
    (told,) = platform.whole().missing
    assert told == f"the filestore {options.filestore} cannot be read: Permission denied"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 19}, "is Odoo 14.0, and platform.yaml says 19"),
        ({"login": "nobody"}, "does not know the login 'nobody'"),
        (
            {"url": "http://127.0.0.1:9"},
            "no Odoo answers at http://127.0.0.1:9: Connection refused",
        ),
        ({"dsn": "host=127.0.0.1 port=9 user=x connect_timeout=2"}, "the database cannot be read"),
    ],
)
def test_what_is_not_as_the_file_says_is_refused(
    options: OdooOptions, change: dict, told: str
) -> None:
    with pytest.raises(Refused) as refused:
        detect(replace(options, **change))
    assert told in refused.value.what


def test_a_password_file_that_is_gone_or_wrong_is_refused(
    own: OwnOdoo, of_own: OdooOptions
) -> None:
    (own.folder / "password").write_text("another")
    with pytest.raises(Refused, match="does not know the login") as refused:
        detect(of_own)
    assert "another" not in str(refused.value)
    (own.folder / "password").unlink()
    with pytest.raises(Refused, match="cannot be read: No such file"):
        detect(of_own)


@pytest.mark.parametrize(
    ("mode", "told"), [(None, "is not there: one line"), (0o644, "chmod 600"), (0o600, "mend dsn")]
)
def test_a_reader_who_is_not_let_in_is_told_how(
    options: OdooOptions, tmp_path: Path, mode: int | None, told: str
) -> None:
    passfile = tmp_path / "another.pgpass"
    if mode is not None:
        passfile.write_text("*:*:*:reader:secret-word\n")
        passfile.chmod(mode)
    dsn = f"host=127.0.0.1 port=9 user=reader connect_timeout=2 passfile={passfile}"
    with pytest.raises(Refused, match="the database cannot be read") as caught:
        detect(replace(options, dsn=dsn))
    assert told in str(caught.value.next_step)
    assert "secret-word" not in f"{caught.value} {caught.value.next_step}"


def test_a_reader_who_may_not_read_is_refused_by_table(own: OwnOdoo, of_own: OdooOptions) -> None:
    with own.connect() as database:
        database.execute("CREATE ROLE blind LOGIN")
        database.execute("GRANT SELECT ON sale_order TO blind")
    blind = of_own.dsn.replace("user=shop", "user=blind")
    with pytest.raises(Refused, match="may not read sale_order_line, ") as refused:
        detect(replace(of_own, dsn=blind))
    assert "pos_order" in refused.value.what


def test_a_workload_without_its_module_is_refused_by_name(options: OdooOptions) -> None:
    state = State(options, 2, 18, "18.0", False, ("account", "sale_stock"))
    refuse_unserved(state, (Workload.ORDER_CAPTURE, Workload.FINANCE))
    with pytest.raises(Refused, match="point-of-sale needs point_of_sale"):
        refuse_unserved(state, tuple(Workload))


def test_it_is_only_forgotten_and_not_before_it_is_whole_again(
    standing: OwnOdoo, options: OdooOptions
) -> None:
    platform = taken_up(options)
    entry = journal.write(platform.directory, "command", {"command": "database-stop"}, "r1")
    platform.down()
    assert find.odoos(), "what is broken on it is not forgotten"
    journal.remove(entry)
    platform.down()
    assert find.odoos() == ()
    with pytest.raises(Refused):
        attach(platform.directory)
    assert standing.shop.answers(), "and it runs on"
    assert platform.directory.stat().st_mode & 0o077 == 0
