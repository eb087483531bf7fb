"""YAML with line numbers: what is read, and what is refused with its line."""

from pathlib import Path

import pytest

from harness.errors import BadInput, UsageError
from harness.inputs import yaml_lines
from harness.inputs.yaml_lines import check_syntax, key_text, read_text, read_yaml


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str | bytes) -> Path:
        file = tmp_path / "file.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def test_values_and_the_line_of_every_key(written) -> None:
    document = read_yaml(written("a: 1\nb:\n  - c: 2.5\n  - d: yes\n"))
    assert document.value == {"a": 1, "b": [{"c": 2.5}, {"d": "yes"}]}
    assert document.line_of(("b", 1, "d")) == 4
    assert document.line_of(("b", 0, "c", "not", "there")) == 3
    assert document.line_of(("nothing",)) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),  # Norway
        ("on", "on"),
        ("12:30", "12:30"),  # no sexagesimal numbers
        ("2026-11-22", "2026-11-22"),  # no dates
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("010", 10),
        ("-3", -3),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", ".inf"),
        ("true", True),
        ("~", None),
        ("'12'", "12"),
        ("é", "é"),
    ],
)
def test_scalars_mean_what_they_say(written, text: str, value: object) -> None:
    read = read_yaml(written(f"key: {text}\n")).value
    assert read == {"key": value}
    assert isinstance(read, dict)
    assert type(read["key"]) is type(value)


def test_an_alias_is_read(written) -> None:
    assert read_yaml(written("a: &x {b: 1}\nc: *x\n")).value == {"a": {"b": 1}, "c": {"b": 1}}


BOMB = (
    "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
    + "".join(f"{n}: &{n} [{','.join([f'*{m}'] * 10)}]\n" for m, n in ["ab", "bc", "cd", "de"])
    + "f: [*e,*e,*e]\n"
)

REFUSED = {
    "empty": ("", 1, "is empty"),
    "only a comment": ("# nothing\n", 1, "is empty"),
    "unclosed": ("a: [1\nb: 2\n", 2, "is not YAML"),
    "tab": ("a:\n\tb: 1\n", 2, "is not YAML"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "is not YAML"),
    "twice": ("a: 1\nb: 2\na: 3\n", 3, "stands twice (first on line 1)"),
    "twice, nested": ("a:\n  b: 1\n  b: 2\n", 3, "a.b: stands twice"),
    "merge": ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "merge keys"),
    "number as a key": ("a: 1\n18: x\n", 2, "a key must be a name"),
    "list as a key": ("? [a]\n: 1\n", 1, "a key must be a name"),
    "tag": ("a: 1\nb: !!python/object/apply:os.system [id]\n", 2, "tags such as"),
    "tag, local": ("a: !thing 1\n", 1, "tags such as"),
    "alias into itself": ("a: &x [*x]\n", 1, "leads back into itself"),
    "unknown alias": ("a: *x\n", 1, "is not YAML"),
    "billion laughs": (BOMB, 1, "holds more than"),
    "deep flow": ("a: " + "[" * 5000, 1, "nested deeper"),
    "deep block": ("\n".join(" " * i + "a:" for i in range(60)), 20, "nested deeper"),
    "many digits": ("a: 1\nb: " + "9" * 5000, 2, "digits"),
    "control character": (b"a: 1\nb: \x07\n", 2, "control character"),
    "escape beyond Unicode": ('a: 1\nb: "\\U99999999"\n', 2, "is not YAML"),
    "half a surrogate pair": ('a: "\\ud800"\n', 1, "surrogate"),
    "not UTF-8": (b"a: 1\nb: \xff\n", 2, "is not UTF-8"),
    "too large": (b"a: 1\n" + b"#" * yaml_lines.MAX_BYTES, None, "is larger than"),
    "absurd version": ("%YAML 9.1\n---\na: 1\n", None, "is not YAML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_line(written, case: str) -> None:
    text, line, told = REFUSED[case]
    file = written(text)
    with pytest.raises(BadInput) as refused:
        read_yaml(file)
    assert told in str(refused.value)
    assert str(refused.value).startswith(str(file))
    if case != "billion laughs" and line is not None:
        assert refused.value.line == line
    assert "\x1b" not in str(refused.value)


def test_messages_hold_no_control_characters(written) -> None:
    with pytest.raises(BadInput) as refused:
        read_yaml(written('"\\e[2Ja": 1\n"\\e[2Ja": 2\n'))
    assert "\x1b" not in str(refused.value)


def test_a_byte_order_mark_is_no_mistake(written) -> None:
    assert read_yaml(written(b"\xef\xbb\xbfa: 1\n")).value == {"a": 1}


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for file in (tmp_path / "nothing", tmp_path, Path("a\0b")):
        with pytest.raises(UsageError, match="cannot read"):
            read_text(file)


def test_check_syntax_leaves_the_meaning_alone(written) -> None:
    check_syntax(written("a: &x {b: 1}\nc:\n  <<: *x\n"))
    with pytest.raises(BadInput, match="must be a mapping"):
        check_syntax(written("- a\n"))
    with pytest.raises(BadInput, match="must be a mapping"):
        check_syntax(written(""))


def test_a_key_is_spelled_as_people_say_it() -> None:
    assert key_text(("a", 0, "b-c", "odd key")) == "a[0].b-c.'odd key'"
