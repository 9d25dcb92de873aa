"""A project: one repository on a forge, named `forge:path`."""

import re
from dataclasses import dataclass

_FORGE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PART = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.+-]*")


@dataclass(frozen=True, order=True)
class Project:
    """A repository on a forge.

    Attributes:
        forge: The forge's configured name, such as `gitlab-cern`.
        path: The repository's path on it, such as `atlas/ttbar`.
    """

    forge: str
    path: str

    def __str__(self) -> str:
        """The project's one name everywhere, such as `gitlab-cern:atlas/ttbar`."""
        return f"{self.forge}:{self.path}"

    @staticmethod
    def parse(name: str) -> "Project":
        """The project that `name` (`forge:path`) stands for.

        Raises:
            ValueError: `name` is not `forge:path`, or the path could leave its forge's root.
        """
        forge, colon, path = name.partition(":")
        parts = path.split("/")
        if not colon or not _FORGE.fullmatch(forge):
            raise ValueError(f"{name!r} is not a project name; write forge:path, such as local:group/name")
        if len(path) > 500 or any(part in {".", ".."} or not _PART.fullmatch(part) for part in parts):
            raise ValueError(f"{path!r} is not a repository path; write group/name")
        return Project(forge, path)
