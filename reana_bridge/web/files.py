"""Files that runs left, served so that none can act in our name.

Pictures that cannot hold scripts are shown; everything else is plain text in a sandbox, or a download. The
content type is ours, never the file's; the name goes out only in a header, encoded.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from reana_bridge.reports.file_rows import PICTURES
from reana_bridge.store.blobs import Blobs
from reana_bridge.store.tables import ArtifactRow
from reana_bridge.web.problems import NotThere

_SHOWN = {ending: kind for ending, kind in PICTURES.items() if ending != ".svg"}
"""Those that are shown when they are opened by themselves, where a drawing would run its scripts."""
_TEXTS = frozenset(
    {".txt", ".log", ".csv", ".tsv", ".json", ".yaml", ".yml", ".md", ".py", ".c", ".cc", ".cxx", ".h", ".sh"}
)
_TEXT_LIMIT = 16 << 20
_CHUNK = 256 * 1024
_POLICY = "sandbox; default-src 'none'"


def is_picture(path: str) -> bool:
    """Whether a file of this name can be shown by an `<img>`."""
    return PurePosixPath(path).suffix.lower() in PICTURES


def serve(blobs: Blobs, row: ArtifactRow, *, public: bool, download: bool = False) -> Response:
    """The content of a kept file.

    Args:
        blobs: Where it is kept.
        row: Which one.
        public: Whether caches that others share may keep it.
        download: Whether it is to be saved, also where it could be shown.

    Raises:
        NotThere: The content is gone.
    """
    try:
        file = blobs.open(row.digest)
    except FileNotFoundError:
        raise NotThere from None
    content_type, disposition = _manner(row, download)
    headers = {
        "content-length": str(row.size),
        "content-disposition": f"{disposition}; filename*=UTF-8''{_name(row.path)}",
        "content-security-policy": _POLICY,
        "cache-control": "public, max-age=3600" if public else "private, no-store",
        # Pictures are shown in merge requests, on the forge's pages.
        "cross-origin-resource-policy": "cross-origin",
        "etag": f'"{row.digest}"',
    }
    return StreamingResponse(_chunks(file), headers=headers, media_type=content_type)


def _manner(row: ArtifactRow, download: bool) -> tuple[str, str]:
    suffix = PurePosixPath(row.path).suffix.lower()
    if suffix in _SHOWN:
        return _SHOWN[suffix], "attachment" if download else "inline"
    if suffix == ".svg":
        return "image/svg+xml", "attachment"
    if suffix in _TEXTS and row.size <= _TEXT_LIMIT and not download:
        return "text/plain; charset=utf-8", "inline"
    return "application/octet-stream", "attachment"


def _name(path: str) -> str:
    return quote(PurePosixPath(path).name.encode("utf-8", "replace"), safe="") or "file"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
