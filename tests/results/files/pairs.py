"""Makes two files and compares them."""

from pathlib import Path
from tempfile import TemporaryDirectory

from reana_bridge.model.analyses import FileRule
from reana_bridge.model.comparisons import FileComparison
from reana_bridge.results.files import kind_of
from reana_bridge.results.files.here import compare_here

Content = str | bytes


def put(path: Path, content: Content) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def compare(
    name: str,
    before: Content,
    after: Content,
    rule: FileRule | None = None,
    *,
    kind: str = "",
    drawings: Path | None = None,
) -> FileComparison:
    """What becomes of a file of this name with these contents."""
    with TemporaryDirectory() as place:
        baseline, head = put(Path(place, "baseline"), before), put(Path(place, "head"), after)
        return compare_here(name, kind or kind_of(name), rule, baseline, head, drawings)


def measure(comparison: FileComparison, name: str, part: str = "") -> float | int | str:
    """The figure of this name, of the whole file or of one part."""
    within = next(each for each in comparison.parts if each.name == part) if part else comparison
    return next(each.value for each in within.measures if each.name == name)
