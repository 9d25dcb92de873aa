"""What a check on a forge shows beside its status line: summary, places in the code, buttons."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """A place in the code that a failure points to.

    Attributes:
        path: Relative to the repository.
        line: Counted from 1.
        message: One or more lines.
    """

    path: str
    line: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Button:
    """Something to press at a check: `identifier` comes back in a `Rerun` event."""

    identifier: str
    label: str
    description: str


@dataclass(frozen=True, kw_only=True)
class CheckOutput:
    """What a check shows beside its status line, where the forge has checks.

    Attributes:
        title: One line.
        summary: Markdown.
        text: Markdown, the details.
        annotations: Places in the code.
        buttons: At most 3.
    """

    title: str
    summary: str
    text: str = ""
    annotations: tuple[Annotation, ...] = ()
    buttons: tuple[Button, ...] = ()
