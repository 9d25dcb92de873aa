"""Snakemake, CWL and yadage through their own engines, in the sandbox.

The engines' environments come from PyPI and are kept between sessions.
"""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.backends.base import JobState, Observation
from reana_bridge.backends.local import ImageEnvironment
from reana_bridge.model.results import StepState
from reana_bridge.model.runs import FailureKind
from reana_bridge.model.specification import SerialStep, Specification, WorkflowType
from tests.backends.local.conftest import Bench, environment_cache, eventually, needs_bwrap, tool

GREETINGS = Path(__file__).parent / "greetings"
RESULT = b"Hello Marie Curie!\nHello Emmy Noether!\n"
ENGINES = [WorkflowType.SNAKEMAKE, WorkflowType.CWL, WorkflowType.YADAGE]


def _engines_can_be_had() -> bool:
    if all(list(environment_cache().glob(f"{engine}-*/.complete")) for engine in ENGINES):
        return True
    try:
        socket.create_connection(("pypi.org", 443), timeout=5).close()
    except OSError:
        return False
    return True


needs_engines = pytest.mark.skipif(
    not _engines_can_be_had(), reason="needs PyPI once, to install the workflow engines"
)
pytestmark = [needs_bwrap, needs_engines]


@pytest.fixture
def engines(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench(environments_directory=environment_cache(), environment_seconds=600.0)


def greet(kind: WorkflowType, **changes: Any) -> Specification:
    """The greetings as a workflow of that kind."""
    inline = {"script": "code/greet.py", "names": "data/names.txt"}
    command = "python code/greet.py --names data/names.txt --greetings results/greetings.txt"
    known: dict[WorkflowType, dict[str, Any]] = {
        WorkflowType.SERIAL: {"steps": (SerialStep(name="greet", commands=(command,)),)},
        WorkflowType.SNAKEMAKE: {
            "file": "workflow/snakemake/Snakefile",
            "parameters": {"input": "workflow/snakemake/inputs.yaml"},
        },
        WorkflowType.CWL: {
            "file": "workflow/cwl/greet.cwl",
            "parameters": {"input": "workflow/cwl/job.yml"},
        },
        WorkflowType.YADAGE: {"file": "workflow/yadage/workflow.yaml", "parameters": inline},
    }
    fields = {"output_files": ("results/greetings.txt",), **known[kind], **changes}
    return Specification(type=kind, **fields)


def checkout(**files: str) -> Callable[[Path], None]:
    """The greetings' files; `files` (path with `__` for `/`, and `_DOT_` for `.`) over them."""

    def fill(place: Path) -> None:
        shutil.copytree(GREETINGS, place, dirs_exist_ok=True)
        for name, text in files.items():
            path = place / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return fill


def run(bench: Bench, specification: Specification, **files: str) -> tuple[str, Observation]:
    identity = bench.submit(specification=specification, checkout=checkout(**files))
    return identity, bench.end(identity, seconds=600)


def finished(bench: Bench, specification: Specification, **files: str) -> tuple[str, Observation]:
    identity, seen = run(bench, specification, **files)
    log = bench.backend.log(identity, f"{specification.type}.log").decode()
    assert seen.state is JobState.FINISHED, (seen.failure, log[-3000:])
    return identity, seen


def failed(bench: Bench, specification: Specification, **files: str) -> Observation:
    _, seen = run(bench, specification, **files)
    assert seen.state is JobState.FAILED
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.ANALYSIS
    return seen


@pytest.mark.parametrize("kind", list(WorkflowType))
def test_all_engines_give_the_same_result(engines: Bench, kind: WorkflowType) -> None:
    identity, seen = finished(engines, greet(kind))
    listed = list(engines.backend.outputs(identity, ["results/greetings.txt"]))
    assert [(file.path, file.problem) for file in listed] == [("results/greetings.txt", "")]
    with engines.backend.read(identity, "results/greetings.txt") as content:
        assert content.read() == RESULT
    (step,) = seen.steps
    assert (step.name, step.state, step.exit_status) == ("greet", StepState.FINISHED, 0)
    assert "--greetings" in step.command
    assert b"greeted\n" in engines.backend.log(identity, step.log)
    assert step.environment == "system"
    if kind is not WorkflowType.SERIAL:
        assert seen.environment["cwltool" if kind is WorkflowType.CWL else kind]
        assert seen.environment["images"] == "docker.io/library/python:3.11 -> system"


@pytest.mark.parametrize("kind", ENGINES)
def test_an_image_is_mapped_to_an_environment(
    make_bench: Callable[..., Bench], tmp_path: Path, kind: WorkflowType
) -> None:
    fake = tool("python", '#!/bin/bash\n/usr/bin/python3 "$@" && echo mapped\n', tmp_path / "fit")
    rules = (ImageEnvironment(image="python:3.11", environment=fake),)
    bench = make_bench(environments_directory=environment_cache(), environments=rules)
    identity, seen = finished(bench, greet(kind))
    assert b"mapped\n" in bench.backend.log(identity, "greet")
    assert seen.environment["images"] == "docker.io/library/python:3.11 -> fit"


@pytest.mark.parametrize("kind", ENGINES)
def test_a_failing_job_is_named(engines: Bench, kind: WorkflowType) -> None:
    seen = failed(engines, greet(kind), code__greet_DOT_py="raise KeyError('n_tracks')")
    assert seen.failure is not None
    assert seen.failure.step == "greet"
    assert any("KeyError: 'n_tracks'" in line for line in seen.failure.log_tail)
    assert seen.steps[-1].state is StepState.FAILED


@pytest.mark.parametrize(
    ("kind", "file", "text"),
    [
        (WorkflowType.SNAKEMAKE, "workflow__snakemake__Snakefile", "rule all:\n    inptu: 'x'\n"),
        (WorkflowType.CWL, "workflow__cwl__greet_DOT_cwl", "cwlVersion: v1.0\nclass: Nonsense\n"),
        (WorkflowType.YADAGE, "workflow__yadage__workflow_DOT_yaml", "stages: [{name: 1}]\n"),
    ],
)
def test_a_broken_workflow_file_is_the_analysis_own_failure(
    engines: Bench, kind: WorkflowType, file: str, text: str
) -> None:
    seen = failed(engines, greet(kind), **{file: text})
    assert seen.failure is not None
    assert seen.failure.log_tail
    assert [step.name for step in seen.steps] == [kind]


TWO_RULES = """
rule all:
    input: expand("out/{sample}.txt", sample=config["samples"])
rule part:
    output: "out/{sample}.txt"
    shell: "echo {wildcards.sample} {config[scale]} > {output}"
"""


def test_snakemake_jobs_and_parameters(engines: Bench) -> None:
    identity, seen = finished(
        engines,
        greet(
            WorkflowType.SNAKEMAKE,
            parameters={"input": "parameters.yaml", "scale": 7},
            output_directories=("out",),
            output_files=(),
            options={"report": "report.html"},
        ),
        workflow__snakemake__Snakefile=TWO_RULES,
        parameters_DOT_yaml="samples: [a, b]\nscale: 1\n",
    )
    assert sorted(step.name for step in seen.steps) == ["part (sample=a)", "part (sample=b)"]
    found = [file.path for file in engines.backend.outputs(identity, ["out", "report.html"])]
    assert found == ["out/a.txt", "out/b.txt", "report.html"]
    with engines.backend.read(identity, "out/b.txt") as content:
        assert content.read() == b"b 7\n"


CWL_TOOL = """
cwlVersion: v1.2
class: CommandLineTool
FORM
baseCommand: [bash, -c, 'echo $0 > said.txt']
inputs:
  word: {type: string, inputBinding: {position: 1}}
outputs:
  said: {type: File, outputBinding: {glob: said.txt}}
"""


@pytest.mark.parametrize(
    "form",
    [
        "",
        "requirements: {DockerRequirement: {dockerPull: 'alpine:3'}}",
        "requirements: [{class: DockerRequirement, dockerPull: a}, {class: ShellCommandRequirement}]",
        "hints: [{class: DockerRequirement, dockerPull: 'alpine:3'}]",
        "requirements: {EnvVarRequirement: {envDef: {A: b}}, DockerRequirement: {dockerPull: 'alpine:3'}}",
    ],
)
def test_cwl_containers_in_every_form(engines: Bench, form: str) -> None:
    identity, _ = finished(
        engines,
        Specification(
            type=WorkflowType.CWL, file="tool.cwl", parameters={"word": "hi"}, output_files=("said.txt",)
        ),
        tool_DOT_cwl=CWL_TOOL.replace("FORM", form),
    )
    with engines.backend.read(identity, "said.txt") as content:
        assert content.read() == b"hi\n"


YADAGE_SCRIPT = """
stages:
- name: split
  dependencies: [init]
  scheduler:
    scheduler_type: multistep-stage
    parameters: {word: {stages: init, output: words, unwrap: true}, out: '{workdir}/word.txt'}
    scatter: {method: zip, parameters: [word]}
    step:
      process:
        process_type: interpolated-script-cmd
        interpreter: bash
        script: |
          echo "{word}" > {out}
      publisher: {publisher_type: frompar-pub, outputmap: {out: out}}
      environment: {environment_type: docker-encapsulated, image: group/tool}
"""


def test_yadage_scripts_and_initial_files(engines: Bench) -> None:
    identity, seen = finished(
        engines,
        Specification(
            type=WorkflowType.YADAGE,
            file="main.yaml",
            options={"initfiles": ["init.yaml"], "toplevel": "flow"},
        ),
        flow__main_DOT_yaml=YADAGE_SCRIPT,
        init_DOT_yaml="words: [one, two]\n",
    )
    assert sorted(step.name for step in seen.steps) == ["split_0", "split_1"]
    assert {step.image for step in seen.steps} == {"group/tool"}
    found = [file.path for file in engines.backend.outputs(identity, ["split*/*.txt", "**/word.txt"])]
    assert len(found) == 2


@pytest.mark.parametrize("kind", ENGINES)
def test_an_engine_is_cancelled_with_its_jobs(engines: Bench, kind: WorkflowType) -> None:
    waits = "import time, os\nopen(os.environ['REANA_WORKSPACE'] + '/begun', 'w').close()\ntime.sleep(600)\n"
    identity = engines.submit(specification=greet(kind), checkout=checkout(code__greet_DOT_py=waits))
    eventually((engines.workspace(identity) / "begun").exists, 600)
    assert engines.backend.follow([identity])[identity].steps[0].state is StepState.RUNNING
    engines.backend.cancel(identity)
    assert engines.end(identity).state is JobState.CANCELLED
