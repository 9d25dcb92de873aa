import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reana_bridge.model.problems import ConfigurationError
from reana_bridge.model.yamlfile import Limits, Reading, dotted, load, path_of
from reana_bridge.model.yamlscalars import value_of
from tests.model.attempts import attempt


def nested_aliases(levels: int, width: int) -> str:
    lines = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def mistake(text: str | bytes, **limits: int) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(text, file="f.yaml", limits=Limits(**limits))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "start", "fragments"),
    [
        ("", "f.yaml: is empty", ["remove the file"]),
        ("# nothing\n\n", "f.yaml: is empty", []),
        (b"\xef\xbb\xbf", "f.yaml: is empty", []),
        ("- a\n- b", "f.yaml line 1: holds a list", ["key: value"]),
        ("\n\nword", "f.yaml line 3: holds a single value", []),
        ("a: 1\nb: 2\na: 3", "f.yaml line 3: `a` is given twice, in line 1 and in line 3", ["keep one"]),
        ('a: {b: 1,\n "b": 2}', "f.yaml line 2: `b` is given twice, in line 1 and in line 2", []),
        ("a:\n\tb: 1", "f.yaml line 2: is no valid YAML: a tab", ["indent with blanks"]),
        ("a:\n  b: 1\n\t\tc: 2", "f.yaml line 3: is no valid YAML: a tab", ["indent with blanks"]),
        (
            "a: !!python/object:os.system x",
            "f.yaml line 1: has the tag `!!python/object:os.system`",
            ["remove"],
        ),
        ("a: !!str 1", "f.yaml line 1: has the tag `!!str`", []),
        ("a:\n  !mine {}", "f.yaml line 2: has the tag `!mine`", []),
        ("a: 1\n---\nb: 2", "f.yaml line 2: a second document", ["one document"]),
        ("a: b: c", "f.yaml line 1: is no valid YAML: mapping values", ["quote"]),
        ("x: 1\na: [1, 2\n", "f.yaml line 2: is no valid YAML", ["close the `[`"]),
        ("a: 'x\n\n", "f.yaml line 1: is no valid YAML", ["close the quote"]),
        ("a: @b", "f.yaml line 1: is no valid YAML", ["quote"]),
        ("a: - b", "f.yaml line 1: is no valid YAML", ["line of its own"]),
        ("a: *b", "f.yaml line 1: `*b` refers to nothing", ["&b"]),
        ("a: &a [*a]", "f.yaml line 1: `*a` refers to a value that it is part of", []),
        ("? [a, b]\n: 1", "f.yaml line 1: a list or mapping cannot be a key", []),
        ("a: &a {}\n*a : 1", "f.yaml line 2: an alias of something that is no text", []),
        ("a: 1\n<<: 2", "f.yaml line 2: `<<` takes a mapping", []),
        (b"ok: 1\nb: \xff", "f.yaml line 2: is not UTF-8: byte 0xff", ["UTF-8"]),
        ("a: 1\x00", "f.yaml line 1: holds the control character U+0000", ["remove it"]),
        ("a: 1\nb: \ud800", "f.yaml line 2: holds the control character U+D800", []),
        ("a: \x1b[31m", "f.yaml line 1: holds the control character U+001B", []),
        ("a: x\nb: " + "y" * 2**20, "f.yaml: is larger than 1048576 bytes", []),
        ("[" * 100_000, "f.yaml line 1: has lists and mappings more than 50 deep", ["flatter"]),
        ("{a: " * 100_000, "f.yaml line 1: has lists and mappings more than 50 deep", []),
        ("- " * 100_000, "f.yaml line 1: has lists and mappings more than 50 deep", []),
        ("a: [" + "1," * 60_000 + "1]", "f.yaml line 1: holds more than 50000 values", ["shorter"]),
        (nested_aliases(10, 9), "f.yaml line 5: holds more than 50000 values", ["alias"]),
        (
            "a: &a " + "x" * 500_000 + "\nb: [*a, *a, *a]",
            "f.yaml line 2: is longer than 1048576 characters",
            [],
        ),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, str | bytes) else "",
)
def test_what_is_refused(text, start, fragments):
    message = mistake(text)
    assert message.startswith(start)
    assert all(fragment in message for fragment in fragments)


def test_aliases_may_not_nest_deeper_than_the_limit():
    text = "a: &a [[[1]]]\nb: [[*a]]"
    assert load(text, file="f", limits=Limits(depth=6)).data["b"] == [[[[[1]]]]]
    assert "more than 5 deep" in mistake(text, depth=5)


def test_every_key_that_is_given_twice_is_told():
    with pytest.raises(ConfigurationError) as caught:
        load("a: 1\na: 2\nb: {c: 1, c: 2}", file="f")
    assert [problem.line for problem in caught.value.problems] == [2, 3]


