"""Tables: rows that differ, how far and where, against pandas and numpy."""

import io
import random

import numpy
import pandas
import pytest

from reana_bridge.model.analyses import FileRule, PartRule
from reana_bridge.model.comparisons import FileVerdict
from tests.results.files.pairs import compare, measure

SAME, NEAR, APART = FileVerdict.IDENTICAL, FileVerdict.WITHIN_TOLERANCE, FileVerdict.DIFFERENT
HALF = FileRule(path="*", relative=0.5)


@pytest.mark.parametrize(
    ("before", "after", "rule", "verdict", "words"),
    [
        ("a,b\n1,2\n", "a,b\r\n1,2\r\n", None, NEAR, "the same values, written otherwise"),
        ("a,b\n1,2.0\n", "a,b\n1,2\n", None, NEAR, "the same values"),
        ("a,b\n1,2.0\n", 'a,b\n"1",2.00\n', None, NEAR, "the same values"),
        ("a,b\n1,2\n", "b,a\n2,1\n", None, NEAR, "the same values"),
        ("a,b\n1,2\n", "a,b\n1,3\n", None, APART, "1 of 1 rows differ; column b: 1 of 1 values differ"),
        ("a,b\n1,2\n", "a,b\n1,3\n", None, APART, "at most by 50 % (row 1: `2` -> `3`)"),
        ("a,b\n1,2\n", "a,b\n1,3\n", HALF, NEAR, "b: 1 of 1 values differ"),
        ("a,b\n1,x\n", "a,b\n1,y\n", HALF, APART, "`x` -> `y`"),
        ("a,b\n1,2\n", "a,c\n1,2\n", None, APART, "1 missing, 1 new"),
        ("a,b\n1,2\n", "a,b\n1,2\n3,4\n", None, APART, "1 rows, now 2"),
        ("a,b\n1,2\n3,4\n", "a,b\n1,2\n", None, APART, "2 rows, now 1"),
        ("a,b\n1,2\n", "a,b\n1\n", None, APART, "`2` -> nothing"),
        ("a,a\n1,2\n", "a,a\n1,3\n", None, APART, "column a (2)"),
        ("1,2\n3,4\n", "1,2\n3,5\n", None, APART, "1 of 2 rows differ; column 2"),
        ("a;b\n1,5;2\n", "a;b\n1,50;2\n", None, NEAR, "the same values"),
        ("a\tb\n1\t2\n", "a\tb\n1\t9\n", None, APART, "column b"),
        ("# v1\na,b\n1,2\n", "# v2\na,b\n1,2\n", None, APART, "comments"),
        ("# v1\na\n1\n", "# v2\na\n1\n", FileRule(path="*", ignore=("comments",)), NEAR, "the same"),
        ("a,t\n1,9\n", "a,t\n1,8\n", FileRule(path="*", ignore=("t",)), NEAR, "the same"),
        ("a\n1\n", "a,t\n1,8\n", FileRule(path="*", ignore=("t",)), NEAR, "the same"),
        ("a,b\n9,9\n", "a,b\n8,8\n", FileRule(path="*", parts=(PartRule(name="a", absolute=1),)), APART, "b"),
        ("a\nnan\n", "a\nNaN\n", None, NEAR, "the same"),
        ("a\nnan\n", "a\n1.0\n", HALF, APART, "no finite difference"),
        ("a\n0\n", "a\n1.0\n", None, APART, "at most by 1 (row 1: `0` -> `1`)"),
        ("a\n0\n500\n", "a\n6\n150\n", None, APART, "at most by 350 (row 2: `500` -> `150`)"),
        ("a\n1.4870271815381721\n", "a\n1.7\n", None, APART, "(row 1: `1.48703` -> `1.7`)"),
        ("a\n1.0000001\n", "a\n1.0000003\n", None, APART, "(row 1: `1.0000001` -> `1.0000003`)"),
        ("", "a\n1\n", None, APART, "0 rows, now 1"),
        ("\n\n", "# x\n", None, APART, "comments"),
        (b"a,b\n\xe9,1\n", b"a,b\n\xe8,1\n", None, APART, "1 of 1 rows differ"),
        ("a,b\n1,2\n", "a,b\n1,2\n".encode("utf-16"), None, NEAR, "the same values"),
    ],
)
def test_tables(before: str, after: str, rule: FileRule | None, verdict: FileVerdict, words: str) -> None:
    found = compare("x.csv", before, after, rule)
    assert (found.verdict, words in str(found)) == (verdict, True), found


def test_figures_are_those_of_pandas_and_numpy() -> None:
    dice = numpy.random.default_rng(3)
    before = pandas.DataFrame(dice.normal(100, 10, (500, 4)), columns=list("abcd"))
    before["n"] = dice.integers(0, 9, 500)
    for size, relative in ((1e-12, 1e-9), (1e-7, 1e-6), (1e-5, 1e-6), (0.1, 0.05)):
        after = before.copy()
        after[list("abcd")] *= 1 + size * dice.uniform(-1, 1, (500, 4))
        found = compare("x.csv", before.to_csv(), after.to_csv(), FileRule(path="*", relative=relative))
        close = numpy.isclose(after, before, rtol=relative, atol=0)
        try:
            pandas.testing.assert_frame_equal(after, before, rtol=relative, atol=0)
            assert found.verdict is NEAR
        except AssertionError:
            assert found.verdict is APART
        assert measure(found, "rows that differ") == (~close.all(axis=1)).sum()
        for column in "abcd":
            gaps = numpy.abs(after[column] - before[column]) / numpy.abs(before[column])
            assert measure(found, "largest relative difference", column) == pytest.approx(
                gaps.max(), rel=1e-6
            )
            assert measure(found, "where", column) == f"row {gaps.argmax() + 1:,}"


def test_the_column_that_is_furthest_off_comes_first() -> None:
    columns = [f"c{i}" for i in range(200)]
    before = pandas.DataFrame({name: [1.0] * 5 for name in columns})
    after = before.copy()
    after["c7"], after["c150"] = 2.0, 9.0
    found = compare("x.csv", before.to_csv(index=False), after.to_csv(index=False))
    assert [part.name for part in found.parts] == ["c150", "c7"]


def test_any_bytes_get_a_verdict() -> None:
    dice = random.Random(5)
    for _ in range(300):
        before, after = (bytes(dice.choices(b'a1.,;"\n\r\t#\x00\xff', k=40)) for _ in range(2))
        assert compare("x.csv", before, after).verdict in FileVerdict
        assert compare("x.csv", before, before).verdict in (NEAR, FileVerdict.NOT_COMPARABLE)


def test_a_table_of_any_length_is_read_row_by_row() -> None:
    frame = pandas.DataFrame({"a": range(3000), "b": 0.5})
    other = io.StringIO()
    frame.assign(b=[0.5] * 2999 + [0.6]).to_csv(other, index=False)
    found = compare("x.csv", frame.to_csv(index=False), other.getvalue())
    assert (measure(found, "rows"), measure(found, "rows that differ")) == (3000, 1)
    assert measure(found, "where", "b") == "row 3,000"
