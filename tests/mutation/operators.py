"""What is changed: one place of a module at a time, by its syntax tree.

Left out, since they decide nothing: annotations, docstrings, texts, decorators, imports and what
stands behind TYPE_CHECKING. Texts are held by the golden reports.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip

_DECIDES_NOTHING = {
    "annotation", "returns", "decorator_list", "type_comment", "bases", "op", "ops",
}  # fmt: skip
_LARGE = 100  # from here on a constant is doubled: one more would be nobody's harm


@dataclass(frozen=True)
class Mutant:
    """One change. Its key holds as long as its function and its text do, wherever they stand."""

    number: int
    line: int
    statement: int  # the line on which its statement begins
    inside: str  # the function or class, "" at the module's own level
    at_import: bool  # runs when the module is imported, not when a test calls it
    key: str  # what, where and into what; the second of the same ends with "#2"


@dataclass(frozen=True)
class _Change:
    node: ast.AST
    replacement: ast.AST


def mutants(source: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for number, (change, where) in enumerate(_changes(ast.parse(source))):
        line = getattr(change.node, "lineno", 0)
        key = f"{where.inside}: {_text(change.node)} -> {_text(change.replacement)}"
        seen[key] += 1
        if seen[key] > 1:
            key = f"{key} #{seen[key]}"
        statement = min(where.statement or line, line)
        found.append(Mutant(number, line, statement, where.inside, where.at_import, key))
    return found


def mutated(source: str, number: int) -> ast.Module:
    """The module with that one change."""
    tree = ast.parse(source)
    for at, (change, _) in enumerate(_changes(tree)):
        if at == number:
            _put(tree, change)
            return ast.fix_missing_locations(tree)
    raise IndexError(number)


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:160]


def _put(tree: ast.Module, change: _Change) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is change.node:
                setattr(parent, name, ast.copy_location(change.replacement, change.node))
                return
            if isinstance(value, list):
                for at, item in enumerate(value):
                    if item is change.node:
                        value[at] = ast.copy_location(change.replacement, change.node)
                        return
    raise AssertionError("the place of a change is not in its tree")


@dataclass(frozen=True)
class _Where:
    inside: str = ""
    at_import: bool = True
    statement: int = 0


def _changes(tree: ast.Module) -> Iterator[tuple[_Change, _Where]]:
    yield from _below(tree, _Where())


def _below(node: ast.AST, where: _Where) -> Iterator[tuple[_Change, _Where]]:
    for child in _looked_at(node):
        here = where
        if isinstance(child, ast.stmt):
            here = replace(where, statement=child.lineno)
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            name = f"{where.inside}.{child.name}".lstrip(".")
            if isinstance(child, ast.FunctionDef):
                yield from _below(child.args, here)  # defaults: made when the function is
                here = replace(here, at_import=False)
            yield from _below(child, replace(here, inside=name))
            continue
        for replacement in _replacements(child):
            yield _Change(child, replacement), here
        yield from _below(child, here)


def _looked_at(node: ast.AST) -> Iterator[ast.AST]:
    """The children that decide something."""
    for name, value in ast.iter_fields(node):
        if name in _DECIDES_NOTHING or (name == "args" and isinstance(node, ast.FunctionDef)):
            continue  # a function's defaults are looked at where it is made
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, ast.AST) and not _says_nothing(child):
                yield child


def _says_nothing(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring
    if isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name) and target.id.startswith("type_"):
            return True
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARE:
            yield ast.Compare(node.left, [_COMPARE[type(op)]()], node.comparators)
        case ast.Compare():
            for at, op in enumerate(node.ops):
                ops = list(node.ops)
                ops[at] = _COMPARE[type(op)]()
                yield ast.Compare(node.left, ops, node.comparators)
        case ast.BinOp() if type(node.op) in _ARITHMETIC and not (_of_text(node) or _union(node)):
            yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
        case ast.AugAssign() if type(node.op) in _ARITHMETIC:
            yield ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield node.operand
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield ast.BoolOp(other, node.values)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)) | ast.Constant(value=float(value)):
            yield ast.Constant(value + 1 if abs(value) < _LARGE else 2 * value)
        case ast.Return(value=ast.Constant(value="")):
            yield ast.Return(ast.Constant("another"))
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.If() | ast.IfExp() | ast.While() if _plain(node.test):
            negated = copy.copy(node)
            negated.test = ast.UnaryOp(ast.Not(), node.test)
            yield negated
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case _:
            return


def _plain(test: ast.expr) -> bool:
    """A condition that no other change would turn round."""
    return not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp)


def _union(node: ast.BinOp) -> bool:
    """Types that are named together."""
    return isinstance(node.op, ast.BitOr) and all(
        (isinstance(side, ast.Name) and side.id[0].isupper())
        or (isinstance(side, ast.BinOp) and _union(side))
        for side in (node.left, node.right)
    )


def _of_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(s, ast.JoinedStr) or (isinstance(s, ast.Constant) and isinstance(s.value, str))
        for s in sides
    )
