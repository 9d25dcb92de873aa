"""An environment with what the example analysis needs, from PyPI or what uv has of it, or not at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reana_bridge.demo.variants import REQUIREMENTS


def make_environment(place: Path) -> str | None:
    """Why no environment could be made in `place`; None when it is there."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        return "install uv"
    install = ["pip", "install", "--quiet", "--python", str(place), "-r", str(REQUIREMENTS)]
    for arguments in (["venv", "--quiet", "--python", sys.executable, str(place)], install):
        if subprocess.run([uv, *arguments], capture_output=True).returncode != 0:
            return "the packages of the example analysis could not be installed: PyPI is not reachable"
    return None


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment variables of a step."""
    place = tmp_path_factory.mktemp("analysis") / "environment"
    wrong = make_environment(place)
    if wrong is not None:
        pytest.skip(wrong)
    home = place.parent / "home"
    home.mkdir()
    return {"PATH": f"{place}/bin:{os.environ['PATH']}", "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
