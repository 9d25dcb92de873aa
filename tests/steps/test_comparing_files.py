"""Artifacts of a run against its baseline's: rules that count, pictures, what is gone or too much."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import FileComparison, FileVerdict
from reana_bridge.model.drawn import Picture
from reana_bridge.model.results import Artifact, Result
from reana_bridge.results.files import artifacts
from reana_bridge.steps.comparing.files import Left, look_into
from reana_bridge.steps.retain import DAY, Retain
from reana_bridge.store.tables import ArtifactRow
from tests.steps.house import House

ANALYSIS = Analysis(name="analysis", file="reana.yaml")
Maker = Callable[..., House]
BLOCK = "files: [{path: results/x.csv, relative: 10%, effect: block}]\n"
UNKNOWN = BLOCK.replace("effect", "kind: nothing, effect")


def dot(place: int) -> bytes:
    image = Image.new("RGB", (20, 20), "white")
    image.putpixel((place, place), (0, 0, 0))
    written = io.BytesIO()
    image.save(written, format="PNG")
    return written.getvalue()


def compared(
    house: House, before: dict[str, bytes], after: dict[str, bytes], *, main: str = "", branch: str = ""
) -> Any:
    """The run on a branch whose baseline on `main` left `before`."""
    house.commit("main", {".reana-bridge.yaml": main or "file: reana.yaml\n"})
    house.push()
    house.end(house.run_of(house.head()), {"m": 1}, before)
    sha = house.commit("b", {"n": "1", **({".reana-bridge.yaml": branch} if branch else {})})
    house.push("b")
    return house.end(house.run_of(sha), {"m": 1}, after)


def left(result: Result, run_id: str = "") -> Left:
    return Left(run_id=run_id, result=result)


def verdicts(house: House, run: Any) -> dict[str, FileComparison]:
    listed = from_data(tuple[FileComparison, ...], house.comparison(run)["files"])
    return {each.path.removeprefix("results/"): each for each in listed}


def pictures(house: House, run: Any) -> set[str]:
    rows = [row for row in house.rows(ArtifactRow) if (row.run_id, row.kind) == (run.id, "picture")]
    assert all(row.path == f"{row.digest}.png" for row in rows)
    assert all(house.bridge.blobs.read(row.digest).startswith(b"\x89PNG") for row in rows)
    return {row.digest for row in rows}


TABLES: list[tuple[bytes, bytes, str, str, FileVerdict, bool]] = [
    (b"a\n1.0\n", b"a\n1.0\n", BLOCK, "", FileVerdict.IDENTICAL, False),
    (b"a\n1.0\n", b"a\n1.05\n", BLOCK, "", FileVerdict.WITHIN_TOLERANCE, False),
    (b"a\n1.0\n", b"a\n1.5\n", BLOCK, "", FileVerdict.DIFFERENT, True),
    (b"a\n1.0\n", b"", BLOCK, "", FileVerdict.DIFFERENT, True),
    (b"a\n1.0\n", b"a\n1.5\n", "", "", FileVerdict.DIFFERENT, False),
    (b"a\n1.0\n", b"a\n1.5\n", "", BLOCK, FileVerdict.DIFFERENT, False),  # a proposal's own rules
    (b"a\n1.0\n", b"a\n1.5\n", BLOCK, "file: reana.yaml\n", FileVerdict.DIFFERENT, True),
    (b"a\n1.0\n", b"a\n1.5\n", BLOCK.replace("block", "warn"), "", FileVerdict.DIFFERENT, False),
    (b"a\n1.0\n", b"a\n1 \n", UNKNOWN, "", FileVerdict.NOT_COMPARABLE, True),
]


@pytest.mark.parametrize(("before", "after", "main", "branch", "verdict", "blocked"), TABLES)
def test_the_target_branchs_rules_count(
    one: House, before: bytes, after: bytes, main: str, branch: str, verdict: FileVerdict, blocked: bool
) -> None:
    run = compared(one, {"results/x.csv": before}, {"results/x.csv": after}, main=main, branch=branch)
    assert verdicts(one, run)["x.csv"].verdict is verdict
    assert bool(one.comparison(run).get("blocked")) is blocked


def test_new_and_missing_files_have_their_rules_too(one: House) -> None:
    run = compared(one, {"results/x.csv": b"a\n1\n"}, {"results/y.csv": b"a\n1\n"}, main=BLOCK)
    found = verdicts(one, run)
    assert (found["x.csv"].verdict, found["x.csv"].rules[0].broken) == (FileVerdict.MISSING, True)
    assert (found["y.csv"].verdict, found["y.csv"].rules) == (FileVerdict.NEW, ())
    assert one.comparison(run)["blocked"]


def test_pictures_of_what_differs_are_kept_once_and_go_with_the_run(
    make_house: Maker, sqlite_url: str
) -> None:
    house = make_house(sqlite_url, storage={"artifact_days": 7})
    run = compared(house, {"results/x.png": dot(3)}, {"results/x.png": dot(9)})
    plot = verdicts(house, run)["x.png"]
    assert [picture.shows for picture in plot.pictures] == ["baseline", "head", "difference"]
    kept = pictures(house, run)
    assert kept == {picture.digest for picture in plot.pictures}
    house.later(8 * DAY)
    for path in house.bridge.blobs.root.glob("??/*"):
        os.utime(path, (1000, 1000))
    Retain(house.bridge).artifacts()
    assert pictures(house, run) == set()
    # The copies of base and head are the very bytes of the artifacts, so the baseline's is named by its run.
    assert plot.pictures[2].digest not in set(house.bridge.blobs.digests())


def test_the_same_files_give_the_same_comparison_and_the_same_pictures(one: House) -> None:
    run = compared(one, {"results/x.png": dot(3)}, {"results/x.png": dot(9)})
    head = from_data(Result, one.run(run.id).result)
    before = Result(artifacts=tuple(replace_digest(one, artifact) for artifact in head.artifacts))
    first, again = (look_into(one.bridge, left(before), left(head, run.id), ANALYSIS) for _ in range(2))
    assert first == again
    assert first.files is not None


def replace_digest(house: House, artifact: Artifact) -> Artifact:
    content = dot(5) if artifact.path.endswith(".png") else b"{}"
    blob = house.bridge.blobs.put(io.BytesIO(content), limit=1 << 20)
    return Artifact(path=artifact.path, digest=blob.digest, size=blob.size)


LIMITS: list[tuple[dict[str, Any], str]] = [
    ({"compared_files": 0}, "only 0 files are looked into"),
    ({"compared_file": 5}, "more than the 5 looked into"),
    ({"compared_seconds": 0}, "no time was left"),
]


@pytest.mark.parametrize(("limits", "words"), LIMITS)
def test_what_is_too_much_is_said_of_the_file(
    make_house: Maker, sqlite_url: str, limits: dict[str, Any], words: str
) -> None:
    house = make_house(sqlite_url, limits=limits)
    run = compared(house, {"results/x.png": dot(3)}, {"results/x.png": dot(9)})
    plot = verdicts(house, run)["x.png"]
    assert (plot.verdict, words in plot.explanation) == (FileVerdict.NOT_COMPARABLE, True), plot


def test_at_most_so_many_pictures_are_kept(make_house: Maker, sqlite_url: str) -> None:
    house = make_house(sqlite_url, limits={"compared_pictures": 2})
    run = compared(house, {"results/x.png": dot(3)}, {"results/x.png": dot(9)})
    assert len(pictures(house, run)) == len(verdicts(house, run)["x.png"].pictures) == 2


def test_a_baseline_whose_content_is_gone_is_said(one: House) -> None:
    artifact = Artifact(path="x.csv", digest="0" * 64, size=3)
    blob = one.bridge.blobs.put(io.BytesIO(b"a\n1\n"), limit=10)
    head = Result(artifacts=(Artifact(path="x.csv", digest=blob.digest, size=blob.size),))
    looked = look_into(one.bridge, left(Result(artifacts=(artifact,))), left(head), ANALYSIS)
    assert looked.files is not None
    (found,) = looked.files
    assert (found.verdict, "no longer kept" in found.explanation) == (FileVerdict.NOT_COMPARABLE, True)
    assert (found.baseline_digest, found.head_digest) == ("0" * 64, blob.digest)


def planted(place: Path) -> Iterator[tuple[str, str]]:
    """What a comparator that was taken over may leave instead of a picture, and the digest it names."""
    secret = place / "secret"
    secret.write_bytes(b"\x89PNG secret")
    for number, kind in enumerate(("link", "pipe", "directory", "text")):
        digest = str(number) * 64
        match kind:
            case "link":
                (place / digest).symlink_to(secret)
            case "pipe":
                os.mkfifo(place / digest)
            case "directory":
                (place / digest).mkdir()
            case _:
                (place / digest).write_bytes(b"<html>")
        yield kind, digest
    (place / ("a" * 64)).write_bytes(b"\x89PNG under another digest")
    yield from (("other", "a" * 64), ("outside", "../secret"), ("absent", "b" * 64))


def test_what_drew_a_picture_is_not_trusted(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def lies(wanted: Any, *, drawings: Path, limits: Any) -> list[FileComparison]:
        made = [Picture(shows="head", title=kind, digest=digest) for kind, digest in planted(drawings)]
        return [FileComparison(path=wanted[0].path, verdict=FileVerdict.DIFFERENT, pictures=tuple(made))]

    monkeypatch.setattr(artifacts, "compare_contents", lies)
    blobs = [one.bridge.blobs.put(io.BytesIO(content), limit=10) for content in (b"a", b"b")]
    sides = [
        Result(artifacts=(Artifact(path="x.png", digest=blob.digest, size=blob.size),)) for blob in blobs
    ]
    looked = look_into(one.bridge, left(sides[0]), left(sides[1]), ANALYSIS)
    assert looked.pictures == ()
    assert looked.files is not None
    assert looked.files[0].pictures == ()
