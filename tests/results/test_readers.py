import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.readings import Reading
from reana_bridge.results.readers import MetricsContent, UnknownFormat, formats, read_metrics, reader_for
from reana_bridge.results.readers import csv as csv_reader
from reana_bridge.results.readers import json as json_reader
from reana_bridge.results.readers import yaml as yaml_reader

READERS = {"json": json_reader.read, "yaml": yaml_reader.read, "csv": csv_reader.read}


def read(format_name: str, text: str | bytes) -> Reading:
    content = text.encode() if isinstance(text, str) else text
    return READERS[format_name](content, source="m")


def short(metric: Metric) -> tuple:
    given = (metric.uncertainty, metric.unit, metric.direction.value, metric.target, metric.description)
    empty = (None, "", "none", None, "")
    while given and given[-1] == empty[len(given) - 1]:
        given = given[:-1]
    return (metric.name, metric.value, *given)


def shown(reading: Reading) -> str:
    return repr([short(metric) for metric in reading.metrics])


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"a": 1.2}', [("a", 1.2)]),
        ('{"a": 1, "b": true, "c": "text"}', [("a", 1), ("b", True), ("c", "text")]),
        ('{"a": "NaN", "b": "-inf", "c": "1.10"}', [("a", math.nan), ("b", -math.inf), ("c", "1.10")]),
        ('{"a": 123456789012345678901234567890}', [("a", 123456789012345678901234567890)]),
        ('{"g": {"h": {"a": 1}}, "b": 2}', [("g.h.a", 1), ("b", 2)]),
        ('{"a": {"value": 1.2, "uncertainty": 0.1, "unit": "fb"}}', [("a", 1.2, 0.1, "fb")]),
        (
            '{"a": {"value": 1, "error": 0.1}, "b": {"value": 1, "sigma": 0.2}}',
            [("a", 1, 0.1), ("b", 1, 0.2)],
        ),
        ('{"a": {"value": 1, "std": 0.1}, "b": {"value": 1, "unc": 0.2}}', [("a", 1, 0.1), ("b", 1, 0.2)]),
        ('{"a": {"value": 1, "stderr": 0.1}}', [("a", 1, 0.1)]),
        ('{"a": {"value": 1, "uncertainty": [-0.1, 0.3]}}', [("a", 1, 0.3)]),
        ('{"a": {"value": 1, "error": {"up": 0.2, "down": -0.4}}}', [("a", 1, 0.4)]),
        ('{"a": {"value": 1, "error_up": 0.5, "error_down": 0.4}}', [("a", 1, 0.5)]),
        ('{"a": {"value": 1, "error": {"stat": 3, "syst": 4}}}', [("a", 1, 5.0)]),
        ('{"a": 1.5, "a_err": 0.5}', [("a", 1.5, 0.5)]),
        ('{"a": 1.5, "a_uncertainty": 0.5, "b_err": 3}', [("a", 1.5, 0.5), ("b_err", 3)]),
        ('{"training": 1, "training_error": 2}', [("training", 1), ("training_error", 2)]),
        (
            '{"a": {"value": 1, "direction": "lower", "description": "d"}}',
            [("a", 1, None, "", "lower", None, "d")],
        ),
        ('{"a": {"value": 1, "higher_is_better": false}}', [("a", 1, None, "", "lower")]),
        ('{"a": {"value": 1, "target": 1}}', [("a", 1, None, "", "target", 1)]),
        ('{"a": {"value": 1, "direction": "Maximize"}}', [("a", 1, None, "", "higher")]),
        (
            '[{"name": "a", "value": 1, "unc": 0.5}, {"metric": "b", "value": "x"}]',
            [("a", 1, 0.5), ("b", "x")],
        ),
        ('{"metrics": [{"name": "a", "value": 1}]}', [("a", 1)]),
        ('{"metrics": {"a": 1}, "fit": [{"name": "b", "value": 2}]}', [("a", 1), ("fit.b", 2)]),
        ('{"a\\n\\u202eb": 1}', [("a b", 1)]),
        ("{}", []),
    ],
)
@pytest.mark.parametrize("format_name", ["json", "yaml"])
def test_shapes(format_name, document, expected):
    reading = read(format_name, document)
    assert shown(reading) == repr(expected)
    assert reading.unreadable == ()


