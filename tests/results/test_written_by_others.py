"""Files that DVCLive and pyhf write; their environments are large, so these run with the whole matrices."""

import json
import subprocess
from pathlib import Path

import pytest

from reana_bridge.results.readers import MetricsContent, read_metrics
from reana_bridge.results.readers import json as json_reader
from tests.results.oracles import ORACLES, interpreter

pytestmark = pytest.mark.soak


def run(*argv: str, cwd: Path) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, cwd=cwd)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_dvclive(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    python = interpreter(request.config, "dvclive", "dvclive>=3.48")
    place = tmp_path / "dvclive"
    run(str(python), str(ORACLES / "dvclive_writer.py"), str(place), cwd=tmp_path)
    files = {str(file.relative_to(place)): file.read_bytes for file in place.rglob("*") if file.is_file()}
    reading = read_metrics([MetricsContent(path="dvclive", files=files)])
    assert reading.unreadable == ()
    found = {
        metric.name: (metric.value, [point.value for point in metric.series]) for metric in reading.metrics
    }
    assert found == {
        "loss": (0.25, [1.0, 0.5, 1 / 3, 0.25]),
        "val.acc top": (0.75, [0.0, 0.25, 0.5, 0.75]),
        "final": (3, []),
    }


def test_pyhf(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    python = interpreter(request.config, "pyhf", "pyhf>=0.7.6")
    theirs = json.loads(run(str(python), str(ORACLES / "pyhf_results.py"), "workspace.json", cwd=tmp_path))
    workspace = json_reader.read((tmp_path / "workspace.json").read_bytes(), source="workspace.json")
    yields = {m.name: m.value for m in workspace.metrics if m.name.endswith(".yield")}
    assert yields == {f"singlechannel.{name}.yield": value for name, value in theirs["yields"].items()}
    command = str(python.with_name("pyhf"))
    limit = json_reader.read(run(command, "cls", "workspace.json", cwd=tmp_path).encode(), source="cls.json")
    values = {metric.name: metric.value for metric in limit.metrics}
    assert values["CLs_obs"] == pytest.approx(theirs["CLs"])
    assert [values[f"CLs_exp.{word}"] for word in ("-2sigma", "median", "+2sigma")] == pytest.approx(
        [theirs["band"][place] for place in (0, 2, 4)]
    )
    fit = json_reader.read(run(command, "fit", "workspace.json", cwd=tmp_path).encode(), source="fit.json")
    fitted = [metric.value for metric in fit.metrics if metric.name.startswith(("mu", "uncorr"))]
    assert fitted == pytest.approx(theirs["fit"])
