"""Looks into the artifacts of a run beside the baseline's, and keeps the pictures that are made.

Everything happens before the comparison is written. Killed anywhere, it starts again: the same files give the
same pictures under the same digests, and what nothing names is removed by `retain`.
"""

import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.comparisons import FileComparison
from reana_bridge.model.drawn import DrawnFile, Picture
from reana_bridge.model.results import Artifact, Result
from reana_bridge.results.files.artifacts import Side, compare_artifacts
from reana_bridge.results.files.comparing import Limits
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.collecting.measuring import not_read_in_folders
from reana_bridge.steps.comparing.contents import alone_of, count_of, draw_contents
from reana_bridge.steps.comparing.limits import limits_of
from reana_bridge.steps.comparing.pictures import take_over


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What became of the artifacts.

    Attributes:
        files: Each of either side; None where there is no baseline.
        pictures: What was drawn of both sides, kept; a path is the digest with `.png`.
        contents: By path, what is in files that stand alone; kept with the run already.
    """

    files: tuple[FileComparison, ...] | None = None
    pictures: tuple[Artifact, ...] = ()
    contents: dict[str, DrawnFile] = field(default_factory=dict[str, DrawnFile])


@dataclass(frozen=True, kw_only=True)
class Left:
    """A run and what it left."""

    run_id: str
    result: Result


def look_into(
    bridge: Bridge,
    baseline: Left | None,
    head: Left,
    analysis: Analysis,
    *,
    limits: Limits | None = None,
    apart: bool = False,
) -> Looked:
    """What became of the artifacts of `head` against those of `baseline`, with pictures.

    Args:
        bridge: Where the files are.
        baseline: None for none; then what is in the head's files is drawn.
        head: The run whose pictures they are.
        analysis: What it says of its files.
        limits: What looking into them may take; None for what the settings say.
        apart: Whether what is in files that only the baseline has is kept with the baseline.
    """
    limits = limits or limits_of(bridge.settings.limits)
    until = time.monotonic() + limits.seconds
    after = side_of(bridge, head.result, analysis)
    before = side_of(bridge, baseline.result, analysis) if baseline else None
    files, kept = _compared(bridge, before, after, analysis, limits) if before else (None, {})
    contents: dict[str, DrawnFile] = {}
    mine, theirs = alone_of(files, before.artifacts if before else (), after.artifacts)
    homes = [(mine, head.run_id, baseline.run_id if baseline else "")]
    if baseline:
        homes.append((theirs, baseline.run_id if apart else head.run_id, baseline.run_id))
    for alone, home, also in homes:
        most = bridge.settings.limits.compared_pictures - len(kept) - count_of(contents)
        contents |= draw_contents(bridge, alone, run_id=home, also=also, until=until, most=most)
    return Looked(files=files, pictures=tuple(kept.values()), contents=contents)


def _compared(
    bridge: Bridge, before: Side, after: Side, analysis: Analysis, limits: Limits
) -> tuple[tuple[FileComparison, ...], dict[str, Artifact]]:
    """What became of each file, and the kept pictures by digest."""
    with tempfile.TemporaryDirectory(prefix="reana-bridge-") as place:
        found = compare_artifacts(before, after, rules=analysis.files, limits=limits, drawings=Path(place))
        drawn = (picture for each in found for picture in _pictures(each))
        kept = take_over(bridge, drawn, Path(place))
    return tuple(_with_pictures(each, kept) for each in found), kept


def side_of(bridge: Bridge, result: Result, analysis: Analysis) -> Side:
    """The artifacts of a run that are compared as files."""
    artifacts = not_read_in_folders(result.artifacts, analysis)
    return Side(artifacts=artifacts, place=lambda artifact: bridge.blobs.path(artifact.digest))


def _pictures(each: FileComparison) -> Iterator[Picture]:
    yield from each.pictures
    for part in each.parts:
        yield from part.pictures


def _with_pictures(each: FileComparison, kept: Mapping[str, Artifact]) -> FileComparison:
    """With those of its pictures that were kept."""

    def some(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
        return tuple(picture for picture in pictures if picture.digest in kept)

    parts = tuple(replace(part, pictures=some(part.pictures)) for part in each.parts)
    return replace(each, parts=parts, pictures=some(each.pictures))
