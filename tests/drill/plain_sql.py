"""The figures of a restore, counted a second time: a dump of the ledger against the tables.

Plain SQL on the platform as the drill left it, and none of the harness's own queries or classes.
A record that was acknowledged before the door was closed is gone for good when it is not there, or
not as far as was acknowledged: its stage, its document, its cancellation. It was brought back when
its row was made after the restore.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from harness.ledger.reader import read_ledgers

LEDGER = """
CREATE TEMP TABLE ledger (key text, workload int, kind int, stage int, outcome int, canary bool,
                          cents bigint, done_ns bigint)
"""
# kinds: 1 create, 2 advance, 3 attach, 4 cancel, 5 resync; stages: 2 confirmed, 3 reserved, 4 done
SAID = """
CREATE TEMP TABLE {name} AS
SELECT key, min(workload) AS workload, bool_or(canary) AS canary,
       max(cents) FILTER (WHERE kind = 1) AS cents,
       max(stage) FILTER (WHERE ok AND kind IN (1, 2, 5)) AS stage,
       bool_or(ok AND kind = 3) AS attached, bool_or(ok AND kind = 4) AS given_up
FROM (SELECT *, outcome = 1 AND done_ns < %s AS ok FROM ledger) l
WHERE kind IN (1, 2, 3, 4, 5) GROUP BY key HAVING bool_or(ok)
"""
HELD = """
CREATE TEMP TABLE held AS
SELECT client_order_ref AS key, min(create_date) AS made, bool_or(EXISTS (
           SELECT FROM ir_attachment a WHERE a.res_model = 'sale.order' AND a.res_id = o.id
       )) AS document, max(CASE
           WHEN state = 'cancel' THEN 9 WHEN state = 'draft' THEN 1
           WHEN NOT EXISTS (SELECT FROM stock_picking p
                            WHERE p.sale_id = o.id AND p.state <> 'cancel') THEN 2
           WHEN NOT EXISTS (SELECT FROM stock_picking p
                            WHERE p.sale_id = o.id AND p.state NOT IN ('done', 'cancel')) THEN 4
           WHEN NOT EXISTS (SELECT FROM stock_picking p WHERE p.sale_id = o.id
                            AND p.state NOT IN ('assigned', 'done', 'cancel')) THEN 3
           ELSE 2 END) AS stage
FROM sale_order o WHERE starts_with(client_order_ref, %(prefix)s) GROUP BY 1
UNION ALL SELECT pos_reference, min(create_date), false, 1
FROM pos_order WHERE starts_with(pos_reference, %(prefix)s) GROUP BY 1
UNION ALL SELECT ref, min(create_date), false,
                 max(CASE state WHEN 'draft' THEN 1 WHEN 'posted' THEN 2 ELSE 9 END)
FROM account_move WHERE starts_with(ref, %(prefix)s) AND move_type = 'out_invoice' GROUP BY 1
"""
JUDGED = """
SELECT said.*, held.made, held.key IS NULL OR attached AND NOT held.document
       OR CASE WHEN given_up THEN held.stage <> 9 ELSE said.stage > held.stage END AS gone
FROM {name} said LEFT JOIN held USING (key)
"""
FIGURES = """
SELECT workload, count(*) FILTER (WHERE gone),
       count(*) FILTER (WHERE made > %s),
       coalesce(sum(cents) FILTER (WHERE gone AND NOT canary), 0),
       coalesce(sum(cents) FILTER (WHERE made > %s AND NOT canary), 0)
FROM ({judged}) judged GROUP BY workload
"""
LOST = "SELECT workload, count(*) FILTER (WHERE gone) FROM ({judged}) judged GROUP BY workload"
NEVER_NS = 2**63 - 1


@dataclass(frozen=True)
class Figures:
    """One workload. Money in cents, canaries left out of it."""

    gone: int
    back: int
    gone_cents: int
    back_cents: int
    lost_in_all: int  # also of what was acknowledged after the door was opened again


def figures(dsn: str, run: Path, *, cut_ns: int, restored_ns: int) -> dict[int, Figures]:
    """By the ledger's code of the workload. Times on the run's clock, which is this machine's."""
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute(LEDGER)
        _dump(database, run)
        for name, until_ns in (("by_cut", cut_ns), ("in_all", NEVER_NS)):
            with psycopg.ClientCursor(database) as asked:
                asked.execute(SAID.format(name=name), (until_ns,))
        with psycopg.ClientCursor(database) as asked:
            asked.execute(HELD, {"prefix": f"pd-{run.name}-"})
        restored = _wall(restored_ns)
        by_cut = FIGURES.format(judged=JUDGED.format(name="by_cut"))
        counted = {row[0]: row[1:] for row in database.execute(by_cut, (restored, restored))}
        lost = dict(database.execute(LOST.format(judged=JUDGED.format(name="in_all"))).fetchall())
        return {
            code: Figures(*map(int, counted.get(code, (0, 0, 0, 0))), lost_in_all=int(count))
            for code, count in lost.items()
        }


def _dump(database: psycopg.Connection, run: Path) -> None:
    o = read_ledgers(run / "ledger")[0]
    names = (
        "worker",
        "record",
        "workload",
        "kind",
        "stage",
        "outcome",
        "flags",
        "value_cents",
        "done_ns",
    )
    with database.cursor().copy("COPY ledger FROM STDIN") as copy:
        for row in zip(*(getattr(o, name).tolist() for name in names), strict=True):
            worker, record, workload, kind, stage, outcome, flags, cents, done_ns = row
            key = f"pd-{run.name}-{worker}-{record}"
            copy.write_row((key, workload, kind, stage, outcome, bool(flags & 1), cents, done_ns))


def _wall(ns: int) -> datetime:
    """An instant of the monotonic clock as the database writes it: UTC without a zone."""
    return datetime.fromtimestamp((time.time_ns() - time.monotonic_ns() + ns) / 1e9, UTC).replace(
        tzinfo=None
    )
