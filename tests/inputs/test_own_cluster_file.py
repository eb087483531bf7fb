"""platform.yaml of a stack of one's own in a cluster: every mistake with its place and its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.plan import NOT_YET
from harness.errors import BadInput, UsageError
from harness.inputs.own_cluster_file import Door, read_any_cluster, read_own_cluster
from harness.platforms import find
from harness.platforms.capabilities import NAMES

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "platform-own-kubernetes.yaml"
LEAST = """kind: kubernetes
stack: own
namespace: webshop
application:
  kind: shop
  url: http://127.0.0.1:8069
  database: shop
  login: admin
  password_file: password
  pods: {app: front}
database:
  managed_by: plain
  pods: {app: pg}
  dsn: "host=127.0.0.1 dbname=shop user=reader passfile=reader.pgpass"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "platform.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_least_that_is_enough(tmp_path: Path) -> None:
    options = read_own_cluster(written(tmp_path, LEAST))
    assert not options.disposable
    assert options.database.copies == 1
    assert options.database.role_label == ""
    assert options.application.password_file == tmp_path / "password"
    assert str(tmp_path / "reader.pgpass") in options.application.dsn
    assert options.door is None


def test_the_example_is_sound_and_offers_what_it_says() -> None:
    options = read_own_cluster(EXAMPLE)
    assert options.database.role_label == "cnpg.io/instanceRole"
    assert options.door == Door("traefik", "webshop", may_close=False)
    facts = find.facts_of("kubernetes", EXAMPLE)
    assert set(facts.capabilities) <= set(NAMES)
    assert {"nodes", "database.standby", "filestore.read", "ingress"} <= set(facts.capabilities)
    assert "unproven: backups by cloudnative-pg (list, verify, restore)" in facts.notes
    assert "a stack led by cloudnative-pg" in facts.unproven
    assert any(NOT_YET in told for _, told in facts.versions), "the gate waits for what it is"


def test_a_plain_one_alone_offers_no_standby(tmp_path: Path) -> None:
    facts = find.facts_of("kubernetes", written(tmp_path, LEAST))
    assert set(facts.capabilities) == {"application", "database.read", "faults.cluster"}
    assert any("checksums" in note for note in facts.notes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LEAST.replace("  pods: {app: pg}\n", ""), "line 11: database.pods: is missing"),
        (LEAST.replace("plain", "patrony"), "'patrony' is not known"),
        (LEAST.replace("{app: pg}", "{}"), "database.pods: must not be empty"),
        (LEAST.replace("{app: pg}", "{app: 'pg,x=y'}"), "database.pods.app: must match"),
        (LEAST.replace("user=reader", "user=reader password=x1y2"), "must not hold a password"),
        (LEAST.replace("http://127", "http://me:pw@127"), "must not hold a user or a password"),
        (LEAST.replace("webshop", "kube-system"), "is the cluster's own"),
        (LEAST + "documents: {}\n", "documents: names nothing"),
        (
            LEAST + "documents: {folder: a, pod: {path: /b}}\n",
            "documents: names folder and pod",
        ),
        (LEAST + "backups: {by: pgbackrest}\n", "backups.list: is missing"),
        (
            LEAST + "backups: {by: cloudnative-pg, verify: [./v]}\n",
            "backups.verify: does not say which one: {backup}",
        ),
        (LEAST + "backups: {by: tar}\n", "'tar' is not known"),
        (LEAST + "ingress: {kind: nginx, name: a}\n", "'nginx' is not known"),
        (LEAST + "nodes: {stop: [a], start: [b, '{node}']}\n", "does not say which node"),
        (LEAST + "node_ports: {ingress: 30080}\n", "node_ports: is not known"),
        (
            LEAST.replace("{app: pg}\n", "{app: pg}\n  role_label: role\n"),
            "database.role_label: is of no use",
        ),
    ],
)
def test_a_mistake_is_told_by_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_any_cluster(written(tmp_path, text))
    flat = str(caught.value)
    assert "platform.yaml" in flat
    assert told.partition(": ")[2] in flat or told in flat, flat
    assert "x1y2" not in flat


def test_a_misspelt_stack_is_told_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'owm' is not known"):
        read_any_cluster(written(tmp_path, "kind: kubernetes\nstack: owm\n"))


def test_it_is_nothing_to_bring_up(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither starts nor ends"):
        find.start("kubernetes", written(tmp_path, LEAST))
