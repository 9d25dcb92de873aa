"""What a driver tells the supervisor, and where an engine's outputs are put."""

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

_lock = threading.Lock()
_events = -1


def to(descriptor: int) -> None:
    """Tell events through `descriptor`; the engine's jobs do not inherit it."""
    global _events
    os.set_inheritable(descriptor, False)
    _events = descriptor


def _tell(event: dict[str, Any]) -> None:
    # One write of less than a page is never mixed with another's, also between processes.
    line = json.dumps(event)
    if len(line) > 4000:
        line = json.dumps(event | {"command": str(event.get("command"))[:1000], "name": event["name"][:200]})
    with _lock:
        os.write(_events, line.encode() + b"\n")


def begin(key: str, name: str, *, command: str = "", image: str = "", environment: str = "") -> None:
    """The job `key` (any text, unique) of step `name` starts."""
    event = {"event": "begin", "id": key, "name": name, "command": command, "image": image}
    _tell(event | {"environment": environment})


def end(key: str, status: int) -> None:
    """The job `key` ended with `status`."""
    _tell({"event": "end", "id": key, "name": "", "status": status})


def environment_of(order: dict[str, Any], image: str) -> dict[str, str]:
    """What stands in for `image`: `label` and `path`; empty texts when nothing does."""
    image = image.removeprefix("docker://")
    known = order["environments"]
    return known.get(image) or known.get(f"{image}:latest") or {"label": "", "path": ""}


def cores() -> int:
    """Processor cores that jobs may use at once."""
    return len(os.sched_getaffinity(0))


def parameters(order: dict[str, Any], load: Any) -> dict[str, Any]:
    """The parameters: those of the file that the specification names, and its own over them.

    Args:
        order: The supervisor's order.
        load: The engine's YAML loader.
    """
    found: Any = {}
    if order["parameters_file"]:
        with open(order["parameters_file"], encoding="utf-8") as file:
            found = load(file) or {}
        if not isinstance(found, dict):
            raise SystemExit(f"{order['parameters_file']} has to hold names and values")
    return found | order["parameters"]


def place_outputs(order: dict[str, Any]) -> None:
    """Make declared outputs findable under their declared paths.

    The engine puts them below directories of its own (`outputs/`, or one for each stage). Where exactly
    one file or directory there ends like the declared path, it is linked to that path.
    """
    workspace = Path(order["workspace"])
    for declared in order["outputs"]:
        target = workspace / declared.strip("/")
        wild = any(sign in declared for sign in "*?[")
        if wild or ".." in target.parts or os.path.lexists(target):
            continue
        found = _candidates(workspace, declared.strip("/"))
        if len(found) == 1:
            target.parent.mkdir(parents=True, exist_ok=True)
            if found[0].is_dir():
                shutil.copytree(found[0], target, symlinks=True, copy_function=_link)
            else:
                _link(str(found[0]), str(target))
            print(f"{declared} is {found[0].relative_to(workspace)}", flush=True)


def _candidates(workspace: Path, declared: str) -> list[Path]:
    """What ends like the declared path, as much of it as possible."""
    parts = declared.split("/")
    everything = [path for path in workspace.rglob(parts[-1]) if not _internal(path.relative_to(workspace))]
    for count in range(len(parts), 0, -1):
        found = [path for path in everything if path.parts[-count:] == tuple(parts[-count:])]
        if found:
            return found
    return []


def _internal(path: Path) -> bool:
    return any(part in ("_yadage", "_packtivity") or part.startswith(".") for part in path.parts)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
