"""ROOT files written by uproot and hist; chances against scipy."""

from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
import scipy.special
import scipy.stats
import uproot

from reana_bridge.model.analyses import FileRule, PartRule
from reana_bridge.model.comparisons import FileComparison, FileVerdict
from reana_bridge.results.files.goodness import agreement, chi2_p, kolmogorov_p
from tests.results.files.pairs import compare, measure

SAME, NEAR, APART = FileVerdict.IDENTICAL, FileVerdict.WITHIN_TOLERANCE, FileVerdict.DIFFERENT
WHY = FileVerdict.NOT_COMPARABLE


def mass(seed: int, *, shift: float = 0.0, bins: int = 26, high: float = 260, size: int = 2000) -> Any:
    dice = np.random.default_rng(seed)
    made = hist.Hist.new.Reg(bins, 0, high, name="m", label="m_{ll} [GeV]").Weight()
    return made.fill(dice.normal(91 + shift, 30, size), weight=dice.uniform(0.5, 1.5, size))


def root(tmp: Path, **objects: Any) -> bytes:
    path = tmp / "made.root"
    with uproot.recreate(path) as file:
        for name, thing in objects.items():
            if isinstance(thing, dict):
                file.mktree(name, {key: np.asarray(values).dtype for key, values in thing.items()})
                file[name].extend(thing)
            else:
                file[name] = thing
    return path.read_bytes()


def both(tmp: Path, before: Any, after: Any, rule: FileRule | None = None) -> FileComparison:
    return compare("x.root", root(tmp, h=before), root(tmp, h=after), rule)


def test_chances_are_scipys() -> None:
    for ndf in (1, 2, 3, 10, 25, 26, 400, 1001):
        for chi2 in (0.0, 1e-9, 0.3, 1.0, ndf / 2, ndf, 2.0 * ndf, 44.1, 5000.0):
            assert chi2_p(chi2, ndf) == pytest.approx(scipy.stats.chi2.sf(chi2, ndf), rel=1e-9, abs=1e-290)
    for z in (0.0, 0.01, 0.03, 0.2, 0.5, 0.9, 1.17, 1.19, 1.5, 2.0, 4.0):
        assert kolmogorov_p(z) == pytest.approx(scipy.special.kolmogorov(z), rel=1e-9, abs=1e-14)


def test_figures_are_those_of_numpy_and_scipy(tmp_path: Path) -> None:
    before, after = mass(1), mass(2, shift=10)
    found = both(tmp_path, before, after)
    old, new = (h.view(flow=True) for h in (before, after))
    spread = np.sqrt(old["variance"] + new["variance"])
    filled = spread > 0
    pulls = (new["value"] - old["value"])[filled] / spread[filled]
    chi2, ndf = np.sum(pulls**2), len(pulls)
    assert measure(found, "chi2", "h") == pytest.approx(chi2)
    assert measure(found, "ndf", "h") == ndf
    assert measure(found, "p", "h") == pytest.approx(scipy.stats.chi2.sf(chi2, ndf))
    assert abs(measure(found, "largest pull", "h")) == pytest.approx(np.abs(pulls).max())
    assert found.verdict is APART


def test_the_distance_is_that_of_the_samples_for_fine_bins() -> None:
    dice = np.random.default_rng(4)
    one, other = dice.normal(0, 1, 900), dice.normal(0.2, 1, 700)
    edges = np.linspace(-6, 6, 100_001)
    binned = [np.histogram(sample, edges)[0].astype(float) for sample in (one, other)]
    fit = agreement(*binned, *binned)
    theirs = scipy.stats.ks_2samp(one, other, method="asymp")
    assert fit.distance == pytest.approx(theirs.statistic, abs=1e-3)
    z = theirs.statistic * np.sqrt(900 * 700 / 1600)
    assert fit.distance_p == pytest.approx(scipy.special.kolmogorov(z), rel=0.05)


def test_independent_samples_are_told_apart_as_rarely_as_promised(soak: bool) -> None:
    """p is flat where nothing has changed: below three sigma about 27 of 10,000 times."""
    dice = np.random.default_rng(7)
    tries = 10_000 if soak else 1_000
    chances = np.empty(tries)
    for turn in range(tries):
        before, after = (dice.poisson(400, 30).astype(float) for _ in range(2))
        chances[turn] = agreement(before, after, before, after).p_value
    assert scipy.stats.kstest(chances, "uniform").pvalue > 0.001
    assert np.mean(chances < 0.0027) < 0.0027 + 4 * np.sqrt(0.0027 / tries)


def with_bin(made: Any, position: int, factor: float) -> Any:
    changed = made.copy()
    changed.view()["value"][position] *= factor
    return changed


EXACT, LOOSE = FileRule(path="*", absolute=0), FileRule(path="*", relative=0.1)
NO_ERRORS = hist.Hist.new.Reg(2, 0, 1, name="x").Weight()
NO_ERRORS.view()["value"] = [5.0, 6.0]
OTHER_NO_ERRORS = NO_ERRORS.copy()
OTHER_NO_ERRORS.view()["value"] = [5.0, 6.5]


