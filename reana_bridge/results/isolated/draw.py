"""The task `draw`: the series of one metric, of baseline and head over another."""

from pathlib import Path
from typing import Any

from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.metrics import Metric
from reana_bridge.results.drawing.series import overlay


def draw(job: dict[str, Any], inputs: dict[str, Path], output: Path) -> Any:
    """The picture of the metrics `baseline` and `head` of the job, kept in `output`."""
    before, after = from_data(Metric, job["baseline"]), from_data(Metric, job["head"])
    return to_data(overlay(before, after, place=output))
