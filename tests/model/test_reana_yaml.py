import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.problems import ConfigurationError
from reana_bridge.model.reana_yaml import parse
from reana_bridge.model.specification import SerialStep, WorkflowType
from tests.model.attempts import attempt

SERIAL = """\
version: 0.9.4
inputs:
  files: [code/fit.py, ./data//events.csv]
  directories: [data/]
  parameters:
    events: 1000
    cut: 1e-3
    label: a b
  options:
    TARGET: fit
workflow:
  type: serial
  resources:
    cvmfs: [fcc.cern.ch]
  specification:
    steps:
      - name: simulate
        environment: docker.io/library/python:3.12
        kubernetes_memory_limit: 2Gi
        htcondor_max_runtime: espresso
        slurm_partition: inf-short
        c4p_cpu_cores: "2"
        commands:
          - python simulate.py --events ${events} --cut $cut
          - echo $$HOME "$$(date)" '${label}'
      - name: fit
        environment: docker.io/library/python:3.12
        commands: [python fit.py]
outputs:
  files: [results/fit.json, plots/*.png]
  directories: [results]
tests:
  files: [tests/fit.feature]
workspace:
  root_path: /var/reana
  retention_days: {"*.root": 5}
"""


def serial(commands: str, top: str = "") -> str:
    steps = f"{{steps: [{{name: a, environment: img, commands: {commands}}}]}}"
    return f"{top}\nworkflow: {{type: serial, specification: {steps}}}"


def other(rest: str, kind: str = "cwl", file: str = "main.cwl") -> str:
    return f"workflow: {{type: {kind}, file: {file}}}\n{rest}"


def workflow(inner: str) -> str:
    return f"workflow: {{type: cwl, file: main.cwl, {inner}}}"


def resources(inner: str) -> str:
    return workflow(f"resources: {{{inner}}}")


def step(inner: str) -> str:
    steps = f"{{steps: [{{name: a, environment: img, commands: [ls], {inner}}}]}}"
    return f"workflow: {{type: serial, specification: {steps}}}"


STEP = "workflow.specification.steps[0]"