@pytest.mark.parametrize(
    ("before", "after", "rule", "verdict", "words"),
    [
        (mass(1), mass(1), None, NEAR, "the same values, written otherwise"),
        (mass(1), mass(2), None, NEAR, "p = 0."),
        (mass(1), mass(2), EXACT, APART, "p = 0."),
        (mass(1), mass(2), FileRule(path="*", p_value=1.0), APART, "p = 0."),
        (mass(1), mass(2, shift=10), FileRule(path="*", p_value=0.0), NEAR, "chi2/ndf"),
        (mass(1), with_bin(mass(1), 9, 1 + 1e-12), EXACT, APART, "chi2/ndf"),
        (mass(1), with_bin(mass(1), 9, 1 + 1e-12), None, NEAR, "chi2/ndf"),
        (mass(1), with_bin(mass(1), 9, 1.09), LOOSE, NEAR, "at 90 to 100"),
        (mass(1), with_bin(mass(1), 9, 1.5), LOOSE, APART, "largest pull"),
        (mass(1), mass(1, bins=25), None, APART, "other bins: 26 from 0 to 260, now 25 from 0 to 260"),
        (mass(1), mass(1, high=300), None, APART, "other bins: 26 from 0 to 260, now 26 from 0 to 300"),
        (NO_ERRORS, OTHER_NO_ERRORS, None, APART, "1 bins without an uncertainty differ"),
        (
            hist.Hist.new.Variable([0, 1, 3]).Double().fill([0.5]),
            hist.Hist.new.Variable([0, 2, 3]).Double().fill([0.5]),
            None,
            APART,
            "2 bins with other edges",
        ),
    ],
)
def test_histograms(
    tmp_path: Path, before: Any, after: Any, rule: FileRule | None, verdict: FileVerdict, words: str
) -> None:
    found = both(tmp_path, before, after, rule)
    assert (found.verdict, words in str(found)) == (verdict, True), found


def test_one_of_many_that_is_unlikely_by_chance_is_no_difference(tmp_path: Path) -> None:
    flat = hist.Hist.new.Reg(1, 0, 1).Double()
    flat.fill(np.full(10_000, 0.5))
    odd = flat.copy()
    odd.view()[:] = 10_000 + 3.2 * np.sqrt(20_000)  # p = 0.0014
    alone = both(tmp_path, flat, odd)
    assert alone.verdict is APART
    others = {f"h{i}": flat for i in range(1, 200)}
    nearly = {f"h{i}": flat.copy() for i in range(1, 200)}
    for i, each in enumerate(nearly.values()):
        each.view()[:] += 1 + i
    found = compare("x.root", root(tmp_path, h=flat, **others), root(tmp_path, h=odd, **nearly))
    assert found.verdict is NEAR
    assert "to be expected once among 200 histograms" in str(found)


def test_each_thing_in_a_file_has_a_verdict(tmp_path: Path) -> None:
    flat = hist.Hist.new.Reg(4, 0, 1).Reg(3, 0, 1).Double().fill([0.1, 0.2], [0.3, 0.4])
    values = {"x": np.arange(5.0), "n": np.arange(5)}
    before = root(tmp_path, h=mass(1), gone=mass(1), time=mass(1), flat=flat, t=values, u=values, v=values)
    moved = {"x": values["x"] * (1 + 1e-12), "n": values["n"]}
    other = {"x": values["x"], "n": values["n"] + 1}
    more = {"x": np.arange(6.0), "n": np.arange(6)}
    rule = FileRule(path="*", parts=(PartRule(name="t", absolute=0.1),), ignore=("time",))
    after = root(tmp_path, h=mass(1), new=mass(1), time=mass(2), flat=flat, t=moved, u=other, v=more)
    found = compare("x.root", before, after, rule)
    assert {part.name: part.verdict for part in found.parts} == {
        "gone": FileVerdict.MISSING,
        "new": FileVerdict.NEW,
        "t": NEAR,
        "u": APART,
        "v": APART,
    }
    assert "5 entries, now 6" in str(found)


def test_what_differs_is_drawn_and_says_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "drawings").mkdir()
    maps = [
        hist.Hist.new.Reg(9, -3, 3)
        .Reg(9, -3, 3)
        .Double()
        .fill(*np.random.default_rng(seed).normal(seed, 1, (2, 900)))
        for seed in (0, 1)
    ]
    before, after = root(tmp_path, h=mass(1), m=maps[0]), root(tmp_path, h=mass(1, shift=20), m=maps[1])
    found = compare("x.root", before, after, drawings=tmp_path / "drawings")
    again = compare("x.root", before, after, drawings=tmp_path / "drawings")
    assert found == again  # byte for byte
    pictures = [picture for part in found.parts for picture in part.pictures]
    assert [picture.shows for picture in pictures] == ["overlay", "overlay"]
    assert all("Overlay of baseline and head. " in picture.title for picture in pictures)
    for picture in pictures:
        assert (tmp_path / "drawings" / picture.digest).read_bytes().startswith(b"\x89PNG")
