"""The task `read`: metrics and checks of one file, by a reader of `reana_bridge.isolated_readers`."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from reana_bridge.model.codec import to_data
from reana_bridge.results.extras import extra_of
from reana_bridge.results.readers.gathering import unusable

GROUP = "reana_bridge.isolated_readers"


def read(job: dict[str, Any], inputs: dict[str, Path], output: Path | None) -> Any:
    """The reading of `inputs["file"]`; the job names its `format`, `source` and the reader's `options`."""
    try:
        reader = next(iter(entry_points(group=GROUP, name=job["format"]))).load()
    except ModuleNotFoundError as error:
        extra = extra_of(error)
        if not extra:
            raise
        what = f"needs the extra `{extra}`, which is not installed here (`reana-bridge[{extra}]`)"
        return to_data(unusable(job["source"], what))
    return to_data(reader(inputs["file"], source=job["source"], **job["options"]))
