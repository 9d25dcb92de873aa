# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
"""CWL by cwltool on this machine, without containers.

cwltool refuses a DockerRequirement among the requirements when it may not use containers, so it becomes a
hint as each tool is loaded. The image that it names decides on the tool's PATH.
"""

import io
import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

import reporting

_JOB = re.compile(r"\[job ([^\]]+)\] (.*)", re.DOTALL)
_ENV = re.compile(r"^/usr/bin/env PATH=\S+ ")
_DOCKER = "DockerRequirement"
_ENDS = {"completed success": 0, "completed permanentFail": 1, "completed temporaryFail": 1}


class _Listener(logging.Handler):
    """Turns cwltool's log lines on jobs into events."""

    def __init__(self) -> None:
        super().__init__()
        self._running: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        match = _JOB.match(record.getMessage())
        if match is None:
            return
        name, said = match.group(1), match.group(2).strip()
        if said in _ENDS:
            reporting.end(name, _ENDS[said])
            self._running.discard(name)
        elif "$ " in said and name not in self._running:
            self._running.add(name)
            command = " ".join(said.partition("$ ")[2].replace("\\\n", " ").split())
            reporting.begin(name, name, command=_ENV.sub("", command))


def _ease_docker(holder: dict[str, Any]) -> str:
    """Make DockerRequirements of `holder` (a process or a step) hints; the image that is named, if any."""
    required, hints = _as_list(holder.get("requirements")), _as_list(holder.get("hints"))
    dockers = [one for one in required if one.get("class") == _DOCKER]
    holder["requirements"] = [one for one in required if one not in dockers]
    holder["hints"] = [*hints, *dockers]
    return _image(holder["hints"])


def _as_list(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [{"class": name, **(fields or {})} for name, fields in value.items()]
    return list(value or [])


def _image(hints: list[dict[str, Any]]) -> str:
    named = [
        one.get("dockerPull") or one.get("dockerImageId") for one in hints if one.get("class") == _DOCKER
    ]
    return str(named[-1] or "") if named else ""


def _with_path(command: Any, path: str) -> list[str]:
    """The base command with another PATH; cwltool overrules an EnvVarRequirement of that name."""
    words = [command] if isinstance(command, str) else list(command or [])
    return ["/usr/bin/env", f"PATH={path}", *words]


def run(order: dict[str, Any]) -> int:
    """Run the workflow; the exit status."""
    from cwltool.context import LoadingContext
    from cwltool.main import main
    from cwltool.workflow import default_make_tool
    from ruamel.yaml import YAML

    def make_tool(process: Any, context: Any) -> Any:
        image = _ease_docker(process) or _image(_as_list(context.hints))
        for step in process.get("steps") or []:
            _ease_docker(step)
        path = reporting.environment_of(order, image)["path"]
        if path and process.get("class") == "CommandLineTool":
            process["baseCommand"] = _with_path(process.get("baseCommand"), path)
        return default_make_tool(process, context)

    logging.getLogger("cwltool").addHandler(_Listener())
    job = reporting.parameters(order, YAML(typ="safe").load)
    scratch = Path(order["workspace"], ".cwl")
    arguments = ["--no-container", "--disable-color", "--preserve-entire-environment"]
    arguments += ["--outdir", f"{order['workspace']}/outputs", "--tmp-outdir-prefix", f"{scratch}/"]
    arguments += ["--parallel"] if reporting.cores() > 1 else []
    target = order["options"].get("TARGET")
    arguments += ["--target", str(target)] if target else []
    try:
        # From standard input, so that relative locations count from the workspace.
        status = main(
            [*arguments, order["file"], "-"],
            stdin=io.StringIO(json.dumps(job)),
            loadingContext=LoadingContext({"construct_tool_object": make_tool}),
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return status
