"""Files that stand alone in a comparison: PDF and ROOT files without a counterpart are drawn, each once."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import Comparison
from reana_bridge.model.drawn import DrawnFile
from reana_bridge.reports.file_rows import file_rows
from reana_bridge.reports.markdown import section
from reana_bridge.results import isolation
from reana_bridge.steps import previewing
from reana_bridge.steps.reporting import report_of
from reana_bridge.steps.retain import DAY, Retain
from reana_bridge.store.tables import ArtifactRow, Run
from tests.results import without_extras
from tests.results.files.test_pictures import plot
from tests.results.files.test_previews import histograms
from tests.steps.hosted import HostedHouse
from tests.steps.house import House
from tests.steps.test_comparing_files import compared
from tests.steps.test_saying import pictured

Maker = Callable[..., House]


@cache
def pdf(height: float, pages: int = 1) -> bytes:
    return plot(height, "pdf", pages)


def first(house: House, files: dict[str, bytes]) -> Any:
    """The first run of a project: it has no baseline."""
    house.commit("main", {".reana-bridge.yaml": "file: reana.yaml\n"})
    house.push()
    return house.end(house.run_of(house.head()), {"m": 1}, files)


def contents(house: House, run: Any) -> dict[str, DrawnFile]:
    found = from_data(Comparison, house.comparison(run)).contents
    return {path.removeprefix("results/"): drawn for path, drawn in found.items()}


def kept(house: House, run: Any) -> set[str]:
    """Digests of the pictures that are kept with the run."""
    rows = [row for row in house.rows(ArtifactRow) if (row.run_id, row.kind) == (run.id, "preview")]
    found = {row.digest for row in rows if row.path.endswith(".png")}
    assert all(house.bridge.blobs.read(digest).startswith(b"\x89PNG") for digest in found)
    return found


def note(house: House, run: Any) -> str:
    with house.bridge.database.read() as session:
        return section(report_of(house.bridge, session, session.get_one(Run, run.id)))


def plain(body: str) -> str:
    return body.replace("\\`", "`")


def test_a_first_run_shows_its_pdf_and_histograms(one: House, tmp_path: Path) -> None:
    shapes = histograms(tmp_path / "h.root", 1, 1).read_bytes()
    files = {"results/a.pdf": pdf(1, 2), "results/h.root": shapes, "results/bad.pdf": b"%PDF-1.7\nno"}
    run = first(one, files)
    found = contents(one, run)
    titles = {path: [picture.title for picture in drawn.pictures] for path, drawn in found.items()}
    assert titles == {
        "a.pdf": ["Page 1", "Page 2"],
        "h.root": ["The histogram h0", "The histogram h1"],
        "bad.pdf": [],
    }
    assert kept(one, run) == {picture.digest for drawn in found.values() for picture in drawn.pictures}
    body = note(one, run)
    assert "**Plots** 2: [`results/a.pdf`](http" in body
    assert "/pictures/" in body
    assert "(not drawn: is no PDF that can be read" in body


def test_what_has_no_difference_to_show_is_drawn_alone(one: House) -> None:
    names = ("new", "same", "other", "gone")
    before = {f"results/{name}.pdf": pdf(1) for name in names if name != "new"}
    after = {f"results/{name}.pdf": pdf(2 if name == "other" else 1) for name in names if name != "gone"}
    run = compared(one, before, after)
    found = contents(one, run)
    assert list(found) == ["new.pdf", "same.pdf", "gone.pdf"]
    assert {len(drawn.pictures) for drawn in found.values()} == {1}
    with one.bridge.database.read() as session:
        report = report_of(one.bridge, session, session.get_one(Run, run.id))
    rows = {row.path.removeprefix("results/"): row for row in file_rows(report) if row.path.endswith("pdf")}
    assert [page.name for page in rows["other.pdf"].pages] == ["page 1"]
    assert {path for path, row in rows.items() if row.contents and row.moved} == {"new.pdf", "gone.pdf"}
    assert all(row.is_plot for row in rows.values())


def test_what_the_baseline_has_drawn_is_not_drawn_again(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"results/a.pdf": pdf(1, 2), "results/bad.pdf": b"%PDF-1.7\nno"}
    main = first(one, files)
    drawn = contents(one, main)
    monkeypatch.setattr(previewing, "draw", None)
    sha = one.commit("b", {"n": "1"})
    one.push("b")
    run = one.end(one.run_of(sha), {"m": 1}, files)
    assert contents(one, run) == drawn
    assert kept(one, run) == kept(one, main) != set()


def test_pictures_go_with_the_run(make_house: Maker, sqlite_url: str) -> None:
    house = make_house(sqlite_url, storage={"artifact_days": 7})
    run = compared(house, {}, {"results/a.pdf": pdf(1)})
    (digest,) = kept(house, run)
    house.later(8 * DAY)
    for path in house.bridge.blobs.root.glob("??/*"):
        os.utime(path, (1000, 1000))
    Retain(house.bridge).artifacts()
    assert kept(house, run) == set()
    assert digest not in set(house.bridge.blobs.digests())


LIMITS: list[tuple[dict[str, Any], dict[str, tuple[int, str]]]] = [
    ({"compared_pictures": 1}, {"a.pdf": (1, "")}),
    ({"compared_pictures": 0}, {}),
    ({"compared_files": 1}, {"a.pdf": (2, "")}),
    ({"compared_file": 9}, {"a.pdf": (0, "more than what is"), "b.pdf": (0, "more than what is")}),
    ({"compared_seconds": 0}, {"a.pdf": (0, "no time was left"), "b.pdf": (0, "no time was left")}),
]


@pytest.mark.parametrize(("limits", "found"), LIMITS)
def test_there_is_a_limit_to_it(
    make_house: Maker, sqlite_url: str, limits: dict[str, Any], found: dict[str, tuple[int, str]]
) -> None:
    house = make_house(sqlite_url, limits=limits)
    drawn = contents(house, first(house, {"results/a.pdf": pdf(1, 2), "results/b.pdf": pdf(2, 2)}))
    assert {path: len(each.pictures) for path, each in drawn.items()} == {
        path: count for path, (count, _) in found.items()
    }
    assert all(words in drawn[path].problem for path, (_, words) in found.items())


def test_without_the_extras_everything_is_still_said(
    one: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shapes = histograms(tmp_path / "h.root", 1).read_bytes()
    more = histograms(tmp_path / "m.root", 2).read_bytes()
    before = {"results/a.pdf": pdf(1), "results/h.root": shapes}
    after = {"results/a.pdf": pdf(2), "results/h.root": more, "results/b.pdf": pdf(1)}
    with monkeypatch.context() as patch:
        patch.setattr(isolation, "TASKS", {**isolation.TASKS, **without_extras.TASKS})
        run = compared(one, before, after)
        body = note(one, run)
    for path in ("a.pdf", "h.root"):
        assert f"`results/{path}` not comparable (needs the extra `plots` of reana-bridge" in plain(body)
    assert "results/b.pdf?" in body
    assert " new (not drawn: needs the extra `plots` on the server" in plain(body)
    assert "![" not in body
    assert kept(one, run) == set()
    # Once it is installed, who looks at the file sees it.
    with one.bridge.database.read() as session:
        row = session.get_one(ArtifactRow, (run.id, "output", "results/b.pdf"))
    assert len(previewing.drawn_file(one.bridge, row).pictures) == 1


def test_pages_are_embedded_in_the_note_once_each_content(hosted: HostedHouse) -> None:
    files = {"results/a.pdf": pdf(2, 2), "results/same.pdf": pdf(2, 2)}
    body = pictured(hosted, files=files)
    names = [name for name, _ in hosted.forge.uploads]
    assert (len(names), {name.partition(".pdf")[2] for name in names}) == (2, {"-head.png"})
    assert "| `results/a.pdf` | ![results/a.pdf, page 1](" in body
    assert "| `results/same.pdf` | ![results/same.pdf, page 1](" in body
    assert "<summary>2 more pages</summary>" in body
    pictured(hosted, files=files)
    assert len(hosted.forge.uploads) == 2
