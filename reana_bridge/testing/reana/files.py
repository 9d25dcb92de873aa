"""Workspaces: upload, list, download, delete; with every trap that loses data on the real server."""

import io
import shutil
import zipfile
from fnmatch import fnmatch
from mimetypes import guess_type
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from reana_bridge.testing.reana.api import Answer, Call, Refused, Route, amount, moment, searched
from reana_bridge.testing.reana.things import Workflow
from reana_bridge.testing.reana.workflows import disk_used

MOST_FILES = 100_000
_WILD = frozenset("*?[")


def _upload(call: Call) -> Answer:
    kind = call.headers.get("content-type", "")
    if "application/octet-stream" not in kind:
        raise Refused(400, f"Wrong Content-Type {kind or None} use application/octet-stream")
    name = call.text("file_name")
    if not name:
        raise Refused(400, "No file_name provided")
    if ".." in name.split("/"):
        raise Refused(400, 'Path cannot contain "..".')
    with call.world.lock:
        workflow = call.workflow()
        path = _workspace(workflow) / name.lstrip("/")
        # Without a Content-Length the server reads nothing, and says that all went well.
        content = call.body if "content-length" in call.headers else b""
        user = call.who
        if user.disk_limit and disk_used(call) + len(content) > user.disk_limit:
            raise Refused(403, "User quota exceeded.")
        if name.endswith("/") or path.is_dir():
            raise Refused(500, f"[Errno 21] Is a directory: '{name}'")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise Refused(500, f"[Errno 20] Not a directory: '{name}'") from None
    if not _inside(workflow.workspace, path):
        raise Refused(400, 'Path cannot contain "..".')
    path.write_bytes(content)
    return Answer(value={"message": f"{name} has been successfully uploaded."})


def _workspace(workflow: Workflow) -> Path:
    if workflow.files_deleted or not workflow.workspace.is_dir():
        raise Refused(404, "Workspace does not exist.")
    return workflow.workspace


def _inside(workspace: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(workspace.resolve())


def _found(workspace: Path, pattern: str) -> list[Path]:
    """What a pattern means: a file, a directory with all that is in it, or everything that it fits."""
    wanted = pattern.strip("/")
    if not wanted or ".." in PurePosixPath(wanted).parts:
        return []
    if (workspace / wanted).is_dir() and not _WILD & set(wanted):
        wanted += "/**/*"
    found = workspace.glob(wanted)
    return sorted(path for path in found if path.exists() and _inside(workspace, path))


def _list(call: Call) -> Answer:
    workspace = _workspace(call.workflow())
    pattern = call.text("file_name")
    if pattern:
        paths = _found(workspace, pattern)
    else:
        every = workspace.rglob("*")
        paths = sorted(path for path in every if path.is_file() and _inside(workspace, path))
    words = searched(call).get("name", [])
    if words:
        paths = [path for path in paths if _has(str(path.relative_to(workspace)), words)]
    part, told = call.page(paths[:MOST_FILES])
    items = [
        {
            "name": str(path.relative_to(workspace)),
            "last-modified": moment(path.stat().st_mtime),
            "size": amount(path.stat().st_size),
        }
        for path in part
    ]
    return Answer(value=told | {"items": items})


def _has(name: str, words: list[str]) -> bool:
    return any(word in name.lower() for word in words)


def _download(call: Call) -> Answer:
    name = call.named["file"]
    with call.world.lock:
        workspace = _workspace(call.workflow())
        found = _found(workspace, name)
    plain = workspace / name
    if len(found) == 1 and found[0] == plain and plain.is_file():
        kind = guess_type(name)[0] or ""
        shown = kind if call.text("preview") and kind.startswith("image/") else "application/octet-stream"
        return Answer(file=plain, headers=_attachment(plain.name) | {"Content-Type": shown})
    files = [path for path in found if path.is_file()]
    if not files:
        raise Refused(404, f"{name} does not exist.")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(workspace))
    headers = _attachment("download.zip") | {"Content-Type": "application/zip"}
    return Answer(value=packed.getvalue(), headers=headers)


def _attachment(name: str) -> dict[str, str]:
    plain = name.isascii() and '"' not in name
    return {
        "Content-Disposition": f'attachment; filename="{name}"'
        if plain
        else f"attachment; filename*=UTF-8''{quote(name)}"
    }


def _delete(call: Call) -> Answer:
    name = call.named["file"]
    workspace = _workspace(call.workflow())
    found = _found(workspace, name)
    if not found and not (workspace / name).is_dir():
        raise Refused(404, f"{name} does not exist.")
    deleted = {
        str(path.relative_to(workspace)): {"size": path.lstat().st_size} for path in found if path.is_file()
    }
    for path in found:
        if path.is_file():
            path.unlink()
    for path in [workspace / name, *found]:
        if path.is_dir() and path != workspace and _inside(workspace, path):
            shutil.rmtree(path)
    return Answer(value={"deleted": deleted, "failed": {}})


def _prune(call: Call) -> Answer:
    """Delete what is neither input nor output."""
    workflow = call.workflow()
    workspace = _workspace(workflow)
    kept: list[str] = []
    for section, asked in (("inputs", "include_inputs"), ("outputs", "include_outputs")):
        part: dict[str, list[str]] = workflow.specification.get(section) or {}
        if not call.flag(asked):
            kept += [*part.get("files", []), *(f"{name}/*" for name in part.get("directories", []))]
    for path in sorted(workspace.rglob("*")):
        name = str(path.relative_to(workspace))
        if path.is_file() and not any(fnmatch(name, pattern) for pattern in kept):
            path.unlink()
    value = {"message": "The workspace has been correctly pruned."}
    return Answer(value=value | {"workflow_id": workflow.id, "workflow_name": workflow.full_name})


ROUTES = (
    Route(method="POST", path="/workflows/:id/workspace", run=_upload, locked=False),
    Route(method="GET", path="/workflows/:id/workspace", run=_list),
    Route(method="GET", path="/workflows/:id/workspace/*file", run=_download, locked=False),
    Route(method="DELETE", path="/workflows/:id/workspace/*file", run=_delete),
    Route(method="POST", path="/workflows/:id/prune", run=_prune),
)
