# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
"""CWL by cwltool on this machine, without containers.

cwltool refuses a DockerRequirement among the requirements when it may not use containers, so each tool
is relieved of it as it is loaded. The image that it names decides on the tool's PATH.
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
            reporting.begin(name, name, command=command)


def _take_docker(holder: dict[str, Any]) -> str:
    """Take DockerRequirements out of `holder` (a process or a step); the image that was named last."""
    image = ""
    for key in ("hints", "requirements"):
        listed = holder.get(key)
        if isinstance(listed, dict):
            found = listed.pop("DockerRequirement", None)
            image = (found or {}).get("dockerPull") or (found or {}).get("dockerImageId") or image
        elif isinstance(listed, list):
            for one in [one for one in listed if one.get("class") == "DockerRequirement"]:
                listed.remove(one)
                image = one.get("dockerPull") or one.get("dockerImageId") or image
    return image


def _set_path(holder: dict[str, Any], path: str) -> None:
    """Give everything in `holder` the PATH `path`."""
    listed = holder.setdefault("requirements", [])
    wanted = {"envName": "PATH", "envValue": path}
    for one in listed:
        if one.get("class") == "EnvVarRequirement":
            one["envDef"] = [*one["envDef"], wanted]
            return
    listed.append({"class": "EnvVarRequirement", "envDef": [wanted]})


def run(order: dict[str, Any]) -> int:
    """Run the workflow; the exit status."""
    from cwltool.context import LoadingContext
    from cwltool.main import main
    from cwltool.workflow import default_make_tool
    from ruamel.yaml import YAML

    def make_tool(process: Any, context: Any) -> Any:
        for holder in (process, *(process.get("steps") or [])):
            if isinstance(holder, dict):
                path = reporting.environment_of(order, _take_docker(holder))["path"]
                if path:
                    _set_path(holder, path)
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
