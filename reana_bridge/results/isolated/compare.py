"""The task `compare`: what became of one file, by a comparator of `reana_bridge.comparators`."""

from pathlib import Path
from typing import Any

from reana_bridge.model.analyses import FileRule
from reana_bridge.model.codec import from_data, to_data
from reana_bridge.results.files.here import compare_here


def compare(job: dict[str, Any], inputs: dict[str, Path], output: Path | None) -> Any:
    """The comparison of `inputs["baseline"]` and `inputs["head"]`; the job has `path`, `kind` and `rule`."""
    rule = from_data(FileRule, job["rule"]) if job["rule"] else None
    baseline, head = inputs["baseline"], inputs["head"]
    return to_data(compare_here(job["path"], job["kind"], rule, baseline, head, output))