def mistakes(text: str | bytes, **given) -> list[tuple[int | None, str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, **given)
    return [(p.line, p.key, str(p)) for p in caught.value.problems if p.severity == "error"]


def test_a_serial_workflow():
    specification, warnings = parse(SERIAL, parameters={"events": 5})
    assert warnings == ()
    assert specification.type is WorkflowType.SERIAL
    image = "docker.io/library/python:3.12"
    assert specification.steps == (
        SerialStep(
            name="simulate",
            environment=image,
            commands=("python simulate.py --events 5 --cut 1e-3", "echo $HOME \"$(date)\" 'a b'"),
        ),
        SerialStep(name="fit", environment=image, commands=("python fit.py",)),
    )
    assert specification.parameters == {"events": 5, "cut": "1e-3", "label": "a b"}
    assert specification.options == {"TARGET": "fit"}
    assert specification.input_files == ("code/fit.py", "data/events.csv")
    assert specification.input_directories == ("data",)
    assert specification.output_files == ("results/fit.json", "plots/*.png")
    assert specification.output_directories == ("results",)
    assert specification.document["inputs"]["parameters"]["events"] == 1000
    assert specification.file == ""


@pytest.mark.parametrize(
    ("kind", "file", "options"),
    [
        ("snakemake", "workflow/Snakefile", "{report: report.html}"),
        ("cwl", "workflow/main.cwl", "{TARGET: gendata}"),
        (
            "yadage",
            "workflow.yaml",
            "{toplevel: workflow, initdir: ., initfiles: [in.yml], accept_metadir: true}",
        ),
        ("yadage", "workflow.yaml", "{toplevel: 'github:org/repo:path'}"),
    ],
)
def test_the_other_types(kind, file, options):
    rest = f"inputs:\n  parameters: {{input: params.yaml}}\n  options: {options}"
    specification, warnings = parse(other(rest, kind, file))
    assert (specification.type, specification.file, specification.steps) == (kind, file, ())
    assert specification.parameters == {"input": "params.yaml"}
    assert specification.options == specification.document["inputs"]["options"]
    assert warnings == ()


ERRORS = [
    # text, line, key, fragments of the message
    ("version: 1", 1, "workflow", ["is missing", "`type`"]),
    ("workflow:", 1, "workflow", ["is missing"]),
    ("a: 1\nworkflow: serial", 2, "workflow", ["must hold keys, not the text `serial`"]),
    ("workflow: {file: x}", 1, "workflow.type", ["is missing", "`serial`, `snakemake`, `cwl` or `yadage`"]),
    (
        "workflow:\n  type: seriall",
        2,
        "workflow.type",
        ["no workflow type", "did you mean `serial`?", "`yadage`"],
    ),
    ("workflow:\n  type: nextflow", 2, "workflow.type", ["write `serial`, `snakemake`, `cwl` or `yadage`"]),
    ("workflow:\n  type: [serial]", 2, "workflow.type", ["must be a text, not a list"]),
    ("workflow:\n  type: ''", 2, "workflow.type", ["`serial`"]),
    ("workflow:\n  type: cwl", 1, "workflow.file", ["is missing", "file: workflow/main.cwl"]),
    ("workflow:\n  type: snakemake", 1, "workflow.file", ["file: Snakefile"]),
    ("workflow:\n  type: cwl\n  file: /main.cwl", 3, "workflow.file", ["absolute path", "relative"]),
    ("workflow:\n  type: cwl\n  file: ../main.cwl", 3, "workflow.file", ["leaves the workspace by `..`"]),
    ("workflow:\n  type: cwl\n  file: '*.cwl'", 3, "workflow.file", ["a pattern"]),
    ("workflow:\n  type: cwl\n  file: 3", 3, "workflow.file", ["must be a text, not the number `3`"]),
    (
        "workflow:\n  type: serial\n  file: x.yaml",
        3,
        "workflow.file",
        ["not in another", "workflow.specification.steps"],
    ),
    ("workflow:\n  type: serial", 1, "workflow.specification.steps", ["is missing", "`commands`"]),
    (
        "workflow: {type: serial, specification: []}",
        1,
        "workflow.specification",
        ["must hold keys, not a list"],
    ),
    ("workflow: {type: serial, specification: {steps: []}}", 1, "workflow.specification.steps", ["is empty"]),
    (
        "workflow: {type: serial, specification: {steps: x}}",
        1,
        "workflow.specification.steps",
        ["must be a list"],
    ),
    (
        "workflow: {type: serial, specification: {steps: [x]}}",
        1,
        "workflow.specification.steps[0]",
        ["must hold keys"],
    ),
    (serial("ls"), 2, "workflow.specification.steps[0].commands", ["must be a list", "- "]),
    (serial("[]"), 2, "workflow.specification.steps[0].commands", ["is empty"]),
    (serial("null"), 2, "workflow.specification.steps[0].commands", ["is missing"]),
    (serial("[true]"), 2, "workflow.specification.steps[0].commands[0]", ["truth value `true`", "quotes"]),
    (serial("[ls, 5]"), 2, "workflow.specification.steps[0].commands[1]", ["the number `5`", "quotes"]),
    (serial("[null]"), 2, "workflow.specification.steps[0].commands[0]", ["not nothing", "after the `-`"]),
    (
        serial("[{echo: x}]"),
        2,
        "workflow.specification.steps[0].commands[0]",
        ["keys with values", "has `: ` in it"],
    ),
    (serial("['  ']"), 2, "workflow.specification.steps[0].commands[0]", ["must be a text"]),
    (serial(r'["a\0b"]'), 2, "workflow.specification.steps[0].commands[0]", ["NUL"]),
    (
        serial("[echo $HOME]"),
        2,
        "workflow.specification.steps[0].commands[0]",
        ["`HOME` is not declared", "`$$HOME`"],
    ),
    (
        serial("['${HOME}']"),
        2,
        "workflow.specification.steps[0].commands[0]",
        ["`HOME` is not declared", "`$$HOME`"],
    ),
    (serial("[echo $(date)]"), 2, "workflow.specification.steps[0].commands[0]", ["`$(date)`", "`$$(date)`"]),
    (serial("[echo 5$]"), 2, "workflow.specification.steps[0].commands[0]", ["`$`"]),
    (
        serial("[echo $event]", "inputs: {parameters: {events: 1}}"),
        2,
        "workflow.specification.steps[0].commands[0]",
        ["did you mean `events`?", "`$$event`"],
    ),
    (
        "workflow:\n type: serial\n specification:\n  steps:\n  - commands:\n    - |\n     a\n\n     $x",
        9,
        "workflow.specification.steps[0].commands[0]",
        ["`x` is not declared"],
    ),
    (
        serial("[" + "$a" * 20_000 + "]", f"inputs: {{parameters: {{a: {'x' * 400_000}}}}}"),
        2,
        "workflow.specification.steps[0].commands[0]",
        ["more than 100000 characters"],
    ),
    (
        serial("[" + ",".join(["$a"] * 60) + "]", f"inputs: {{parameters: {{a: {'x' * 90_000}}}}}"),
        2,
        "workflow.specification.steps",
        ["all commands together have more than 4000000"],
    ),
    (
        serial("[ls]").replace("name: a", "name: 3"),
        2,
        "workflow.specification.steps[0].name",
        ["must be a text"],
    ),
    (
        serial("[ls]").replace("name: a", r'name: "a\nb"'),
        2,
        "workflow.specification.steps[0].name",
        ["one line"],
    ),
    (
        serial("[ls]").replace("name: a", f"name: {'a' * 101}"),
        2,
        "workflow.specification.steps[0].name",
        ["100"],
    ),
    (serial("[ls]").replace("img", "'a b'"), 2, "workflow.specification.steps[0].environment", ["blanks"]),
    (
        serial("[ls]").replace("img", "[a]"),
        2,
        "workflow.specification.steps[0].environment",
        ["must be a text"],
    ),
    (serial(str(["ls"] * 101)), 2, "workflow.specification.steps[0].commands", ["101 entries; at most 100"]),
    (other("inputs: [a]"), 2, "inputs", ["must hold keys, not a list"]),
    (other("outputs: x"), 2, "outputs", ["must hold keys"]),
    (other("inputs:\n  files: a.csv"), 3, "inputs.files", ["must be a list", "- "]),
    (other("inputs:\n  files:\n  - /etc/passwd"), 4, "inputs.files[0]", ["absolute", "/etc/passwd"]),
    (other("inputs:\n  files:\n  - a/../../b"), 4, "inputs.files[0]", ["`..`"]),
    (other("inputs:\n  files:\n  - a\n  -"), 5, "inputs.files[1]", ["is empty"]),
    (other("inputs:\n  directories:\n  - ~/data"), 4, "inputs.directories[0]", ["absolute"]),
    (other("inputs:\n  directories:\n  - ''"), 4, "inputs.directories[0]", ["empty path"]),
    (other('outputs:\n  files:\n  - "a\\nb"'), 4, "outputs.files[0]", ["line break"]),
    (other('outputs:\n  files:\n  - "a\\0b"'), 4, "outputs.files[0]", ["control character"]),
    (other("outputs:\n  files:\n  - ../*"), 4, "outputs.files[0]", ["`..`"]),
    (other("outputs:\n  directories:\n  - C:\\data"), 4, "outputs.directories[0]", ["absolute"]),
    (
        other("outputs:\n  directories:\n  - 5"),
        4,
        "outputs.directories[0]",
        ["must be a text, not the number `5`"],
    ),
    (other("outputs:\n  files:\n  - " + "a" * 1025), 4, "outputs.files[0]", ["1025 characters"]),
    (other("inputs:\n  parameters: [a]"), 3, "inputs.parameters", ["must hold keys"]),
    (
        other("inputs:\n  options:\n    TARGETT: x"),
        4,
        "inputs.options.TARGETT",
        ["cwl", "did you mean `TARGET`?"],
    ),
    (
        other("inputs:\n  options:\n    CACHE: off"),
        4,
        "inputs.options.CACHE",
        ["no option of a cwl", "write `TARGET`"],
    ),
    (serial("[ls]", "inputs: {options: {FROM: b}}"), 1, "inputs.options.FROM", ["no step is called `b`"]),
    (
        serial("[ls]", "inputs: {options: {report: b}}"),
        1,
        "inputs.options.report",
        ["`CACHE`, `FROM` or `TARGET`"],
    ),
    (other("inputs: {options: {report: /x}}", "snakemake"), 2, "inputs.options.report", ["absolute"]),
    (other("inputs: {options: {toplevel: ../x}}", "yadage"), 2, "inputs.options.toplevel", ["`..`"]),
    (other("inputs: {options: {initfiles: x}}", "yadage"), 2, "inputs.options.initfiles", ["must be a list"]),
    (other("workspace: {retention_days: {a: x}}"), 2, "workspace.retention_days.a", ["number of days"]),
    (other("tests: {files: [/x]}"), 2, "tests.files[0]", ["absolute"]),
    (other("workspace: {retention_days: {}}"), 2, "workspace.retention_days", ["is empty"]),
    # what only REANA reads must have the types that it requires
    (other("version: 0.9"), 2, "version", ["must be a text", "in quotes"]),
    (resources("kerberos: 'yes'"), 1, "workflow.resources.kerberos", ["`true` or `false`"]),
    (resources("voms_proxy: 1"), 1, "workflow.resources.voms_proxy", ["`true` or `false`"]),
    (resources("cvmfs: cms.cern.ch"), 1, "workflow.resources.cvmfs", ["must be a list"]),
    (resources("cvmfs: [a/b]"), 1, "workflow.resources.cvmfs[0]", ["no CVMFS repository"]),
    (resources("dask: x"), 1, "workflow.resources.dask", ["must hold keys"]),
    (resources("dask: {}"), 1, "workflow.resources.dask.image", ["is missing"]),
    (resources("dask: {image: a b}"), 1, "workflow.resources.dask.image", ["no container image"]),
    (
        resources("dask: {image: a, single_worker_memory: 2 GB}"),
        1,
        "workflow.resources.dask.single_worker_memory",
        ["no amount of memory", "2Gi"],
    ),
    (
        resources("dask: {image: a, number_of_workers: '2'}"),
        1,
        "workflow.resources.dask.number_of_workers",
        ["whole number"],
    ),
    (workflow("files: x"), 1, "workflow.files", ["a list"]),
    (workflow("directories: [/x]"), 1, "workflow.directories[0]", ["absolute"]),
    (workflow("specification: x"), 1, "workflow.specification", ["must hold keys"]),
    (workflow("parameters: {}"), 1, "workflow.parameters.file", ["is missing"]),
    (step("kubernetes_memory_limit: 4"), 1, f"{STEP}.kubernetes_memory_limit", ["must be a text"]),
    (step("kubernetes_job_timeout: 5m"), 1, f"{STEP}.kubernetes_job_timeout", ["a whole number", "3600"]),
    (step("kubernetes_uid: true"), 1, f"{STEP}.kubernetes_uid", ["a whole number", "truth value"]),
    (step("unpacked_img: 1"), 1, f"{STEP}.unpacked_img", ["`true` or `false`"]),
]


@pytest.mark.parametrize(("text", "line", "key", "fragments"), ERRORS, ids=range(len(ERRORS)))
def test_errors(text, line, key, fragments):
    found = [entry for entry in mistakes(text) if entry[:2] == (line, key)]
    assert any(all(fragment in message for fragment in fragments) for _, _, message in found), mistakes(text)


@pytest.mark.parametrize(
    ("text", "line", "key", "fragments"),
    [
        (
            other("inputs: {parameters: {seed: 0123456}}"),
            2,
            "inputs.parameters.seed",
            ["means `42798`", "quotes"],
        ),
        (other("inputs: {parameters: {at: 12:30}}"), 2, "inputs.parameters.at", ["`12:30` means `750`"]),
        (other("inputs: {parameters: {blind: no}}"), 2, "inputs.parameters.blind", ["`no` means `False`"]),
        (other("input: {}"), 2, "input", ["not known", "did you mean `inputs`?"]),
        (other("outputs: {file: []}"), 2, "outputs.file", ["did you mean `files`?"]),
        (other("inputs: {params: {}}"), 2, "inputs.params", ["no effect"]),
        ("workflow: {type: cwl, file: a, ressources: {}}", 1, "workflow.ressources", ["`resources`"]),
        (serial("[ls], command: [x]"), 2, "workflow.specification.steps[0].command", ["`commands`"]),
        (
            serial("[ls], kubernetes_memory: 1"),
            2,
            "workflow.specification.steps[0].kubernetes_memory",
            ["kubernetes"],
        ),
        (
            serial("[ls], compute_backend: slurm"),
            2,
            "workflow.specification.steps[0].compute_backend",
            ["slurmcern"],
        ),
        (
            serial("[ls]").replace("environment: img, ", ""),
            2,
            "workflow.specification.steps",
            ["`environment`", "`a`"],
        ),
    ],
)
def test_warnings(text, line, key, fragments):
    _, warnings = parse(text)
    (warning,) = warnings
    assert (warning.line, warning.key, warning.severity) == (line, key, "warning")
    assert all(fragment in str(warning) for fragment in fragments)


@pytest.mark.parametrize(
    "written", ["12", "+12", "-12", "true", "True", "1.50", "'010'", "abc", "null", "[010]"]
)
def test_parameters_that_mean_what_they_look_like(written):
    assert parse(other(f"inputs: {{parameters: {{a: {written}}}}}"))[1] == ()


def test_a_value_that_is_replaced_is_not_warned_of():
    text = other("inputs: {parameters: {seed: 0123}}")
    assert len(parse(text)[1]) == 1
    assert parse(text, parameters={"seed": 5})[1] == ()


def test_steps_without_names_and_with_the_same_name():
    steps = (
        "[{commands: [a]}, {name: x, commands: [b]}, {name: x, commands: [c]}, {name: step 1, commands: [d]}]"
    )
    specification, warnings = parse(f"workflow: {{type: serial, specification: {{steps: {steps}}}}}")
    assert [step.name for step in specification.steps] == ["step 1", "x", "x (2)", "step 1 (2)"]
    assert len([warning for warning in warnings if "name of an earlier step" in warning.message]) == 2


def test_all_errors_are_told_at_once_in_the_order_of_the_file():
    text = "inputs:\n  files: [/a]\nworkflow:\n  type: serial\n  specification:\n    steps:\n"
    text += "    - {commands: [$x]}\nz: 1"
    with pytest.raises(ConfigurationError) as caught:
        parse(text, parameters={"y": 1})
    places = [(problem.line, problem.severity) for problem in caught.value.problems]
    assert places == [(1, "error"), (2, "error"), (7, "error"), (6, "warning"), (8, "warning")]


@pytest.mark.parametrize(
    ("given", "line", "fragment"),
    [
        ({"events": 3}, None, ""),
        ({"event": 3}, 5, "did you mean `events`?"),
        ({"": 3}, 5, "declare"),
        ({"zzz": 3}, 5, "declare `zzz` in `inputs.parameters` of `sub/reana.yaml`"),
    ],
)
def test_only_declared_parameters_may_be_given(given, line, fragment):
    if line is None:
        assert parse(SERIAL, parameters=given)[0].parameters["events"] == 3
    else:
        ((found, _, message),) = mistakes(SERIAL, parameters=given, file="sub/reana.yaml")
        assert found == line
        assert fragment in message
        assert message.startswith("sub/reana.yaml line")


@pytest.mark.parametrize(("steps", "limit", "good"), [(3, 3, True), (4, 3, False), (1000, 1000, True)])
def test_the_number_of_steps(steps, limit, good):
    text = f"workflow: {{type: serial, specification: {{steps: [{'{commands: [ls]},' * steps}]}}}}"
    if good:
        assert len(parse(text, max_steps=limit)[0].steps) == steps
    else:
        assert f"{steps} entries; at most {limit}" in mistakes(text, max_steps=limit)[0][2]


def test_ten_thousand_steps():
    text = "workflow:\n  type: serial\n  specification:\n    steps:\n" + "    - {commands: [ls]}\n" * 10_000
    ((line, key, message),) = mistakes(text)
    assert (line, key) == (4, "workflow.specification.steps")
    assert "10000 entries; at most 1000" in message


@pytest.mark.parametrize(
    "text",
    [
        serial(str([f"$x{n} " * 50 for n in range(99)])),
        serial("['" + "$(" * 200_000 + "']"),
        other("".join(f"k{n}: 1\n" for n in range(20_000)) + "inputs: {files: /x}"),
        "workflow: {type: serial, specification: {steps: [" + "{}," * 1000 + "]}}",
    ],
)
def test_the_number_of_problems_is_bounded(text):
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    assert 0 < len(caught.value.problems) <= 200


YAMLISH = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["serial", "$x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "inputs",
                    "outputs",
                    "files",
                    "parameters",
                    "options",
                    "workflow",
                    "type",
                    "specification",
                    "steps",
                    "commands",
                    "name",
                    "environment",
                    "TARGET",
                    "workspace",
                    "retention_days",
                    "tests",
                    "resources",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(
    st.text() | st.binary() | YAMLISH.map(repr),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
def test_whatever_is_written_gives_a_specification_or_problems(text, parameters):
    parsed, problems = attempt(parse, text, parameters=parameters)
    if parsed is None:
        assert any(problem.severity == "error" for problem in problems)
    else:
        assert parsed[0].steps or parsed[0].file
        assert all(problem.severity == "warning" for problem in parsed[1])


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "inputs": YAMLISH,
            "outputs": YAMLISH,
            "tests": YAMLISH,
            "workspace": YAMLISH,
            "workflow": st.fixed_dictionaries(
                {"type": st.sampled_from(["serial", "cwl"])},
                optional={
                    "file": YAMLISH,
                    "specification": st.fixed_dictionaries({"steps": st.lists(YAMLISH)}),
                },
            ),
        },
    )
)
def test_whatever_stands_below_the_known_keys_gives_a_specification_or_problems(document):
    _, problems = attempt(parse, json.dumps(document))
    assert all(problem.line is not None or "empty" in problem.message for problem in problems)
