"""Values as the report for programs writes them: seconds, money, nothing that is no JSON."""

from __future__ import annotations

from typing import TypeAlias

from reports.words import NS_PER_S

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"


def rounded(value: float) -> int | float:
    """Six significant digits; a whole number without a point.

    >>> rounded(14.26789123), rounded(60.0)
    (14.2679, 60)
    """
    short = float(f"{value:.6g}")
    return int(short) if short.is_integer() else short


def in_seconds(ns: int | None) -> int | float | None:
    return None if ns is None else rounded(ns / NS_PER_S)


def exact_money(cents: int) -> int | float:
    """Exact: a number with at most two decimals."""
    return cents // 100 if cents % 100 == 0 else round(cents / 100, 2)
