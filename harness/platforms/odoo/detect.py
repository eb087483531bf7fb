"""What an Odoo is, by its own word and its database's: version, modules, who may read what.

Everything that a drill needs and that is missing is refused here by name, while nothing has been
touched. It only looks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from harness.core.operation import Workload
from harness.errors import Refused
from harness.inputs.odoo_file import VERSIONS, OdooOptions
from harness.platforms.odoo import rpc
from harness.platforms.odoo.state import State

NEEDS: Mapping[Workload, tuple[str, ...]] = {
    Workload.ORDER_CAPTURE: ("sale_stock",),
    Workload.STOCK_RESERVATION: ("sale_stock",),
    Workload.FULFILMENT: ("sale_stock",),
    Workload.MARKETPLACE: ("sale_stock",),
    Workload.POINT_OF_SALE: ("point_of_sale",),
    Workload.FINANCE: ("account",),
}
_TABLES = {
    "sale_stock": (
        "sale_order", "sale_order_line", "stock_picking", "stock_move", "stock_move_line",
        "stock_quant", "stock_location", "ir_attachment",
    ),
    "point_of_sale": ("pos_order", "pos_order_line", "pos_payment"),
    "account": ("account_move", "account_move_line"),
}  # fmt: skip
_ASK_S = 20.0
_OTHERS = 0o077  # what a passfile must not let others do
_GRANT = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO that role"


def detect(options: OdooOptions) -> State:
    """Ask it. Raises Refused, with what is missing and what to do."""
    full = _version(options)
    stand_in, modules = _look_inside(options)
    return State(options, _uid(options), _major(options, full), full, stand_in, modules)


def _version(options: OdooOptions) -> str:
    told = rpc.version(options, timeout_s=_ASK_S)
    if not told.answered or not isinstance(told.result, dict):
        raise Refused(
            f"no Odoo answers at {options.url}: {told.why or 'it does not tell its version'}",
            next_step="start it, or mend url in platform.yaml",
        )
    return str(told.result.get("server_version") or "")[:40]


def _major(options: OdooOptions, full: str) -> int:
    """14 of "14.0", 18 of "saas~18.2"."""
    found = re.search(r"\d+", full)
    major = int(found.group()) if found else 0
    if major not in VERSIONS:
        raise Refused(
            f"{options.url} is Odoo {full or 'of an unknown version'}",
            next_step=f"drill one of {VERSIONS[0]} to {VERSIONS[-1]}",
        )
    if options.version not in {None, major}:
        raise Refused(
            f"{options.url} is Odoo {full}, and platform.yaml says {options.version}",
            next_step="mend version in platform.yaml, or leave it out",
        )
    return major


def _uid(options: OdooOptions) -> int:
    try:
        told = rpc.authenticate(options, timeout_s=_ASK_S)
    except OSError as error:
        raise Refused(
            f"{options.password_file} cannot be read: {error.strerror}",
            next_step="mend password_file in platform.yaml",
        ) from error
    if not told.answered:
        raise Refused(
            f"the Odoo at {options.url} does not let anybody in: {told.why}",
            next_step="look at its log, and at database in platform.yaml",
        )
    if isinstance(told.result, bool) or not isinstance(told.result, int):
        raise Refused(
            f"the Odoo at {options.url} does not know the login {options.login!r} with the "
            f"password in {options.password_file}",
            next_step="mend login or password_file in platform.yaml",
        )
    return told.result


def _look_inside(options: OdooOptions) -> tuple[bool, tuple[str, ...]]:
    """Whether it is our own stand-in, and which of the modules that workloads need are there."""
    try:
        with psycopg.connect(options.dsn, connect_timeout=10, autocommit=True) as database:
            stand_in = _there(database, "shop_outbox")
            modules = tuple(_TABLES) if stand_in else _installed(database)
            hidden = _hidden(database, modules)
    except psycopg.Error as error:
        raise Refused(
            f"the database cannot be read: {_first_line(error)}",
            next_step=_how_to_be_let_in(options, error),
        ) from error
    if hidden:
        raise Refused(
            f"the role of dsn may not read {', '.join(hidden)}: nothing could be read back",
            next_step=_GRANT,
        )
    return stand_in, modules


def _how_to_be_let_in(options: OdooOptions, error: psycopg.Error) -> str:
    """Libpq passes over a passfile that it does not like, and then has no password."""
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return _GRANT
    named = conninfo_to_dict(options.dsn).get("passfile")
    passfile = Path(str(named)) if named else None
    if passfile is not None and not passfile.is_file():
        return f"{passfile} is not there: one line, HOST:PORT:DATABASE:USER:PASSWORD, and chmod 600"
    if passfile is not None and passfile.stat().st_mode & _OTHERS:
        return f"chmod 600 {passfile}: libpq passes over one that others may read"
    return "mend dsn in platform.yaml, or the role and password in its passfile"


def _there(database: psycopg.Connection, table: str) -> bool:
    found = database.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone()
    return bool(found and found[0])


def _installed(database: psycopg.Connection) -> tuple[str, ...]:
    if not _there(database, "ir_module_module"):
        raise Refused(
            "the database of dsn is no Odoo's: it has no table ir_module_module",
            next_step="mend dbname in dsn",
        )
    rows = database.execute(
        "SELECT name FROM ir_module_module WHERE state = 'installed' AND name = ANY(%s)",
        [list(_TABLES)],
    ).fetchall()
    return tuple(sorted(str(name) for (name,) in rows))


def _hidden(database: psycopg.Connection, modules: tuple[str, ...]) -> list[str]:
    tables = [table for module in modules for table in _TABLES[module]]
    rows = database.execute(
        "SELECT t FROM unnest(%s::text[]) t"
        " WHERE to_regclass(t) IS NULL OR NOT has_table_privilege(to_regclass(t), 'SELECT')",
        [tables],
    ).fetchall()
    return [str(name) for (name,) in rows]


def _first_line(error: psycopg.Error) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def refuse_unserved(state: State, workloads: tuple[Workload, ...]) -> None:
    """Raises Refused for a workload whose module is not installed: nobody could trade it."""
    lacking = {
        workload: [module for module in NEEDS[workload] if module not in state.modules]
        for workload in workloads
    }
    told = [f"{workload} needs {', '.join(m)}" for workload, m in lacking.items() if m]
    if told:
        raise Refused(
            f"modules are not installed in this Odoo: {'; '.join(told)}",
            next_step="install them, or leave these workloads out of targets.yaml",
        )
