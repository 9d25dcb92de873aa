"""The task `read`: metrics and checks of one file, by a reader of `reana_bridge.isolated_readers`."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from reana_bridge.model.codec import to_data

GROUP = "reana_bridge.isolated_readers"


def read(job: dict[str, Any], inputs: dict[str, Path], output: Path | None) -> Any:
    """The reading of `inputs["file"]`; the job names the `format`, the `source` and its `options`."""
    reader = next(iter(entry_points(group=GROUP, name=job["format"]))).load()
    return to_data(reader(inputs["file"], source=job["source"], **job.get("options", {})))
