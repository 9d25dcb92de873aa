"""Looks into the artifacts whose content differs from the baseline's, and keeps the pictures that are made.

Everything happens before the comparison is written. Killed anywhere, it starts again: the same files give the
same pictures under the same digests, and what nothing names is removed by `retain`.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reana_bridge.model.analyses import FileRule
from reana_bridge.model.comparisons import FileComparison, FileVerdict, Picture
from reana_bridge.model.results import Artifact, Result
from reana_bridge.results.comparison import compare_files
from reana_bridge.results.files.comparing import Limits, Wanted, compare_contents
from reana_bridge.results.files.rules import judged, rule_on
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.comparing.pictures import take_over

_GONE = "the content of one side is no longer kept"


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What became of the artifacts.

    Attributes:
        files: Each of either side; None where there is no baseline.
        pictures: What was drawn of them, kept; a path is the digest with `.png`.
    """

    files: tuple[FileComparison, ...] | None = None
    pictures: tuple[Artifact, ...] = ()


def look_into(bridge: Bridge, baseline: Result | None, head: Result, rules: Sequence[FileRule]) -> Looked:
    """What became of the artifacts of `head` against those of `baseline`, by the `rules` that count."""
    if baseline is None:
        return Looked()
    found = {each.path: each for each in compare_files(baseline.artifacts, head.artifacts)}
    with tempfile.TemporaryDirectory(prefix="reana-bridge-") as place:
        wanted: list[Wanted] = []
        for each in found.values():
            rule = rule_on(each.path, rules)
            try:
                if each.verdict is FileVerdict.DIFFERENT:
                    wanted.append(_wanted(bridge, each, rule))
            except FileNotFoundError:
                each = replace(each, verdict=FileVerdict.NOT_COMPARABLE, explanation=_GONE)
            found[each.path] = judged(each, rule)
        for each in compare_contents(wanted, drawings=Path(place), limits=_limits(bridge)):
            known = found[each.path]
            digests = {"baseline_digest": known.baseline_digest, "head_digest": known.head_digest}
            found[each.path] = replace(each, **digests)
        drawn = (picture for each in found.values() for picture in _pictures(each))
        kept = take_over(bridge, drawn, Path(place))
    files = tuple(_with_pictures(each, kept) for each in found.values())
    return Looked(files=files, pictures=tuple(kept.values()))


def _wanted(bridge: Bridge, each: FileComparison, rule: FileRule | None) -> Wanted:
    baseline, head = (bridge.blobs.path(digest) for digest in (each.baseline_digest, each.head_digest))
    return Wanted(path=each.path, baseline=baseline, head=head, rule=rule)


def _limits(bridge: Bridge) -> Limits:
    limits = bridge.settings.limits
    return Limits(
        count=limits.compared_files,
        size=limits.compared_file,
        seconds=limits.compared_seconds,
        isolation=bridge.isolation,
    )


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
