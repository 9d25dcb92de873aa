"""One analysis written for all four workflow engines: a push runs each of them, and all agree.

The engines' environments come from PyPI; they are kept between sessions, with those of the backend's tests.
"""

import json
import shutil
from pathlib import Path

import pytest

from reana_bridge.demo.server import demo_server
from tests.backends.local.conftest import environment_cache, needs_bwrap
from tests.backends.local.test_engines import GREETINGS, RESULT, needs_engines
from tests.e2e.test_way import connected

INPUTS = {"script": "code/greet.py", "names": "data/names.txt"}
COMMAND = "python ${script} --names ${names} --greetings results/greetings.txt"
STEP = {"name": "greet", "environment": "docker.io/library/python:3.11", "commands": [COMMAND]}
WORKFLOWS = {
    "serial": ({"specification": {"steps": [STEP]}}, INPUTS),
    "snakemake": (
        {"file": "workflow/snakemake/Snakefile"},
        {"input": "workflow/snakemake/inputs.yaml"},
    ),
    "cwl": ({"file": "workflow/cwl/greet.cwl"}, {"input": "workflow/cwl/job.yml"}),
    "yadage": ({"file": "workflow/yadage/workflow.yaml"}, INPUTS),
}
GREETED = "results/greetings.txt"

pytestmark = [needs_bwrap, needs_engines]


def write_analyses(place: Path) -> None:
    """The greetings with a specification for each engine; JSON is YAML."""
    shutil.copytree(GREETINGS, place, dirs_exist_ok=True)
    for kind, (workflow, parameters) in WORKFLOWS.items():
        specification = {
            "inputs": {"parameters": parameters},
            "workflow": {"type": kind, **workflow},
            "outputs": {"files": [GREETED]},
        }
        (place / f"{kind}.yaml").write_text(json.dumps(specification))
    analyses = {kind: {"file": f"{kind}.yaml"} for kind in WORKFLOWS}
    (place / ".reana-bridge.yaml").write_text(json.dumps({"analyses": analyses}))


@pytest.mark.soak
def test_a_push_runs_all_engines_and_they_agree(tmp_path):
    (tmp_path / "place").mkdir()
    with demo_server(
        tmp_path / "place", requirements=None, environments=environment_cache(), sandbox="required"
    ) as server:
        way = connected(server, tmp_path / "copy")
        write_analyses(way.repository.copy)
        sha = way.repository.commit("Greet")
        assert "run accepted" in way.repository.push("main")
        for kind in WORKFLOWS:
            way.note(sha, f"reana/{kind}: success", seconds=600)
        _, body = way.get(f"/api/v1/runs?sha={sha}")
        runs = {run["analysis"]: run["id"] for run in json.loads(body)["items"]}
        assert set(runs) == set(WORKFLOWS)
        for kind, run in runs.items():
            assert way.get(f"/runs/{run}/artifacts/{GREETED}") == (200, RESULT.decode()), kind
            _, page = way.get(f"/runs/{run}")
            assert "bubblewrap" in page, kind
