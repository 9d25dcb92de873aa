# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
"""Snakemake on this machine: `container:` is not used, a job's programs come from PATH."""

import json
import logging
import os
import tempfile
from typing import Any

import reporting


class _Listener(logging.Filter):
    """Hears every event that snakemake logs; lets all of them pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind = str(getattr(record, "event", "") or "")
        said = record.__dict__
        if kind == "job_info" and said.get("output"):
            self._begin(said)
        elif kind == "job_finished":
            reporting.end(str(said.get("job_id")), 0)
        elif kind == "job_error":
            reporting.end(str(said.get("jobid")), 1)
        return True

    def _begin(self, said: dict[str, Any]) -> None:
        wildcards = ", ".join(f"{name}={value}" for name, value in (said.get("wildcards") or {}).items())
        name = str(said.get("rule_name")) + (f" ({wildcards})" if wildcards else "")
        reporting.begin(str(said.get("jobid")), name, command=(said.get("shellcmd") or "").strip())


def run(order: dict[str, Any]) -> int:
    """Run the workflow; the exit status."""
    from snakemake.cli import main

    # The logger itself is asked, since snakemake takes all handlers off it.
    logging.getLogger("snakemake.logging").addFilter(_Listener())
    path = next(iter(order["environments"].values()), {"path": ""})["path"]
    if path and len({one["path"] for one in order["environments"].values()}) == 1:
        os.environ["PATH"] = path
    configuration = [order["parameters_file"]] if order["parameters_file"] else []
    if order["parameters"]:
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(order["parameters"], file)
        configuration.append(file.name)
    arguments = ["--snakefile", order["file"], "--cores", str(reporting.cores()), "--nocolor"]
    arguments += ["--printshellcmds", "--show-failed-logs"]
    arguments += ["--configfile", *configuration] if configuration else []
    status = _main(main, arguments)
    if status == 0 and order["options"].get("report"):
        status = _main(main, [*arguments, "--report", str(order["options"]["report"])])
    return status


def _main(main: Any, arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    return 0
