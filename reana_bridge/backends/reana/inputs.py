"""Which files of a commit a workflow needs in its workspace, and how they get there.

Promises: only regular files of the commit are sent, a link only where it stays inside; each is sent with its
length and counts only once the server lists it with that size; what is there already is not sent again.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from reana_bridge.backends.base import BackendError
from reana_bridge.backends.local import outputs as tree
from reana_bridge.backends.reana.calls import Calls
from reana_bridge.backends.reana.values import items, mapping, text
from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.specification import Specification

MOST_FILES = 20_000
_PIECE = 256 * 1024
_ROUNDS = 3


def wanted(specification: Specification, root: Path) -> dict[str, int]:
    """The files to send: path -> size in bytes.

    Args:
        specification: Of the run.
        root: The commit's files.

    Raises:
        ConfigurationError: A declared input is not in the commit, or may not be read.
    """
    found: dict[str, int] = {}
    problems: list[Problem] = []
    for key, declared in _declared(specification):
        files = [file for file in tree.find(root, [declared]) if ".git" not in file.path.split("/")]
        refused = next((file for file in files if file.problem), None)
        if refused is not None:
            problems.append(_problem(key, f"`{refused.path}` cannot be sent: it is {refused.problem}"))
        elif not files and not (root / declared).is_dir():
            problems.append(_problem(key, f"`{declared}` is not in the commit"))
        found |= {file.path: file.size for file in files}
    if len(found) > MOST_FILES:
        problems.append(
            _problem("inputs", f"{len(found)} files are more than the {MOST_FILES} that are sent")
        )
    if problems:
        raise ConfigurationError(tuple(problems))
    return found


def _declared(specification: Specification) -> Iterator[tuple[str, str]]:
    yield from (("inputs.files", path) for path in specification.input_files)
    yield from (("inputs.directories", path) for path in specification.input_directories)
    yield from ((key, path) for key, path in definition_files(specification) if path)


def definition_files(specification: Specification) -> Iterator[tuple[str, str]]:
    """The workflow's own files: key and path of each that the document names."""
    workflow = mapping(specification.document.get("workflow"))
    yield "workflow.file", specification.file
    yield "workflow.parameters.file", text(mapping(workflow.get("parameters")).get("file"))
    if specification.type in ("cwl", "snakemake"):
        yield "inputs.parameters.input", text(specification.parameters.get("input"))
    for key in ("files", "directories"):
        yield from ((f"workflow.{key}", text(path)) for path in items(workflow.get(key)))


def _problem(key: str, message: str) -> Problem:
    return Problem(message=message, file="reana.yaml", key=key, hint="add it, or declare another path")


def send(calls: Calls, workflow: str, root: Path, files: dict[str, int], *, at_once: int) -> None:
    """Bring `files` of `root` into the workspace of `workflow`.

    Args:
        calls: Of the account.
        workflow: UUID.
        root: The commit's files.
        files: Path -> size in bytes.
        at_once: How many are sent at the same time.

    Raises:
        BackendError: Not all of them got there.
    """
    # What a crash left is whole where its size is right, since a file of this commit is always the same.
    left = _missing(calls, workflow, files)
    for _ in range(_ROUNDS):
        if not left:
            return
        with ThreadPoolExecutor(max(1, min(at_once, len(left))), thread_name_prefix="reana-upload") as pool:
            list(pool.map(partial(_send_one, calls, workflow, root, files), sorted(left)))
        left = _missing(calls, workflow, files)
    if left:
        shown = ", ".join(sorted(left)[:3])
        raise BackendError(f"REANA did not keep {len(left)} input files as they were sent: {shown}")


def _missing(calls: Calls, workflow: str, files: dict[str, int]) -> set[str]:
    """Those that the workspace lacks, or holds with another size."""
    if not files:
        return set()
    there = {file.path: file.size for file in calls.files(workflow, most=2 * MOST_FILES)}
    return {path for path, size in files.items() if there.get(path) != size}


def _send_one(calls: Calls, workflow: str, root: Path, files: dict[str, int], path: str) -> None:
    def pieces() -> Iterator[bytes]:
        with tree.read(root, path) as file:
            while piece := file.read(_PIECE):
                yield piece

    calls.upload(workflow, path, files[path], pieces)
