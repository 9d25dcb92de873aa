"""JSON, YAML, pyhf workspaces and texts."""

import json
import random
from typing import Any

import pytest

from reana_bridge.model.analyses import FileRule, PartRule
from reana_bridge.model.comparisons import FileVerdict
from tests.results.files.pairs import compare, measure

NEAR, APART = FileVerdict.WITHIN_TOLERANCE, FileVerdict.DIFFERENT
WHY = FileVerdict.NOT_COMPARABLE
LOOSE = FileRule(path="*", relative=0.1)


@pytest.mark.parametrize(
    ("before", "after", "rule", "verdict", "parts"),
    [
        ('{"a": 1}', '{ "a":1.0 }', None, NEAR, []),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', None, NEAR, []),
        ('{"a": 1}', '{"a": 2}', None, APART, ["a"]),
        ('{"a": {"b": [1, 2.0]}}', '{"a": {"b": [1, 2.1]}}', LOOSE, NEAR, ["a.b.1"]),
        ('{"a": {"b": [1, 2]}}', '{"a": {"b": [1, 2, 3]}}', LOOSE, APART, ["a.b.2"]),
        ('{"a": 1}', '{"a": "1"}', LOOSE, APART, ["a"]),
        ('{"a": 1}', '{"a": true}', LOOSE, APART, ["a"]),
        ('{"a": null}', '{"a": {}}', LOOSE, APART, ["a"]),
        ('{"a": NaN}', '{"a": NaN }', None, NEAR, []),
        ('{"a": 1, "t": 5}', '{"a": 1, "t": 6}', FileRule(path="*", ignore=("t",)), NEAR, []),
        ('{"a": {"m": 9}, "t": 5}', '{"a": {"m": 8}, "t": 6}', LOOSE, APART, ["a.m", "t"]),
        (
            '{"a": {"m": 9}, "t": 5}',
            '{"a": {"m": 8}, "t": 6}',
            FileRule(path="*", parts=(PartRule(name="a.*", absolute=1), PartRule(name="t", absolute=1))),
            NEAR,
            ["a.m", "t"],
        ),
        ('[{"name": "x", "v": 1}]', '[{"name": "y", "v": 3}, {"name": "x", "v": 1}]', None, APART, ["y.v"]),
        ('{"a": 1, "a": 2}', '{"a": 1, "a": 3}', None, APART, ["a (2)"]),
        ("1", "2", None, APART, ["(all)"]),
        (f'{{"a": {10**400}}}', f'{{"a": {10**500}}}', None, APART, ["a"]),
    ],
)
def test_json(before: str, after: str, rule: FileRule | None, verdict: FileVerdict, parts: list[str]) -> None:
    found = compare("x.json", before, after, rule)
    assert found.verdict is verdict, found
    assert {part.name for part in found.parts} >= set(parts)
    if verdict is NEAR:
        assert [part.name for part in found.parts] == parts


@pytest.mark.parametrize(
    ("before", "after", "rule", "verdict"),
    [
        ("a: 1\n", "{a: 1.0}\n", None, NEAR),
        ("a: &x [1, 2]\nb: *x\n", "a: [1, 2]\nb: [1, 2]\n", None, NEAR),
        ("a: 1\n---\nb: 1\n", "a: 1\n---\nb: 2\n", None, APART),
        ("a: 1e-5\n", "a: 1.05e-5\n", LOOSE, NEAR),
        ("a: !!python/object:os.system {}\n", "a: 1\n", None, APART),
        ("a: [1\n", "a: 1\n", None, WHY),
    ],
)
def test_yaml(before: str, after: str, rule: FileRule | None, verdict: FileVerdict) -> None:
    assert compare("x.yaml", before, after, rule).verdict is verdict


def test_hepdata_tables_go_by_their_variables() -> None:
    table = (
        "dependent_variables:\n- header: {{name: NAME, units: PB}}\n"
        "  values:\n  - {{value: {}, errors: [{{symerror: 0.1, label: stat}}]}}\n"
    )
    found = compare("x.yaml", table.format(1.0), table.format(1.2))
    assert [part.name for part in found.parts] == ["dependent_variables.NAME.values.0.value"]


