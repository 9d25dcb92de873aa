"""`python -m reana_bridge.results.isolated`: an order on standard input, one line of JSON for each item done.

The order: `{"task": "module:function", "limits": {...}, "output": path or null, "items": [{"job": ...,
"inputs": {name: path}}]}`. A line: `{"value": ...}` or `{"problem": "..."}`. After an item that used up the
memory this process ends, so that the next one starts with a fresh one.
"""

import importlib
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

_LONGEST = 500


def _main() -> None:
    order = json.load(sys.stdin.buffer)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    limits = order["limits"]
    confine(limits)
    output = Path(order["output"]) if order["output"] else None
    for item in order["items"]:
        _allow_seconds(limits["seconds"])
        inputs = {name: Path(path) for name, path in item["inputs"].items()}
        answer = _answer(order["task"], item["job"], inputs, output)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
        if answer.get("memory"):
            return


def confine(limits: dict[str, int]) -> None:
    """Keep this process within `limits`: memory and the size of written files in bytes, open files."""
    for kind, limit in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_FSIZE, limits["output"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def _allow_seconds(seconds: int) -> None:
    """Let the kernel end this process after so many more seconds of processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _answer(task: str, job: dict[str, Any], inputs: dict[str, Path], output: Path | None) -> dict[str, Any]:
    try:
        module, _, function = task.partition(":")
        return {"value": getattr(importlib.import_module(module), function)(job, inputs, output)}
    except MemoryError:
        return {"memory": True}
    except Exception as error:
        said = " ".join(str(error).split())[:_LONGEST]
        return {"problem": f"cannot be opened: {type(error).__name__}{': ' if said else ''}{said}"}


if __name__ == "__main__":
    _main()
