"""Looks into the artifacts whose content differs from the baseline's, and keeps the pictures that are made.

Everything happens before the comparison is written. Killed anywhere, it starts again: the same files give the
same pictures under the same digests, and what nothing names is removed by `retain`.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.comparisons import FileComparison, Picture
from reana_bridge.model.results import Artifact, Result
from reana_bridge.results.files.artifacts import Side, compare_artifacts
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.collecting.measuring import not_read_in_folders
from reana_bridge.steps.comparing.limits import limits_of
from reana_bridge.steps.comparing.pictures import take_over


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What became of the artifacts.

    Attributes:
        files: Each of either side; None where there is no baseline.
        pictures: What was drawn of them, kept; a path is the digest with `.png`.
    """

    files: tuple[FileComparison, ...] | None = None
    pictures: tuple[Artifact, ...] = ()


def look_into(bridge: Bridge, baseline: Result | None, head: Result, analysis: Analysis) -> Looked:
    """What became of the artifacts of `head` against those of `baseline`, by what `analysis` says of them."""
    if baseline is None:
        return Looked()
    with tempfile.TemporaryDirectory(prefix="reana-bridge-") as place:
        found = compare_artifacts(
            side_of(bridge, baseline, analysis),
            side_of(bridge, head, analysis),
            rules=analysis.files,
            limits=limits_of(bridge.settings.limits),
            drawings=Path(place),
        )
        drawn = (picture for each in found for picture in _pictures(each))
        kept = take_over(bridge, drawn, Path(place))
    files = tuple(_with_pictures(each, kept) for each in found)
    return Looked(files=files, pictures=tuple(kept.values()))


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