def workspace(signal: float = 12.0) -> dict[str, Any]:
    import pyhf  # takes a second

    model = pyhf.simplemodels.uncorrelated_background(
        [signal, 11.0], [50.0, 52.0], [3.0, 7.0], validate=False
    )
    return dict(pyhf.Workspace.build(model, [51, 48, *model.config.auxdata], validate=False))


def test_pyhf_workspaces_are_compared_by_channel_sample_and_modifier() -> None:
    before, after = workspace(), workspace(13.0)
    after["channels"][0]["samples"][1]["modifiers"][0]["data"][1] = 8.0
    after["channels"][0]["samples"].reverse()  # means nothing
    found = compare("x.json", json.dumps(before), json.dumps(after))
    assert found.verdict is APART
    assert {part.name for part in found.parts} == {
        "singlechannel / signal",
        "singlechannel / background / uncorr_bkguncrt (shapesys)",
    }
    assert "at most by 8.33 %" in str(found)
    assert compare("x.json", json.dumps(before), json.dumps(after), LOOSE).verdict is APART
    within = compare("x.json", json.dumps(before), json.dumps(workspace(13.0)), LOOSE)
    assert within.verdict is NEAR


def test_what_is_no_workspace_is_not_compared_as_one() -> None:
    found = compare("x.json", "{}", json.dumps(workspace()), kind="pyhf")
    assert (found.verdict, "baseline: is no pyhf workspace" in found.explanation) == (WHY, True)


@pytest.mark.parametrize(
    ("before", "after", "rule", "verdict", "words"),
    [
        ("a 1\n", "a 1", None, NEAR, "the same"),
        ("a 1\n", "a 1\r\n", None, NEAR, "the same"),
        ("a 1.0\n", "a  1.0\n", None, APART, "`a 1.0` -> `a 1.0`"),
        ("chi2 = 1.50 (3)\n", "chi2 = 1.51 (3)\n", LOOSE, NEAR, "at most by 0.667 %"),
        ("chi2 = 1.50 (3)\n", "chi2 = 1.51 (3)\n", None, APART, "1 of 1 lines differ"),
        ("n = 10\n", "n = 11\n", None, APART, "line 1"),
        ("at 0x7ffe1\n", "at 0x7ffe2\n", FileRule(path="*", ignore=("at 0x*",)), NEAR, "the same"),
        ("v1.2.3\n", "v1.2.4\n", LOOSE, APART, "line 1"),
        ("abc12\n", "abc13\n", LOOSE, APART, "line 1"),
        ("x\na 1.0\nb 2.0\n", "x\nnew\na 1.0\nb 2.1\n", LOOSE, APART, "line 2"),
        ("a\nb\nc\n", "a\nc\n", None, APART, "1 of 2 lines differ"),
        ("", "a\n", None, APART, "line 1"),
    ],
)
def test_texts(before: str, after: str, rule: FileRule | None, verdict: FileVerdict, words: str) -> None:
    found = compare("x.txt", before, after, rule)
    assert (found.verdict, words in str(found)) == (verdict, True), found


def test_a_line_that_came_in_does_not_hide_the_numbers_behind_it() -> None:
    before = "".join(f"step {i}: {i * 1.5}\n" for i in range(300))
    lines = before.splitlines()
    lines[200] = lines[200].replace("300.0", "301.0")
    lines.insert(100, "a warning")
    found = compare("x.txt", before, "\n".join(lines) + "\n")
    assert measure(found, "lines that differ") == 2
    assert [(part.name, part.verdict) for part in found.parts] == [
        ("line 202", APART),
        ("line 101", FileVerdict.NEW),
    ]


def test_any_bytes_get_a_verdict() -> None:
    dice = random.Random(6)
    for name in ("x.json", "x.yaml", "x.txt"):
        for _ in range(200):
            before, after = (bytes(dice.choices(b'a1.:{}[]",-&*\n \x00\xff', k=30)) for _ in range(2))
            assert compare(name, before, after).verdict in FileVerdict
