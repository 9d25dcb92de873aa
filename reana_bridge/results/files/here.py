"""Compares one pair of files in this very process, whatever is in them."""

from dataclasses import replace
from pathlib import Path

from reana_bridge.model.analyses import FileRule
from reana_bridge.model.comparisons import FileComparison, FileVerdict
from reana_bridge.results.extras import extra_of
from reana_bridge.results.files import UnknownKind, comparator_of
from reana_bridge.results.files.pair import MAX_EXPLANATION, NotComparable, Pair
from reana_bridge.results.files.tolerances import Tolerances
from reana_bridge.results.readers.clean import one_line


def compare_here(
    path: str, kind: str, rule: FileRule | None, baseline: Path, head: Path, drawings: Path | None
) -> FileComparison:
    """The comparison of the files at `baseline` and `head`, which are both `path` in their workspaces.

    Args:
        path: Relative to the workspace.
        kind: A comparator's name.
        rule: The rule on it; None where there is none.
        baseline: Where the baseline's content lies.
        head: Where this commit's content lies.
        drawings: A directory for pictures, each under the SHA-256 of its content; None for none.
    """
    pair = Pair(path=path, baseline=baseline, head=head, tolerances=Tolerances(rule), drawings=drawings)
    try:
        return replace(comparator_of(kind)(pair), kind=kind)
    except MemoryError:
        raise
    except Exception as error:  # a comparator from outside, or a library over a damaged file
        words = one_line(_why(error), MAX_EXPLANATION)
        verdict = FileVerdict.NOT_COMPARABLE
        lasting = not isinstance(error, ImportError)
        return FileComparison(path=path, verdict=verdict, kind=kind, explanation=words, lasting=lasting)


def _why(error: Exception) -> str:
    if isinstance(error, NotComparable | UnknownKind):
        return str(error)
    if isinstance(error, ImportError):
        extra = extra_of(error) or "plots"
        return f"needs the extra `{extra}` of reana-bridge on the server ({error})"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return f"cannot be read: {type(error).__name__}: {error}"