@pytest.mark.parametrize(
    ("text", "core", "reana"),
    [
        ("on", "on", True),
        ("yes", "yes", True),
        ("no", "no", False),
        ("true", True, True),
        ("False", False, False),
        ("null", None, None),
        ("~", None, None),
        ("12", 12, 12),
        ("-12", -12, -12),
        ("010", 10, 8),
        ("0o10", 8, "0o10"),
        ("0x1F", 31, 31),
        ("1_000", "1_000", 1000),
        ("1.5", 1.5, 1.5),
        ("1e-3", 0.001, "1e-3"),
        ("1.0e-3", 0.001, 0.001),
        (".inf", math.inf, math.inf),
        ("-.inf", -math.inf, -math.inf),
        ("2024-01-31", "2024-01-31", "2024-01-31"),
        ("12:30", "12:30", 750),
        ("0b", "0b", "0b"),
        ("=", "=", "="),
        ("v1.0", "v1.0", "v1.0"),
        ("1" * 400, "1" * 400, "1" * 400),
    ],
)
def test_what_a_word_means(text, core, reana):
    for reading, expected in ((Reading.CORE, core), (Reading.REANA, reana)):
        value = load(f"a: {text}", file="f", reading=reading).data["a"]
        assert (type(value), value) == (type(expected), expected)
        assert load(f"a: '{text}'", file="f", reading=reading).data["a"] == text


def test_nan_is_a_number():
    assert math.isnan(value_of(".nan", Reading.CORE))


def test_keys_are_texts_and_merged_keys_do_not_win():
    text = "base: &base {a: 1, b: 2}\non: {<<: *base, b: 3}\n1: {b: 4, <<: [*base]}"
    assert load(text, file="f").data == {
        "base": {"a": 1, "b": 2},
        "on": {"a": 1, "b": 3},
        "1": {"b": 4, "a": 1},
    }


def test_each_use_of_an_alias_is_data_of_its_own():
    data = load("a: &a [1]\nb: *a", file="f").data
    data["a"].append(2)
    assert data["b"] == [1]


DOCUMENT = """\
top:
  list:
    - one
    - key: two
      text: |
        first
        second

        fourth
  "quoted key": 1
"""


@pytest.mark.parametrize(
    ("path", "place", "known"),
    [
        ((), (1, 1), ()),
        (("top",), (1, 1), ("top",)),
        (("top", "list"), (2, 3), ("top", "list")),
        (("top", "list", 0), (3, 7), ("top", "list", 0)),
        (("top", "list", 1, "key"), (4, 7), ("top", "list", 1, "key")),
        (("top", "quoted key"), (10, 3), ("top", "quoted key")),
        (("top", "list", 7), (2, 3), ("top", "list")),
        (("top", "list", "x"), (2, 3), ("top", "list")),
        (("top", "nothing", "deeper"), (1, 1), ("top",)),
    ],
)
def test_places(path, place, known):
    document = load(DOCUMENT, file="f")
    assert document.place(path) == place
    assert document.known(path) == known


@pytest.mark.parametrize(("word", "line"), [("first", 6), ("second", 7), ("fourth", 9)])
def test_lines_within_a_block_of_text(word, line):
    path = ("top", "list", 1, "text")
    document = load(DOCUMENT, file="f")
    assert document.text_line(path, document.data["top"]["list"][1]["text"].index(word)) == line


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", []),
        ("workflow.specification.steps[0].name", ["workflow", "specification", "steps", 0, "name"]),
        ("a[1][2].b-c", ["a", 1, 2, "b-c"]),
        ("a.b['d.e'].f", ["a", "b"]),
    ],
)
def test_the_path_that_is_shown(text: str, path: list[str | int]) -> None:
    assert path_of(text) == path


def test_dotted():
    assert dotted(("a", 0, "b-c", "d.e", "")) == "a[0].b-c['d.e']['']"


@given(st.text() | st.binary() | st.text("ab:-[]{}&*!|>'\"#,\n \t?<%@`", max_size=60))
@example("a: &a\n<<: [*a]")
@example("%YAML 3.0\n---\na: 1")
def test_any_text_gives_a_mapping_or_a_problem(text):
    for reading in Reading:
        document, problems = attempt(load, text, file="f", reading=reading)
        assert bool(problems) is (document is None)
        assert all(problem.message and (problem.line or 1) > 0 for problem in problems)
        if document is not None:
            assert all(document.place((key,))[0] >= 1 for key in document.data)


@given(
    st.dictionaries(
        st.text(st.characters(min_codepoint=32, max_codepoint=126)), st.integers() | st.booleans()
    )
)
def test_what_json_can_say_is_read_back(value):
    if "<<" not in value:
        assert load(json.dumps(value), file="f").data == value
