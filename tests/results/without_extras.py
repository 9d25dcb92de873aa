"""Tasks on a server without the extras: they run in the isolated process alone, whose libraries they hide."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reana_bridge.results.isolated import compare as comparing
from reana_bridge.results.isolated import preview as previewing
from reana_bridge.results.isolated import read as reading

HIDDEN = ("awkward", "hist", "matplotlib", "numpy", "PIL", "pypdfium2", "resvg_py", "uproot")
TASKS = {name: f"{__name__}:{name}" for name in ("compare", "preview", "read")}


def _hide(hidden: Sequence[str] = HIDDEN) -> None:
    sys.modules.update(dict.fromkeys(hidden))  # an import of None fails as that of what is not there


def compare(job: dict[str, Any], inputs: dict[str, Path], output: Path | None) -> Any:
    _hide()
    return comparing.compare(job, inputs, output)


def preview(job: dict[str, Any], inputs: dict[str, Path], output: Path) -> Any:
    _hide(job.get("hidden", HIDDEN))
    return previewing.preview(job, inputs, output)


def read(job: dict[str, Any], inputs: dict[str, Path], output: Path | None) -> Any:
    _hide()
    return reading.read(job, inputs, output)
