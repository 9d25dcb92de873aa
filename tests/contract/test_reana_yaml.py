"""Our reading of reana.yaml against REANA's own JSON Schema: where they differ, the difference stands here.

Keys that REANA does not know are warnings for both. A key without a value counts as absent for us and is
refused by the schema: it is left out before the schema is asked, as it must be before a document is sent.
"""

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.problems import ConfigurationError
from reana_bridge.model.reana_keys import COMPUTE_BACKENDS, SECTIONS, STEP
from reana_bridge.model.reana_yaml import parse
from reana_bridge.model.specification import WorkflowType
from tests.contract import commons
from tests.contract.talking import SPECIFICATION

ROOT = Path(__file__).parent.parent.parent

# REANA refuses, we warn: the local backend needs neither.
LOOSER = (r"'environment' is a required property", r".* is not one of \['kubernetes', .*\]")
WARNED = ("without `environment`, which REANA requires", "is no compute backend of REANA")

# We refuse, REANA's schema does not: REANA would fail later, or hang.
STRICTER = (
    r"is an empty path",
    r"is no option of a \w+ workflow",
    r"specification\.steps`: is (missing|empty)",
    r"is no container image: it has blanks in it",
    r"a command must be a text, not the text",
    r"the parameter `.*` is not declared",
    r"is not a parameter",
    r"no step is called",
    r"absolute|`\.\.`|is a pattern, not a file",
    r"a serial workflow has its steps in this file",
    r"workflow\.file`: is missing",
    r"inputs\.options\.\w+`: must be a",
)

STEP_VALUES = {
    "compute_backend": "kubernetes",
    **dict.fromkeys(("kubernetes_uid", "kubernetes_job_timeout"), 7),
    **dict.fromkeys(("kerberos", "voms_proxy", "rucio", "unpacked_img"), True),
}
WHOLE = {
    "version": "0.9.4",
    "inputs": {
        "files": ["code/fit.py"],
        "directories": ["data"],
        "parameters": {"events": 3, "none": None},
        "options": {"CACHE": "off"},
    },
    "workflow": {
        "type": "serial",
        "specification": {
            "steps": [
                {"name": "a", "environment": "docker.io/python:3.11", "commands": ["fit ${events}", "ls"]}
                | {key: STEP_VALUES.get(key, "1") for key in STEP[3:]},
                {"environment": "python", "commands": ["true"]},
            ]
        },
        "resources": {
            "cvmfs": ["cms.cern.ch", "fcc.cern.ch"],
            "kerberos": True,
            "voms_proxy": False,
            "rucio": True,
            "dask": {
                "image": "docker.io/daskdev/dask:2024.5.0",
                "number_of_workers": 2,
                "single_worker_memory": "2Gi",
                "single_worker_threads": 4,
            },
        },
    },
    "outputs": {"files": ["out/a.json"], "directories": ["plots"]},
    "tests": {"files": ["tests/a.feature"]},
    "workspace": {"root_path": "/var/reana", "retention_days": {"**/*.tmp": 7}},
}
MORE = {"files": ["more.txt"], "directories": ["more"], "parameters": {"file": "parameters.yaml"}}
OTHERS = [
    {"workflow": {"type": kind, "file": "main"} | MORE, "inputs": {"parameters": {"input": "file.yaml"}}}
    for kind in ("cwl", "snakemake", "yadage")
]
ABSENT = object()
VALUES = (
    *(ABSENT, None, "text", "", "a b", 5, 5.5, -1, True, False, [], {}, [1], [None], ["x"], [[]]),
    *({"a": 1}, "../x", "/x", "${events}", "${missing}", "$", "*"),
)


@pytest.fixture(scope="session")
def theirs(released, coming):
    """What either schema says. The newer one knows all keys of the older, and more."""
    packages = (released, coming)
    validators = [jsonschema.Draft7Validator(commons.analysis_schema(package)) for package in packages]

    def errors(document) -> list[str]:
        found = [one for validator in validators for one in validator.iter_errors(filled(document))]
        return [one.message for one in found if one.validator != "additionalProperties"]

    return errors


def ours(document) -> tuple[list[str], list[str]]:
    """Errors and warnings."""
    try:
        _, warnings = parse(json.dumps(document))
    except ConfigurationError as error:
        return [str(one) for one in error.problems if one.severity == "error"], []
    return [], [str(one) for one in warnings]


