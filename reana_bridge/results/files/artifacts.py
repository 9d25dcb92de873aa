"""What became of the artifacts of two results: by their digests, and where those differ by their content."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reana_bridge.model.analyses import FileRule
from reana_bridge.model.comparisons import FileComparison, FileVerdict
from reana_bridge.model.results import Artifact
from reana_bridge.results.comparison import compare_files
from reana_bridge.results.files.comparing import Limits, Wanted, compare_contents
from reana_bridge.results.files.rules import judged, rule_on

_GONE = "the content of one side is no longer kept"


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one side left.

    Attributes:
        artifacts: Those that are compared as files.
        place: Where the content of one lies; FileNotFoundError where it is no longer kept.
    """

    artifacts: Sequence[Artifact]
    place: Callable[[Artifact], Path]


def compare_artifacts(
    baseline: Side,
    head: Side,
    *,
    rules: Sequence[FileRule],
    limits: Limits,
    drawings: Path | None = None,
) -> list[FileComparison]:
    """The comparison of each artifact of either side.

    Args:
        baseline: The baseline's.
        head: This commit's.
        rules: Those that count; of several on a file the first.
        limits: What looking into them may take.
        drawings: An empty directory for pictures, each under the SHA-256 of its content; None for none.
    """
    before, after = ({each.path: each for each in side.artifacts} for side in (baseline, head))
    found = {each.path: each for each in compare_files(baseline.artifacts, head.artifacts)}
    wanted: list[Wanted] = []
    for each in found.values():
        path, rule = each.path, rule_on(each.path, rules)
        try:
            if each.verdict is FileVerdict.DIFFERENT:
                was, now = baseline.place(before[path]), head.place(after[path])
                wanted.append(Wanted(path=path, baseline=was, head=now, rule=rule))
        except FileNotFoundError:
            each = replace(each, verdict=FileVerdict.NOT_COMPARABLE, explanation=_GONE)
        found[path] = judged(each, rule)
    for each in compare_contents(wanted, drawings=drawings, limits=limits):
        known = found[each.path]
        digests = {"baseline_digest": known.baseline_digest, "head_digest": known.head_digest}
        found[each.path] = replace(each, **digests)
    return list(found.values())
