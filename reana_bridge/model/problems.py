"""A user's mistake: what is wrong, where it stands, and what to write instead.

`Problem` is a value (it is shown in a report, on a page and by `check`), `ConfigurationError` carries
one or more of them out of a parser.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake in a file a user wrote.

    Attributes:
        message: What is wrong, one sentence without a final full stop.
        file: Path inside the repository, such as `reana.yaml`.
        line: Line in that file, counted from 1; None where no line can be named.
        column: Column in that line, counted from 1; None where none can be named.
        key: Dotted path of the key, such as `on.push.branch` or `workflow.specification.steps[0].name`.
        hint: What to write instead; empty where there is nothing to suggest.
        severity: An error stops the analysis, a warning is shown beside the result.
    """

    message: str
    file: str
    line: int | None = None
    column: int | None = None
    key: str = ""
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        """One line: `reana.yaml line 12: workflow.type: is missing; write `type: serial``."""
        place = self.file if self.line is None else f"{self.file} line {self.line}"
        key = f"`{self.key}`: " if self.key else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}: {key}{self.message}{hint}"


class ConfigurationError(Exception):
    """A file of the repository cannot be used; `problems` says why, at least one of them an error."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
