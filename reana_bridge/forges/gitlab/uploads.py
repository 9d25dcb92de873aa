"""Pictures on GitLab: uploads of a project, embedded by their relative link."""

import mimetypes
import re
from collections.abc import Callable

from reana_bridge.forges.base import ForgeError, ForgeRefused
from reana_bridge.forges.gitlab.client import Client, project_path
from reana_bridge.forges.gitlab.errors import Asked
from reana_bridge.model.projects import Project

UPLOAD_LIMIT = 10 * 1024**2
"""Bytes of one picture."""

_LINK = re.compile(r"/uploads/[0-9a-f]{16,64}/[A-Za-z0-9._-]{1,200}", re.ASCII)


class Uploads:
    """Uploads to the projects of one GitLab."""

    def __init__(self, client: Client, id_of: Callable[[Project], str]) -> None:
        """Args: `id_of` gives a project's id or path for the API."""
        self._client = client
        self._id_of = id_of

    def upload(self, project: Project, name: str, content: bytes) -> str:
        """Put a picture there; the relative link for Markdown.

        Raises:
            ForgeRefused: It is too large, or the token may not.
            ForgeError: Not now; a second try at most leaves a picture that nothing links to.
        """
        if len(content) > UPLOAD_LIMIT:
            raise ForgeRefused(f"{name} has {len(content)} bytes; at most {UPLOAD_LIMIT} are uploaded")
        asked = Asked(
            what=f"take the picture {name[:80]} for {project}",
            right="the scope `api` and the Reporter role",
            writes=True,
            repeatable=True,
        )
        path = f"{project_path(self._id_of(project))}/uploads"
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        picture = (file_name(name), content, kind)
        answer = self._client.post(path, asked, files={"file": picture})
        link = str(answer.get("url", ""))
        if not _LINK.fullmatch(link):
            raise ForgeError(f"GitLab did not say where it keeps the picture {name[:80]}")
        return link


def file_name(name: str) -> str:
    """`name` as a file name that needs no escaping anywhere."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", last).lstrip(".-")[-100:] or "picture.png"