@pytest.mark.parametrize(
    ("format_name", "text", "expected"),
    [
        (
            "json",
            "\ufeff" + '{"a": NaN, "b": Infinity, "c": -Infinity}',
            "[('a', nan), ('b', inf), ('c', -inf)]",
        ),
        ("json", '{"a": 1}'.encode("utf-16"), "[('a', 1)]"),
        ("yaml", "a: 1e-5\nb: .nan\nc: -.inf\nd: no\ne: 12:30\nf: 2026-01-01", None),
        ("yaml", "a: '1'\nb: !!str 2\nc: !!float 3", "[('a', '1'), ('b', '2'), ('c', 3)]"),
        ("yaml", "x: &x {unit: fb}\na: {<<: *x, value: 1}", "[('x.unit', 'fb'), ('a', 1, None, 'fb')]"),
        ("yaml", "a: 1\n---\na: 2", "[('a', 1)]"),
        ("csv", "name,value\na,1\nb,x\nc,true\nd,nan\n", "[('a', 1), ('b', 'x'), ('c', True), ('d', nan)]"),
        ("csv", "Metric;Value;Error;Unit\na;1,5;0,1;fb\n", "[('a', 1.5, 0.1, 'fb')]"),
        (
            "csv",
            "\ufeffname\tvalue\tunc\tdirection\r\na\t1e3\t\tlower\r\n",
            "[('a', 1000.0, None, '', 'lower')]",
        ),
        ("csv", '# made by hand\n\nname,value\n"a, b",2\n\n', "[('a, b', 2)]"),
        ("csv", "mu,mu_err,ok\n1.5,0.25,true\n", "[('mu', 1.5, 0.25), ('ok', True)]"),
        ("csv", "name,value,unit\n1,2,3\n", "[('1', 2, None, '3')]"),
    ],
)
def test_formats(format_name, text, expected):
    expected = expected or (
        "[('a', 1e-05), ('b', nan), ('c', -inf), ('d', 'no'), ('e', '12:30'), ('f', '2026-01-01')]"
    )
    reading = read(format_name, text)
    assert shown(reading) == expected
    assert reading.unreadable == ()


@pytest.mark.parametrize(
    ("format_name", "text", "kept", "reason"),
    [
        ("json", "", [], "is empty"),
        ("json", " \n", [], "is empty"),
        ("json", '{\n"a": 1,\n}', [], "line 3, column 1: is no JSON"),
        ("json", "3", [], "holds a single value"),
        ("json", b'{"a":\n"\xff"}', [], "line 2: is no UTF-8 text"),
        ("json", "[" * 100_000, [], "is nested too deeply"),
        ("json", b" " * (16 * 1024**2 + 1), [], "is larger than 16 MiB"),
        ("json", "[" + "{}," * 300_000 + "{}]", [], "has more than 500,000 parts"),
        ("json", '{"a": 1, "a": 2}', [1], "`a` stands there twice; the first was kept"),
        ("json", '{"a": null, "b": 2}', [2], "`a` has no value"),
        ("json", '{"a": [1.2, 0.1], "b": 2}', [2], "`a` is a list of 2 values"),
        ("json", '{"a": {"value": [1]}, "b": 2}', [2], "`a` has a value that is no number"),
        ("json", '{"a": ' + "9" * 5000 + ', "b": 2}', [2], "`a` has 5,000 digits"),
        ("json", '{"a": "' + "x" * 1001 + '", "b": 2}', [2], "`a` is a text of more than 1,000 characters"),
        ("json", '{"' + "x" * 201 + '": 1, "b": 2}', [2], "is a name of more than 200 characters"),
        ("json", '{"\\u0000": 1, "b": 2}', [2], "is a value without a name"),
        (
            "json",
            '{"a": {"value": 1, "error": -1}}',
            [1],
            "`a` is read without its uncertainty, which is negative",
        ),
        ("json", '{"a": {"value": 1, "error": NaN}}', [1], "which is not a number (NaN)"),
        ("json", '{"a": {"value": 1, "error": Infinity}}', [1], "which is not finite"),
        ("json", '{"a": {"value": 1, "error": "big"}}', [1], "which is no number"),
        ("json", '{"a": {"value": 1, "error": [1, 2, 3]}}', [1], "which is a list of 3 values"),
        ("json", '{"a": {"value": 1, "direction": "sideways"}}', [1], "`a` has an unknown direction"),
        ("json", '{"a": {"value": 1, "direction": "target"}}', [1], "but no target"),
        ("json", '{"a": {"value": 1, "target": "x"}}', [1], "has a target that is no number"),
        ("json", '[{"value": 1}, {"name": "b", "value": 2}]', [2], "`1` is an item without a name"),
        ("json", '[{"name": null, "value": 1}]', [], "has a name that is no text"),
        ("json", '{"a":' * 40 + "1" + "}" * 40, [], "is nested deeper than 30 levels"),
        ("yaml", "a: 1\nb: [", [], "is no YAML"),
        ("yaml", "a: 1\nb: ]", [], "line 2: is no YAML"),
        ("yaml", "a: \x07", [], "is no YAML"),
        ("yaml", "# only a comment", [], "is empty"),
        ("yaml", "a: *x", [], "line 1: `*x` names nothing"),
        ("yaml", "a: &a [*a]", [], "names nothing that ended before it"),
        ("yaml", "a: 1\na: 2", [1], "line 2: `a` stands there twice"),
        (
            "yaml",
            "a: !!python/object/apply:os.system [ls]\nb: 2",
            [2],
            "line 1: `a` is an object (python/object/",
        ),
        ("yaml", "[" * 40 + "]" * 40, [], "is nested deeper than 30 levels"),
        ("csv", "name,value\na,1\na,2\n", [1], "line 3: `a` stands there twice"),
        ("csv", "name,value\na,\nb,2\n", [2], "line 2: `a` has no value"),
        ("csv", "name,value\na\nb,2\n", [2], "`a`"),
        ("csv", "# nothing\n", [], "is empty"),
        ("json", '[{"name": "a"}]', [], "`a` has no value"),
        ("csv", "a,b\n1,2\n3,4\n", [], "has 2 rows of values"),
        ("csv", "a,b\n", [], "has 0 rows of values"),
        ("csv", "a,b\n1,2,3\n", [], "line 2: has 3 cells for 2 columns"),
        ("csv", 'name,value\n"a"x,1\n', [], "is no table"),
        ("csv", 'name,value\na,"' + "x" * 200_000 + '"\n', [], "is no table"),
    ],
)
def test_what_cannot_be_read_is_named(format_name, text, kept, reason):
    reading = read(format_name, text)
    assert [metric.value for metric in reading.metrics] == kept
    assert reason in " | ".join(part.reason for part in reading.unreadable)


