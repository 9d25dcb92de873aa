"""The document that a workflow is created from: `reana.yaml` as the server wants it, by either protocol."""

import copy
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import yaml

from reana_bridge.backends.base import BackendRefused
from reana_bridge.backends.local import outputs as tree
from reana_bridge.backends.reana.inputs import definition_files
from reana_bridge.backends.reana.values import mapping
from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.specification import Specification, WorkflowType
from reana_bridge.model.yamlfile import Reading, load

BUNDLE_BYTES = 100 * 1024**2
BUNDLE_FILES = 1000
_PARAMETERS_BYTES = 16 * 1024**2
_FROM_FILE = (WorkflowType.CWL, WorkflowType.SNAKEMAKE)


def document_of(
    specification: Specification, root: Path, loaded: Any, *, retention: int | None = None
) -> dict[str, Any]:
    """The document for the released protocol, the workflow's own specification in it.

    Args:
        specification: Of the run.
        root: The commit's files.
        loaded: What the engine made of the workflow's file; not used for a serial workflow.
        retention: Days that files are kept where the document does not say.
    """
    made = _with_retention(specification, retention)
    workflow: dict[str, Any] = made["workflow"]
    if specification.type is not WorkflowType.SERIAL:
        workflow["specification"] = loaded
    parameters = _file_parameters(specification, root)
    if parameters is not None:
        made.setdefault("inputs", {})["parameters"] = parameters
    return made


def _with_retention(specification: Specification, days: int | None) -> dict[str, Any]:
    made = copy.deepcopy(specification.document)
    if days is not None:
        workspace = made["workspace"] = dict(mapping(made.get("workspace")))
        workspace.setdefault("retention_days", {"**/*": days})
    return made


def _file_parameters(specification: Specification, root: Path) -> dict[str, Any] | None:
    """What the file of parameters says, with those of the document over it; None where there is none."""
    path = specification.parameters.get("input")
    if specification.type not in _FROM_FILE or not isinstance(path, str):
        return None
    with tree.read(root, path) as file:
        text = file.read(_PARAMETERS_BYTES + 1)
    if len(text) > _PARAMETERS_BYTES:
        raise _wrong(path, f"has more than {_PARAMETERS_BYTES} bytes")
    found = load(text, file=path, reading=Reading.REANA).data
    own = {name: value for name, value in specification.parameters.items() if name != "input"}
    return {**found, **own}


def _wrong(path: str, message: str) -> ConfigurationError:
    return ConfigurationError((Problem(message=message, file=path),))


def overrides(specification: Specification) -> dict[str, Any]:
    """The run's own values of parameters: those that differ from the document's."""
    declared = mapping(mapping(specification.document.get("inputs")).get("parameters"))
    return {
        name: value
        for name, value in specification.parameters.items()
        if name != "input" and (name not in declared or declared[name] != value)
    }


def bundle(specification: Specification, root: Path, *, retention: int | None = None) -> bytes:
    """The ZIP archive for the next protocol: `reana.yaml` and the files that define the workflow.

    The same commit gives the same bytes.

    Raises:
        BackendRefused: There is more than a server takes.
    """
    members = {"reana.yaml": _yaml(_with_retention(specification, retention))}
    room = BUNDLE_BYTES - len(members["reana.yaml"])
    for _, declared in definition_files(specification):
        if not declared:
            continue
        for file in tree.find(root, [declared]):
            if file.path == "reana.yaml":
                continue
            room -= file.size
            if room < 0 or len(members) >= BUNDLE_FILES:
                raise BackendRefused(
                    f"the files that define the workflow are more than REANA takes ({BUNDLE_FILES} files, "
                    f"{BUNDLE_BYTES} bytes); name fewer in workflow.files and workflow.directories"
                )
            with tree.read(root, file.path) as content:
                members[file.path] = content.read(file.size)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            about = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            about.external_attr = 0o100600 << 16
            archive.writestr(about, members[name])
    return made.getvalue()


def _yaml(document: dict[str, Any]) -> bytes:
    # Through JSON first: what is no JSON, such as a date, becomes the text that it was.
    plain: Any = json.loads(json.dumps(document, default=str))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True).encode()
