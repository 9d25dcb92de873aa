"""What is in the files that stand alone in a comparison, drawn so that a report shows them like other plots.

A PDF of which no difference was drawn (without a counterpart, the same on both sides, not comparable) is
shown by its pages; of a ROOT file without a counterpart its histograms.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reana_bridge.model.comparisons import UNMOVED, FileComparison, FileVerdict
from reana_bridge.model.drawn import DrawnFile
from reana_bridge.model.results import Artifact
from reana_bridge.results.drawing.contents import AT_ONCE, is_drawn, is_plot
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.previewing import draw_files, known_of

_ALONE = frozenset({FileVerdict.NEW, FileVerdict.MISSING, FileVerdict.NOT_COMPARABLE})


def alone_of(
    files: Sequence[FileComparison] | None, baseline: Sequence[Artifact], head: Sequence[Artifact]
) -> tuple[list[Artifact], list[Artifact]]:
    """This commit's files that are drawn by themselves, those that did not move last; and the baseline's.

    Args:
        files: What became of each; None where there is no baseline.
        baseline: The baseline's.
        head: This commit's.
    """
    if files is None:
        return [artifact for artifact in head if is_drawn(artifact.path)], []
    wanted = sorted(filter(_stands_alone, files), key=lambda each: each.verdict in UNMOVED)
    sides = [{each.path: each for each in side} for side in (head, baseline)]
    mine = [sides[0][each.path] for each in wanted if each.path in sides[0]]
    return mine, [sides[1][each.path] for each in wanted if each.path not in sides[0]]


def count_of(contents: Mapping[str, DrawnFile]) -> int:
    """How many pictures they have."""
    return sum(len(each.pictures) for each in contents.values())


def _stands_alone(each: FileComparison) -> bool:
    if any(part.pictures for part in (each, *each.parts)):
        return False
    return is_plot(each.path) or (is_drawn(each.path) and each.verdict in _ALONE)


def draw_contents(
    bridge: Bridge, alone: Sequence[Artifact], *, run_id: str, also: str, until: float, most: int
) -> dict[str, DrawnFile]:
    """By path, what is in the files that stand alone; kept with the run.

    Args:
        bridge: Where the files are.
        alone: The files.
        run_id: The run.
        also: The run that it is compared with, whose pictures of the same content count too; empty for none.
        until: By `time.monotonic`; files that no time is left for say so.
        most: How many pictures there are at most.
    """
    alone = alone[: bridge.settings.limits.compared_files]
    found: dict[str, DrawnFile] = {}
    for start in range(0, len(alone), AT_ONCE):
        if count_of(found) >= most:
            break
        found |= _group(bridge, alone[start : start + AT_ONCE], run_id, also, until)
    return dict(_cut(found, most))


def _group(
    bridge: Bridge, group: Sequence[Artifact], run_id: str, also: str, until: float
) -> dict[str, DrawnFile]:
    known = {one.path: known_of(bridge, run_id, one, also=also) for one in group}
    missing = [one for one in group if known[one.path] is None]
    drawn = draw_files(bridge, run_id, missing, until=until) if missing else []
    fresh = {one.path: each for one, each in zip(missing, drawn, strict=True)}
    return {path: each or fresh[path] for path, each in known.items()}


def _cut(found: Mapping[str, DrawnFile], most: int) -> Iterator[tuple[str, DrawnFile]]:
    """At most so many pictures, the first ones."""
    for path, each in found.items():
        pictures = each.pictures[: max(most, 0)]
        most -= len(pictures)
        if pictures or each.problem:
            yield path, replace(each, pictures=pictures)
