"""The example analysis in a working copy, and two changes of it: one that matters, one that is a mistake."""

import shutil
from pathlib import Path

ANALYSIS = Path(__file__).with_name("analysis")
"""The analysis as it is shipped."""

REQUIREMENTS = ANALYSIS / "requirements.txt"
"""What its steps need, pinned."""


def write_analysis(copy: Path) -> None:
    """Put the example analysis into the directory `copy`."""
    shutil.copytree(ANALYSIS, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def change_selection(copy: Path) -> None:
    """Cut much harder on the score: less background, but far less signal, and a weaker expected limit.

    Raises:
        ValueError: `copy` does not hold the example analysis as it is shipped.
    """
    _replace(copy / "reana.yaml", "score_min: 0.55", "score_min: 0.80")


def break_fit(copy: Path) -> None:
    """Rename the column `mass` where it is made and selected, and forget the step that fits it.

    Raises:
        ValueError: `copy` does not hold the example analysis as it is shipped.
    """
    _replace(copy / "simulate.py", '"mass": masses(', '"diphoton_mass": masses(')
    _replace(copy / "selection.py", '("mass", "sample", "weight")', '("diphoton_mass", "sample", "weight")')


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{path} is not the example analysis: `{old}` is there {text.count(old)} times")
    path.write_text(text.replace(old, new), encoding="utf-8")