def filled(document, path=()):
    """Without the keys that have no value; parameters may have none."""
    if isinstance(document, dict) and path[:2] != ("inputs", "parameters"):
        return {key: filled(one, (*path, key)) for key, one in document.items() if one is not None}
    return [filled(one, (*path, 0)) for one in document] if isinstance(document, list) else document


def places(value, path=()):
    """Every place in a document."""
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in pairs:
        yield from places(one, (*path, key))


def changed(document, path, value):
    """A copy with another value at a place; as it was where the place is not there any more."""
    made = copy.deepcopy(document)
    inner = made
    try:
        for part in path[:-1]:
            inner = inner[part]
        if value is ABSENT:
            del inner[path[-1]]
        else:
            inner[path[-1]] = copy.deepcopy(value)
    except (KeyError, IndexError, TypeError):
        return document
    return made


def difference(document, theirs) -> str:
    """A difference between the two readings that is not explained above; empty for none."""
    their, (our, warned) = theirs(document), ours(document)
    if their and not our:
        open_ones = [one for one in their if not any(re.fullmatch(pattern, one) for pattern in LOOSER)]
        if open_ones:
            return f"REANA refuses: {open_ones[0]}"
        told = any(words in one for words in WARNED for one in warned)
        return "" if told else f"REANA refuses without a warning of ours: {their[0]}"
    if our and not their:
        open_ones = [one for one in our if not any(re.search(pattern, one) for pattern in STRICTER)]
        return f"we refuse: {open_ones[0]}" if open_ones else ""
    return ""


@pytest.mark.parametrize("document", [WHOLE, SPECIFICATION, *OTHERS], ids=["whole", "talk", *"csy"])
def test_good_documents_are_good_for_both(document, theirs):
    assert (theirs(document), ours(document)) == ([], ([], []))


def test_the_analysis_that_demo_pushes(theirs):
    for path in (ROOT / "reana_bridge" / "demo").rglob("reana.yaml"):
        assert theirs(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize("path", [*places(WHOLE)], ids=lambda path: ".".join(map(str, path)))
def test_one_change_at_each_place(path, theirs):
    documents = [changed(WHOLE, path, value) for value in VALUES]
    assert [one for one in (difference(document, theirs) for document in documents) if one] == []


@pytest.mark.parametrize("document", OTHERS, ids=["cwl", "snakemake", "yadage"])
def test_one_change_in_the_other_types(document, theirs):
    found = [
        difference(changed(document, path, value), theirs) for path in places(document) for value in VALUES
    ]
    assert [one for one in found if one] == []


CHANGES = st.lists(
    st.tuples(st.sampled_from([*places(WHOLE)]), st.sampled_from(VALUES)), min_size=2, max_size=5
)


@given(start=st.sampled_from([WHOLE, *OTHERS]), changes=CHANGES)
def test_several_changes(theirs, start, changes):
    document = start
    for path, value in changes:
        document = changed(document, path, value)
    assert difference(document, theirs) == ""


def test_the_schema_that_we_know_is_the_published_one(coming):
    schema = commons.analysis_schema(coming)
    steps = schema["then"]["properties"]["workflow"]["properties"]["specification"]["properties"]["steps"]
    step = steps["items"]["properties"]
    assert set(STEP) == set(step)
    assert list(COMPUTE_BACKENDS) == step["compute_backend"]["enum"]
    workflow = schema["properties"]["workflow"]["properties"]
    assert {str(kind) for kind in WorkflowType} == set(workflow["type"]["enum"])
    for path, known in SECTIONS.items():
        part = schema
        for key in path:
            part = part["properties"][key]
        assert set(known) == set(part["properties"]), path


def test_the_comparison_sees_a_difference(theirs):
    assert difference({"workflow": {"type": "cwl", "file": 3}}, theirs) == ""
    strict = lambda document: ["1 is not of type 'string'"]  # noqa: E731
    assert difference(OTHERS[0], strict) == "REANA refuses: 1 is not of type 'string'"
    looser = lambda document: []  # noqa: E731
    assert difference({"workflow": {"type": "moon", "file": "x"}}, looser).startswith("we refuse")
