"""NumPy files, against numpy's own comparison."""

import io
from typing import Any

import numpy as np
import pytest

from reana_bridge.model.analyses import FileRule, PartRule
from reana_bridge.model.comparisons import FileVerdict
from tests.results.files.pairs import compare, measure

NEAR, APART = FileVerdict.WITHIN_TOLERANCE, FileVerdict.DIFFERENT
WHY = FileVerdict.NOT_COMPARABLE
LOOSE = FileRule(path="*", relative=0.1)


def npy(array: Any) -> bytes:
    written = io.BytesIO()
    np.save(written, np.asarray(array))
    return written.getvalue()


def npz(**arrays: Any) -> bytes:
    written = io.BytesIO()
    np.savez_compressed(written, **arrays)
    return written.getvalue()


POINT = np.dtype([("x", "f8"), ("n", "i4")])


@pytest.mark.parametrize(
    ("before", "after", "rule", "verdict", "words"),
    [
        ([1.0, 2], [1.0, 2.1], None, APART, "1 of 2 values differ, at most by 5 % (element 1"),
        ([1.0, 2], [1.0, 2.1], LOOSE, NEAR, "at most by 5 %"),
        ([1.0, np.nan], [1.0 + 1e-12, np.nan], None, NEAR, "1 of 2 values differ"),
        ([1.0, np.nan], [1.0, 2.0], LOOSE, APART, "no finite difference"),
        ([np.inf], [-np.inf], LOOSE, APART, "no finite difference"),
        ([1, 2], [1, 3], None, APART, "1 of 2"),
        ([10**18], [10**18 + 1], None, APART, "1 of 1"),
        ([100], [109], LOOSE, NEAR, "9 %"),
        ([[1.0, 2.0]], [1.0, 2.0], None, APART, "shape 1 x 2, now 2"),
        (np.float32([1, 2]), np.float64([1, 2]), None, NEAR, "type float32, now float64"),
        (np.float32([1, 2]), np.float64([1, 9]), None, APART, "type float32, now float64; 1 of 2"),
        (["a"], [1.0], None, APART, "type <U1, now float64"),
        (["a", "b"], ["a", "c"], LOOSE, APART, "`b` -> `c`"),
        ([True, False], [True, True], LOOSE, APART, "1 of 2"),
        ([1 + 1j], [1 + 1.05j], LOOSE, NEAR, "1 of 1"),
        (np.array([(1.0, 2)], POINT), np.array([(1.0, 3)], POINT), None, APART, "n, element 0"),
        (np.asfortranarray([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]), None, NEAR, "the same values"),
        (5.0, 5.1, None, APART, "1 of 1"),
        ([], [1.0], None, APART, "shape 0, now 1"),
        (np.array([None], object), [1.0], None, WHY, "baseline: needs pickle"),
        ([1.0], np.array([{}], object), None, WHY, "head: needs pickle"),
    ],
)
def test_npy(before: Any, after: Any, rule: FileRule | None, verdict: FileVerdict, words: str) -> None:
    found = compare("x.npy", npy(before), npy(after), rule)
    assert (found.verdict, words in found.explanation) == (verdict, True), found


@pytest.mark.parametrize("size", [1e-12, 1e-8, 1e-4])
def test_figures_are_those_of_numpy(size: float) -> None:
    dice = np.random.default_rng(2)
    before = dice.normal(5, 1, (300, 7))
    after = before * (1 + size * dice.uniform(-1, 1, before.shape))
    found = compare("x.npy", npy(before), npy(after), FileRule(path="*", relative=1e-6))
    gaps = np.abs(after - before) / np.abs(before)
    assert measure(found, "largest relative difference") == gaps.max()
    assert measure(found, "largest difference") == np.abs(after - before).max()
    assert measure(found, "where") == f"element {gaps.argmax():,}"
    assert measure(found, "beyond tolerance") == (~np.isclose(after, before, rtol=1e-6, atol=0)).sum()
    try:
        np.testing.assert_allclose(after, before, rtol=1e-6, atol=0)
        assert found.verdict is NEAR
    except AssertionError:
        assert found.verdict is APART


def test_an_archive_is_compared_array_by_array() -> None:
    rule = FileRule(path="*", parts=(PartRule(name="c", absolute=1),), ignore=("time",))
    before = npz(a=[1.0], b=[1.0], c=[1.0], gone=[1.0], time=[1.0])
    after = npz(a=[1.0], b=[2.0], c=[1.5], new=[1.0], time=[2.0])
    found = compare("x.npz", before, after, rule)
    assert {part.name: part.verdict for part in found.parts} == {
        "b": APART,
        "c": NEAR,
        "new": FileVerdict.NEW,
        "gone": FileVerdict.MISSING,
    }
    assert compare("x.npz", npz(a=[1.0]), npz(a=[1.0]), rule).verdict is NEAR
