"""CWL, Snakemake and yadage workflows, loaded by their own engines for the released protocol."""

from pathlib import Path
from typing import Any

import pytest

from reana_bridge.backends.base import BackendRefused, Job
from reana_bridge.backends.local import sandbox
from reana_bridge.backends.reana.loading import Loader
from reana_bridge.model.problems import ConfigurationError
from reana_bridge.model.specification import Specification, WorkflowType
from tests.backends.local.conftest import environment_cache, needs_bwrap
from tests.backends.local.test_engines import ENGINES, checkout, greet, needs_engines

pytestmark = [needs_bwrap, needs_engines]


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    return Loader(tmp_path / "root", environment_cache())


def load(loader: Loader, place: Path, specification: Specification, **files: str) -> Any:
    place.mkdir()
    checkout(**files)(place)
    job = Job(
        name="rb-one-1",
        run_id="one",
        sha="0" * 40,
        project="git:fit",
        analysis="fit",
        specification=specification,
    )
    return loader(job, place)


def test_a_cwl_workflow_is_packed(loader: Loader, tmp_path: Path) -> None:
    loaded = load(loader, tmp_path / "files", greet(WorkflowType.CWL))
    assert loaded["cwlVersion"].startswith("v1")
    kinds = [loaded["class"]] if "class" in loaded else [one["class"] for one in loaded["$graph"]]
    assert "Workflow" in kinds or "CommandLineTool" in kinds


def test_a_snakefile_becomes_steps(loader: Loader, tmp_path: Path) -> None:
    loaded = load(loader, tmp_path / "files", greet(WorkflowType.SNAKEMAKE))
    assert set(loaded) == {"job_dependencies", "steps"}
    step = next(step for step in loaded["steps"] if step["commands"])
    assert set(step) == {
        "name",
        "environment",
        "inputs",
        "params",
        "outputs",
        "commands",
        "compute_backend",
        "kubernetes_memory_limit",
        "kubernetes_uid",
    }
    assert not step["environment"].startswith("docker://")


def test_a_yadage_workflow_has_its_stages(loader: Loader, tmp_path: Path) -> None:
    loaded = load(loader, tmp_path / "files", greet(WorkflowType.YADAGE))
    assert [stage["name"] for stage in loaded["stages"]]


@pytest.mark.parametrize("kind", ENGINES)
def test_a_wrong_workflow_is_the_projects_mistake(loader: Loader, tmp_path: Path, kind: WorkflowType) -> None:
    specification = greet(kind)
    broken = specification.file.replace("/", "__").replace(".", "_DOT_")
    with pytest.raises(ConfigurationError, match="cannot be loaded") as caught:
        load(loader, tmp_path / "files", specification, **{broken: "][ no workflow"})
    assert caught.value.problems[0].file == specification.file


def test_a_snakefile_reaches_nothing(loader: Loader, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("hidden")
    text = f"""
import socket
tries = [
    lambda: socket.create_connection(("1.1.1.1", 80), 2),
    lambda: open("/etc/shadow").read(),
    lambda: open({str(outside)!r}).read(),
    lambda: open("/usr/here", "w"),
]
for number, one in enumerate(tries):
    try:
        one()
    except OSError:
        continue
    raise ValueError(f"{{number}} worked")
rule all:
    shell: "true"
"""
    load(loader, tmp_path / "files", greet(WorkflowType.SNAKEMAKE), workflow__snakemake__Snakefile=text)


def test_a_snakefile_sees_no_variables_and_changes_no_file(
    loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REANA_BRIDGE_SECRET", "hidden")
    text = (
        "import os\nassert 'REANA_BRIDGE_SECRET' not in os.environ\n"
        "open('code/greet.py', 'w').write('changed')\nrule all:\n    shell: 'true'\n"
    )
    load(loader, tmp_path / "files", greet(WorkflowType.SNAKEMAKE), workflow__snakemake__Snakefile=text)
    assert "changed" not in (tmp_path / "files/code/greet.py").read_text()


def test_a_snakefile_without_end_is_ended(tmp_path: Path) -> None:
    loader = Loader(tmp_path / "root", environment_cache(), seconds=3.0)
    with pytest.raises(ConfigurationError, match="takes too long"):
        load(
            loader,
            tmp_path / "files",
            greet(WorkflowType.SNAKEMAKE),
            workflow__snakemake__Snakefile="import time\ntime.sleep(600)\n",
        )


def test_without_a_sandbox_nothing_is_loaded(
    loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "probe", lambda: sandbox.Probe(problem="no bubblewrap"))
    with pytest.raises(BackendRefused, match="no bubblewrap"):
        load(loader, tmp_path / "files", greet(WorkflowType.CWL))
