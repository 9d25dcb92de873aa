"""Files that mean harm: this process goes on, and each gets a verdict that says what is wrong with it."""

from pathlib import Path

import pytest
import uproot

from reana_bridge.model.comparisons import FileComparison, FileVerdict
from reana_bridge.results.files.comparing import Limits, Wanted, compare_contents
from reana_bridge.results.isolation import IsolationLimits
from tests.results.files.hostile import CASES, GOOD
from tests.results.files.pairs import put

LIMITS = Limits(isolation=IsolationLimits(memory=1 << 30, seconds=10))


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[FileComparison, FileComparison]]:
    """Every case compared with a good file, from both sides, all of them in one go."""
    place = tmp_path_factory.mktemp("hostile")
    with uproot.recreate(place / "good.root") as file:
        file["h"] = ([1.0, 2.0], [0.0, 1.0, 2.0])
    wanted: list[Wanted] = []
    for number, (_, ending, make, _) in enumerate(CASES):
        bad = put(place / f"{number}.bad", make())
        good = place / "good.root" if ending == "root" else put(place / f"{number}.good", GOOD[ending]())
        wanted.append(Wanted(path=f"x.{ending}", baseline=good, head=bad))
        wanted.append(Wanted(path=f"x.{ending}", baseline=bad, head=good))
    (place / "drawings").mkdir()
    found = compare_contents(wanted, drawings=place / "drawings", limits=LIMITS)
    return {case[0]: (found[2 * i], found[2 * i + 1]) for i, case in enumerate(CASES)}


@pytest.mark.parametrize(("what", "words"), [(case[0], case[3]) for case in CASES])
def test_each_has_a_verdict(
    verdicts: dict[str, tuple[FileComparison, FileComparison]], what: str, words: str
) -> None:
    for found in verdicts[what]:
        assert found.verdict in FileVerdict
        assert found.explanation
        assert "\n" not in found.explanation
    assert words in str(verdicts[what][0]), verdicts[what][0]


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