def test_yaml_aliases_cannot_multiply():
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 12))
    reading = read("yaml", "l0: &l0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + levels)
    assert "has more than 500,000 parts" in reading.unreadable[0].reason


def test_too_many_metrics():
    reading = read("json", "{" + ",".join(f'"m{i}": {i}' for i in range(10_002)) + "}")
    assert len(reading.metrics) == 10_000
    assert reading.unreadable[0].reason == "has more than 10,000 metrics; 2 were left out"


def test_complaints_are_limited():
    reading = read("json", "{" + ",".join(f'"m{i}": null' for i in range(100)) + "}")
    assert len(reading.unreadable) == 51
    assert reading.unreadable[-1].reason == "and 50 more parts like these"


@pytest.mark.parametrize("format_name", READERS)
@given(
    content=st.binary()
    | st.text(alphabet='{}[]",:;\t\n0e-&*!a\x00\ud800', max_size=60).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )
)
def test_no_content_breaks_a_reader(format_name, content):
    reading = READERS[format_name](content, source="m")
    assert all(metric.name and len(metric.name) <= 200 for metric in reading.metrics)


@pytest.mark.parametrize(
    ("path", "format_name", "reader"),
    [
        ("a.json", "", json_reader.read),
        ("A.JSON", "", json_reader.read),
        ("a.yml", "", yaml_reader.read),
        ("a.yaml", "", yaml_reader.read),
        ("x/a.tsv", "", csv_reader.read),
        ("a.txt", "csv", csv_reader.read),
    ],
)
def test_reader_for(path, format_name, reader):
    assert reader_for(path, format=format_name).load() is reader


@pytest.mark.parametrize(
    ("path", "format_name", "message"),
    [
        (
            "a.txt",
            "",
            "`a.txt` has no ending that is known; write `format:` with one of csv, dvc",
        ),
        ("metrics", "", "`metrics` has no ending"),
        ("a.json", "hdf5", "the format `hdf5` is not known"),
    ],
)
def test_unknown_formats(path, format_name, message):
    with pytest.raises(UnknownFormat, match=message):
        reader_for(path, format=format_name)


def test_formats_are_those_that_are_installed():
    assert {"csv", "json", "yaml"} <= set(formats())


def test_read_metrics_joins_files():
    reading = read_metrics(
        [
            MetricsContent(path="a.json", content=b'{"x": 1, "y": 2}'),
            MetricsContent(path="b.yaml", content=b"x: 3\nz: 4"),
            MetricsContent(path="c.json", content=b'{"x": 5}', prefix="c."),
            MetricsContent(path="d.bin", content=b""),
            MetricsContent(path="e.txt", content=b"name,value\nw,6", format="csv"),
        ]
    )
    assert [(metric.name, metric.value, metric.source) for metric in reading.metrics] == [
        ("x", 1, "a.json"),
        ("y", 2, "a.json"),
        ("z", 4, "b.yaml"),
        ("c.x", 5, "c.json"),
        ("w", 6, "e.txt"),
    ]
    assert [part.source for part in reading.unreadable] == ["b.yaml", "d.bin"]
    assert reading.unreadable[0].reason == "`x` was already read from `a.json`; that one was kept"


def test_a_reader_that_fails_is_named(monkeypatch):
    def broken(content, *, source):
        raise RuntimeError("no such library")

    monkeypatch.setattr("reana_bridge.results.readers._loaded", lambda group, name: broken)
    reading = read_metrics([MetricsContent(path="a.json", content=b"{}")])
    assert reading.unreadable[0].reason == "its reader failed: RuntimeError: no such library"


def test_direction_words_are_the_models():
    for direction in Direction:
        text = f'{{"a": {{"value": 1, "direction": "{direction}", "target": 2}}}}'
        assert read("json", text).metrics[0].direction is direction
