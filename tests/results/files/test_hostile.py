"""Files that mean harm: this process goes on, and each gets a verdict that says what is wrong with it."""

from pathlib import Path

import numpy as np
import uproot

from reana_bridge.model.comparisons import FileVerdict
from reana_bridge.results.files.comparing import Limits, Wanted, compare_contents
from reana_bridge.results.isolation import IsolationLimits
from tests.results.files.hostile import CASES, GOOD
from tests.results.files.pairs import put

LIMITS = Limits(isolation=IsolationLimits(memory=1 << 30, seconds=10))


def test_each_has_a_verdict_that_says_what_is_wrong(tmp_path: Path) -> None:
    """All in one go, from both sides by turns: one process serves many files, and none harms the next."""
    (tmp_path / "drawings").mkdir()
    with uproot.recreate(tmp_path / "good.root") as file:
        file["h"] = (np.array([1.0, 2.0]), np.array([0.0, 1.0, 2.0]))
    wanted: list[Wanted] = []
    for number, (_, ending, make, _) in enumerate(CASES):
        bad = put(tmp_path / f"{number}.bad", make())
        good = (
            tmp_path / "good.root" if ending == "root" else put(tmp_path / f"{number}.good", GOOD[ending]())
        )
        sides = (good, bad) if number % 2 else (bad, good)
        wanted.append(Wanted(path=f"x.{ending}", baseline=sides[0], head=sides[1]))
    found = compare_contents(wanted, drawings=tmp_path / "drawings", limits=LIMITS)
    wrong = [
        f"{what}: {each.verdict.value}: {each.explanation}"
        for (what, _, _, words), each in zip(CASES, found, strict=True)
        if words not in str(each) or not each.explanation or "\n" in str(each)
    ]
    assert not wrong, "\n".join(wrong)


def test_there_are_enough_of_them() -> None:
    assert len({case[0] for case in CASES}) == len(CASES) >= 40


def test_a_link_out_of_the_workspace_shows_nothing(tmp_path: Path) -> None:
    """Files come by their content from the store; a link is only ever what it points to when it was kept."""
    secret = put(tmp_path / "secret", "password 1\n")
    (tmp_path / "link").symlink_to(secret)
    good = put(tmp_path / "good", "password 2\n")
    (found,) = compare_contents([Wanted(path="x.bin", baseline=good, head=tmp_path / "link")])
    assert found.verdict is FileVerdict.DIFFERENT


def test_one_that_takes_its_process_down_takes_nothing_from_the_others(tmp_path: Path) -> None:
    good = [
        put(tmp_path / name, GOOD["svg"]().replace(b"9", digit)) for name, digit in (("a", b"8"), ("b", b"9"))
    ]
    high = put(tmp_path / "high", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox=" 0,0 1 9999999999"/>')
    wanted = [
        Wanted(path="a.svg", baseline=good[0], head=good[1]),
        Wanted(path="b.svg", baseline=good[0], head=high),
        Wanted(path="c.svg", baseline=good[0], head=good[1]),
    ]
    found = compare_contents(wanted, limits=LIMITS)
    assert [each.verdict for each in found] == [
        FileVerdict.DIFFERENT,
        FileVerdict.NOT_COMPARABLE,
        FileVerdict.DIFFERENT,
    ]


def test_time_that_is_used_up_is_said_of_the_file(tmp_path: Path) -> None:
    before, after = put(tmp_path / "a", GOOD["png"]()), put(tmp_path / "b", GOOD["gif"]())
    wanted = [Wanted(path="x.png", baseline=before, head=after)]
    (found,) = compare_contents(wanted, limits=Limits(seconds=0))
    assert (found.verdict, "no time was left" in found.explanation) == (FileVerdict.NOT_COMPARABLE, True)
