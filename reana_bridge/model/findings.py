"""What a parser finds wrong with one document, gathered so that a user sees all of it at once.

Every question about a value (`mapping`, `text`, ...) records the mistake and answers something empty, so that
the parser can go on.
"""

from collections.abc import Collection
from typing import Any, cast

from reana_bridge.model.paths import path_mistake, tidy_path
from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.suggestions import did_you_mean, shown
from reana_bridge.model.yamlfile import Document, Path

MAX_PROBLEMS = 100
MAX_ENTRIES = 1000


class Findings:
    """The problems of one document, at most 100 of each severity.

    Attributes:
        document: The document that they are about.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self._errors: dict[Problem, None] = {}
        self._warnings: dict[Problem, None] = {}

    @property
    def full(self) -> bool:
        """Whether no further error would be kept, so that looking on is a waste."""
        return len(self._errors) >= MAX_PROBLEMS

    def error(self, path: Path, message: str, hint: str = "", line: int | None = None) -> None:
        """Record an error at `path`."""
        if not self.full:
            self._errors[self.document.problem(path, message, hint=hint, line=line)] = None

    def warning(self, path: Path, message: str, hint: str = "") -> None:
        """Record a warning at `path`."""
        if len(self._warnings) < MAX_PROBLEMS:
            self._warnings[self.document.problem(path, message, hint=hint, severity="warning")] = None

    def warnings(self) -> tuple[Problem, ...]:
        """The warnings by line, once there are no errors.

        Raises:
            ConfigurationError: There are errors; it carries them, then the warnings.
        """
        warnings = tuple(sorted(self._warnings, key=_by_place))
        if self._errors:
            raise ConfigurationError((*sorted(self._errors, key=_by_place), *warnings))
        return warnings

    def value(self, path: Path) -> Any:
        """The value at `path`; None where it is absent."""
        value: Any = self.document.data
        for part in path:
            if isinstance(value, dict):
                value = cast(dict[str | int, Any], value).get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(cast(list[Any], value)):
                value = cast(list[Any], value)[part]
            else:
                return None
        return value

    def mapping(self, path: Path) -> dict[str, Any]:
        """The mapping at `path`; empty where there is none."""
        value = self.value(path)
        if value is not None and not isinstance(value, dict):
            self.error(
                path, f"must hold keys, not {kind_of(value)}", "write lines such as `key: value` below it"
            )
        return cast(dict[str, Any], value) if isinstance(value, dict) else {}

    def entries(self, path: Path, limit: int = MAX_ENTRIES) -> list[Any]:
        """The list at `path`, at most `limit` entries; empty where there is none."""
        value = self.value(path)
        if value is not None and not isinstance(value, list):
            self.error(path, f"must be a list, not {kind_of(value)}", "write one `- ` line for each entry")
        entries = cast(list[Any], value) if isinstance(value, list) else []
        if len(entries) > limit:
            self.error(path, f"has {len(entries)} entries; at most {limit} are allowed", "make it shorter")
        return entries[:limit]

    def text(self, path: Path, hint: str = "put it in quotes") -> str:
        """The text at `path`; empty where there is none."""
        value = self.value(path)
        if value is not None and not isinstance(value, str):
            self.error(path, f"must be a text, not {kind_of(value)}", hint)
        return value if isinstance(value, str) else ""

    def file(self, path: Path) -> str:
        """The path or glob that stands at `path`, relative to the workspace; empty where there is none."""
        value = self.text(path)
        mistake = path_mistake(value) if isinstance(self.value(path), str) else ""
        if mistake:
            hint = "write a path relative to the repository's top, such as `results/fit.json`"
            self.error(path, f"{mistake}: `{shown(value)}`", hint)
        return tidy_path(value) if value and not mistake else ""

    def files(self, path: Path) -> tuple[str, ...]:
        """The paths in the list at `path`."""
        found = [self.file((*path, index)) for index in range(len(self.entries(path)))]
        for index, value in enumerate(self.entries(path)):
            if value is None:
                self.error((*path, index), "is empty", "write a path after the `-`")
        return tuple(file for file in found if file)

    def known_keys(self, path: Path, known: Collection[str]) -> None:
        """Warn of keys at `path` that nothing reads."""
        value = self.value(path)
        for key in cast(dict[str, Any], value) if isinstance(value, dict) else ():
            if len(self._warnings) >= MAX_PROBLEMS:
                return
            if key not in known:
                self.warning((*path, key), "is not known and has no effect", did_you_mean(key, known))


def kind_of(value: object) -> str:
    """What `value` is, in words: `a number`, `a list`, ..."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value `{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"the number `{shown(repr(value), 30)}`"
    if isinstance(value, str):
        return f"the text `{shown(value, 30)}`"
    return "a list" if isinstance(value, list) else "keys with values"


def _by_place(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0
