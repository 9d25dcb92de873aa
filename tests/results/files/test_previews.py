"""What is drawn of one file: pages of a PDF, histograms of a ROOT file; files that mean harm are survived."""

from pathlib import Path
from typing import Any

import hist
import pytest
import uproot
from PIL import Image

from reana_bridge.model.codec import from_data
from reana_bridge.model.drawn import DrawnFile
from reana_bridge.results.drawing import previews
from reana_bridge.results.drawing.previews import KINDS, preview
from reana_bridge.results.files import kind_of
from reana_bridge.results.isolation import IsolationLimits, Item, run, run_each
from tests.results import without_extras
from tests.results.files.hostile import CASES, pdf
from tests.results.files.pairs import put
from tests.results.files.test_pictures import plot


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "MAX_PAGES", 2)
    monkeypatch.setattr(previews, "MAX_HISTOGRAMS", 2)


def histograms(path: Path, *dimensions: int) -> Path:
    with uproot.recreate(path) as file:
        for number, dimension in enumerate(dimensions):
            axes = [hist.axis.Regular(4, 0, 4, label=f"axis {place}") for place in range(dimension)]
            made = hist.Hist(*axes, storage="Weight")
            made.fill(*[[1.0, 2.0, 2.0]] * dimension)
            file[f"h{number}"] = made
        file["t"] = {"x": [1.0]}
    return path


def drawn(path: Path, place: Path) -> DrawnFile:
    place.mkdir(exist_ok=True)
    found = preview(path, kind_of(path.name), place=place)
    for picture in found.pictures:
        with Image.open(place / picture.digest) as image:
            assert image.format == "PNG"
            assert min(image.size) > 100
    return found


@pytest.mark.parametrize(("pages", "titles", "cut"), [(1, 1, ""), (2, 2, ""), (5, 2, "3 more pages")])
def test_pages_of_a_pdf(tmp_path: Path, pages: int, titles: int, cut: str) -> None:
    found = drawn(put(tmp_path / "x.pdf", plot(1.0, "pdf", pages)), tmp_path / "drawn")
    assert [one.title for one in found.pictures] == [f"Page {number + 1}" for number in range(titles)]
    assert (found.cut, found.problem) == (cut, "")


@pytest.mark.parametrize(
    ("dimensions", "count", "cut", "problem"),
    [
        ((1,), 1, "", ""),
        ((2, 3), 2, "", ""),
        ((1, 1, 1), 2, "1 more histogram", ""),
        ((), 0, "", "there is no histogram in it"),
    ],
)
def test_histograms_of_a_root_file(
    tmp_path: Path, dimensions: Any, count: int, cut: str, problem: str
) -> None:
    found = drawn(histograms(tmp_path / "x.root", *dimensions), tmp_path / "drawn")
    assert [one.title for one in found.pictures] == [f"The histogram h{number}" for number in range(count)]
    assert (found.cut, found.problem) == (cut, problem)


def test_a_histogram_that_cannot_be_read_takes_nothing_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reana_bridge.results.files import binned

    monkeypatch.setattr(binned, "MAX_BINS", 6)
    found = drawn(histograms(tmp_path / "x.root", 1, 2), tmp_path / "drawn")
    assert [one.title for one in found.pictures] == ["The histogram h0"]
    assert found.cut == "h1, which has more than 6 bins"


MISSING = [
    ("x.pdf", "pypdfium2", "plots"),
    ("x.pdf", "PIL", "plots"),
    ("x.root", "uproot", "root"),
    ("x.root", "matplotlib", "plots"),
]


@pytest.mark.parametrize(("name", "hidden", "extra"), MISSING)
def test_a_missing_extra_is_named_and_not_taken_for_the_files_fault(
    tmp_path: Path, name: str, hidden: str, extra: str
) -> None:
    path = put(tmp_path / "x.pdf", pdf()) if name == "x.pdf" else histograms(tmp_path / name, 1)
    job = {"kind": kind_of(name), "hidden": [hidden]}
    found = from_data(
        DrawnFile, run(without_extras.TASKS["preview"], job, inputs={"file": path}, output=tmp_path)
    )
    assert f"needs the extra `{extra}` on the server" in found.problem
    assert (found.pictures, found.lasting) == ((), False)


def test_files_that_mean_harm_are_survived_in_one_go(tmp_path: Path) -> None:
    cases = [(what, ending, make) for what, ending, make, _ in CASES if kind_of(f"x.{ending}") in KINDS]
    assert len(cases) > 5
    (tmp_path / "drawn").mkdir()
    contents = [*(make() for _, _, make in cases), pdf()]
    kinds = [*(kind_of(f"x.{ending}") for _, ending, _ in cases), "pdf"]
    items = [
        Item(job={"kind": kind}, inputs={"file": put(tmp_path / str(number), content)})
        for number, (kind, content) in enumerate(zip(kinds, contents, strict=True))
    ]
    answers = run_each("preview", items, output=tmp_path / "drawn", limits=IsolationLimits(seconds=10))
    for (what, _, _), answer in zip(cases, answers[:-1], strict=True):
        said = answer.problem or from_data(DrawnFile, answer.value)
        assert said, what
    assert len(from_data(DrawnFile, answers[-1].value).pictures) == 1
