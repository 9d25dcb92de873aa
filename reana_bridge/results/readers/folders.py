"""A folder that a run left, as its readers get it: the content of each file when it is asked for."""

from collections.abc import Callable, Mapping

from reana_bridge.model.readings import Unreadable

Content = Callable[[], bytes]
"""Gives the file's content; OSError where it cannot be had."""


class Folder:
    """The files below `source`, by their paths relative to it; what could not be read is in `unreadable`."""

    def __init__(self, files: Mapping[str, Content], source: str) -> None:
        self.files = files
        self.source = source
        self.unreadable: list[Unreadable] = []

    def path(self, path: str) -> str:
        """The path relative to the workspace."""
        return f"{self.source}/{path}"

    def content(self, path: str) -> bytes | None:
        """The file's content; None where it is not there, or cannot be read."""
        if path not in self.files:
            return None
        try:
            return self.files[path]()
        except OSError as error:
            self.refuse(path, f"cannot be read: {error}")
            return None

    def refuse(self, path: str, reason: str) -> None:
        """Say that a file was left out."""
        self.unreadable.append(Unreadable(source=self.path(path), reason=reason))
