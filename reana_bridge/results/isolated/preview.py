"""The task `preview`: what is in one file, drawn for who looks at it."""

from pathlib import Path
from typing import Any

from reana_bridge.model.codec import to_data
from reana_bridge.results.drawing.previews import preview as drawn


def preview(job: dict[str, Any], inputs: dict[str, Path], output: Path) -> Any:
    """The pictures of `inputs["file"]`, which is of the job's `kind`, kept in `output`."""
    return to_data(drawn(inputs["file"], job["kind"], place=output))
