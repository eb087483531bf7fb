"""YAML as people write it, read with the line of every key, and within limits.

A subset on purpose: true and false are the only booleans (the tenant `no` stays Norway), there
are no sexagesimal numbers, dates, tags or merge keys, and a key stands once. Aliases are read,
but size, depth and the number of values after their expansion are limited.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness.errors import BadInput, UsageError
from harness.inputs.words import shown

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_VALUES = 20_000
MAX_DIGITS = 15  # what a double holds exactly

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values, and the line on which each key stands."""

    file: Path
    value: object
    lines: Mapping[KeyPath, int]

    def line_of(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest one above it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def bad(self, path: KeyPath, what: str, *, allowed: tuple[str, ...] = ()) -> BadInput:
        """The error that names this key of this file."""
        return BadInput(
            self.file, what, line=self.line_of(path), key=key_text(path), allowed=allowed
        )


def key_text(path: KeyPath) -> str:
    """A path as people say it.

    >>> key_text(("overrides", 1, "order-capture", "rto_s"))
    'overrides[1].order-capture.rto_s'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part if re.fullmatch(r"[\w-]{1,60}", part) else shown(part)
            text += f".{bare}" if text else bare
    return text


def read_text(file: Path, *, max_bytes: int = MAX_BYTES) -> str:
    """A small UTF-8 text file. Raises UsageError where it cannot be read, BadInput else."""
    try:
        with file.open("rb") as stream:
            raw = stream.read(max_bytes + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(f"cannot read {file}: {why}", next_step="check the path") from error
    except ValueError as error:  # a NUL in the path
        raise UsageError(f"cannot read {shown(str(file))}: {error}") from error
    if len(raw) > max_bytes:
        raise BadInput(file, f"is larger than {max_bytes // 1024} KiB; this is not such a file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput(file, "is not UTF-8 text", line=line) from error


def read_yaml(file: Path) -> Document:
    """Read, or raise an error that names the line."""
    node = _compose(file, read_text(file))
    if node is None:
        raise BadInput(file, "is empty", line=1)
    reader = _Reader(file)
    value = reader.value(node, ())
    return Document(file, value, {(): 1, **reader.lines})


def check_syntax(file: Path) -> None:
    """Only that it is YAML within the limits; its meaning belongs to somebody else."""
    node = _compose(file, read_text(file))
    if not isinstance(node, yaml.MappingNode):
        raise BadInput(file, "must be a mapping (key: value)", line=1)


class _Limit(Exception):
    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line, self.what = line, what


class _Loader(yaml.SafeLoader):
    """SafeLoader's parser with a smaller resolver; nothing is constructed by it."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own protocol)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            raise _Limit(event.start_mark.line + 1, f"tags such as {shown(event.tag)} are not read")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Limit(event.start_mark.line + 1, f"is nested deeper than {MAX_DEPTH} levels")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_Loader.add_implicit_resolver("null", re.compile(r"(~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(
    "bool", re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
)
_Loader.add_implicit_resolver("int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("float", _FLOAT, list("-+.0123456789"))
_Loader.add_implicit_resolver("merge", re.compile(r"<<\Z"), ["<"])


def _compose(file: Path, text: str) -> yaml.Node | None:
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        return loader.get_single_node()
    except _Limit as error:
        raise BadInput(file, error.what, line=error.line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        told = error.problem or error.context or "cannot be parsed"
        raise BadInput(file, f"is not YAML: {_one_line(told)}", line=line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadInput(file, "holds a control character", line=line) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        # PyYAML lets chr() and int() fail on some escapes and directives
        line = loader.line + 1 if loader else 1
        raise BadInput(file, f"is not YAML: {_one_line(str(error))}", line=line) from None
    finally:
        if loader is not None:
            loader.dispose()


def _one_line(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:200]


class _Reader:
    """From nodes to plain values, counting, and remembering the lines."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self._values = 0
        self._open: set[int] = set()  # an alias can point to what holds it

    def value(self, node: yaml.Node, path: KeyPath) -> object:
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._bad(node, path, f"holds more than {MAX_VALUES} values (aliases expanded)")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open or len(path) > MAX_DEPTH:
            raise self._bad(node, path, "an alias leads back into itself, or too deep")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return self._sequence(node, path)
            assert isinstance(node, yaml.MappingNode)
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[object]:
        values = []
        for index, item in enumerate(node.value):
            self.lines[(*path, index)] = item.start_mark.line + 1
            values.append(self.value(item, (*path, index)))
        return values

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            here = (*path, key)
            line = key_node.start_mark.line + 1
            if key in values:
                first = self.lines[here]
                raise BadInput(
                    self.file,
                    f"stands twice (first on line {first}); keep one",
                    line=line,
                    key=key_text(here),
                )
            self.lines[here] = line
            values[key] = self.value(value_node, here)
        return values

    def _key(self, node: yaml.Node, path: KeyPath) -> str:
        if node.tag == "merge":
            raise self._bad(node, path, "merge keys (<<) are not read; write the keys out")
        if not isinstance(node, yaml.ScalarNode) or node.tag in {"null", "bool", "float", "int"}:
            raise self._bad(node, path, "a key must be a name; put it in quotes if it is one")
        return self._text(node, path)

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> object:
        text = node.value
        if node.tag == "null":
            return None
        if node.tag == "bool":
            return text.lower() == "true"
        if node.tag in {"int", "float"}:
            if sum(c.isdigit() for c in text) > MAX_DIGITS:
                raise self._bad(node, path, f"has more than {MAX_DIGITS} digits")
            return int(text) if node.tag == "int" else float(text)
        return self._text(node, path)

    def _text(self, node: yaml.ScalarNode, path: KeyPath) -> str:
        text = str(node.value)
        if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
            raise self._bad(node, path, "holds half of a surrogate pair, which is not text")
        return text

    def _bad(self, node: yaml.Node, path: KeyPath, what: str) -> BadInput:
        return BadInput(self.file, what, line=node.start_mark.line + 1, key=key_text(path))
