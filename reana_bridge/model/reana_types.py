"""The values that only REANA reads, held to the types that it requires, so that a run is not refused there.

A key without a value counts as absent, as everywhere in `reana.yaml`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from reana_bridge.model.findings import Findings, kind_of
from reana_bridge.model.suggestions import shown
from reana_bridge.model.yamlfile import Path

_MOST_CHARACTERS = 500  # of an image: longer ones would cost time to match
_IMAGE = re.compile(
    r"(?:[a-zA-Z0-9.-]+\.[a-zA-Z0-9.-]+:[0-9]+/)?[a-zA-Z0-9._-]+(?:/[a-zA-Z0-9._-]+)*"
    r"(?::[a-zA-Z0-9._-]+)?(?:@sha256:[a-f0-9]{64})?"
)
_MEMORY = re.compile(r"[1-9][0-9]*(?:[EPTGM]i?|Ki?)")
_REPOSITORY = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,59}")


@dataclass(frozen=True)
class _Kind:
    """A type: how it is called, and what to write instead of something else."""

    type: type
    name: str
    hint: str


_TEXT = _Kind(str, "a text", "put it in quotes")
_WHOLE = _Kind(int, "a whole number", "write a number without a unit and without quotes, such as `3600`")
_TRUTH = _Kind(bool, "`true` or `false`", "write `true` or `false`, without quotes")

STEP: Mapping[str, _Kind] = {
    **dict.fromkeys(
        (
            *("kubernetes_cpu_request", "kubernetes_cpu_limit"),
            *("kubernetes_memory_request", "kubernetes_memory_limit"),
            *("htcondor_max_runtime", "htcondor_accounting_group", "htcondor_request_cpus"),
            *("htcondor_request_memory", "htcondor_request_disk", "htcondor_requirements"),
            *("slurm_partition", "slurm_time"),
            *("c4p_cpu_cores", "c4p_memory_limit", "c4p_additional_requirements"),
        ),
        _TEXT,
    ),
    **dict.fromkeys(("kubernetes_uid", "kubernetes_job_timeout"), _WHOLE),
    **dict.fromkeys(("kerberos", "voms_proxy", "rucio", "unpacked_img"), _TRUTH),
}
"""Of a serial step."""

_RESOURCES: Mapping[str, _Kind] = dict.fromkeys(("kerberos", "voms_proxy", "rucio"), _TRUTH)
_DASK: Mapping[str, _Kind] = {
    **dict.fromkeys(("image", "single_worker_memory"), _TEXT),
    **dict.fromkeys(("number_of_workers", "single_worker_threads"), _WHOLE),
}


def check_types(findings: Findings, path: Path, types: Mapping[str, _Kind]) -> None:
    """Record an error for each key at `path` whose value has another type than `types` says."""
    value = findings.value(path)
    for key, given in cast(dict[str, Any], value).items() if isinstance(value, dict) else ():
        kind = types.get(key)
        if kind is None or given is None or _is(given, kind.type):
            continue
        findings.error((*path, key), f"must be {kind.name}, not {kind_of(given)}", kind.hint)


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def check_resources(findings: Findings) -> None:
    """Record what is wrong with `version` and `workflow.resources`."""
    check_types(findings, (), {"version": _TEXT})
    path: Path = ("workflow", "resources")
    findings.mapping(path)
    check_types(findings, path, _RESOURCES)
    for index, name in enumerate(findings.entries((*path, "cvmfs"))):
        if not isinstance(name, str) or not _REPOSITORY.fullmatch(name):
            _odd(findings, (*path, "cvmfs", index), name, "CVMFS repository", "cms.cern.ch")
    _dask(findings, (*path, "dask"))


def _dask(findings: Findings, path: Path) -> None:
    given = findings.mapping(path)
    check_types(findings, path, _DASK)
    if findings.value(path) is not None and given.get("image") is None:
        findings.error((*path, "image"), "is missing", "name the container image of the workers")
    image, memory = given.get("image"), given.get("single_worker_memory")
    if isinstance(image, str) and not _is_image(image):
        _odd(findings, (*path, "image"), image, "container image", "docker.io/daskdev/dask:2024.5.0")
    if isinstance(memory, str) and not _MEMORY.fullmatch(memory):
        _odd(findings, (*path, "single_worker_memory"), memory, "amount of memory", "2Gi")


def _is_image(text: str) -> bool:
    return len(text) <= _MOST_CHARACTERS and _IMAGE.fullmatch(text) is not None


def _odd(findings: Findings, path: Path, value: object, what: str, example: str) -> None:
    given = f"`{shown(value)}`" if isinstance(value, str) else kind_of(value)
    findings.error(path, f"{given} is no {what}", f"write one such as `{example}`")
