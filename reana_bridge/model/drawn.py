"""What was drawn of one file, for those who look at it."""

from dataclasses import dataclass

from reana_bridge.model.comparisons import Picture


@dataclass(frozen=True, kw_only=True)
class DrawnFile:
    """Pictures of what is in a file.

    Attributes:
        pictures: In the order of the file.
        cut: What was not drawn, a clause; empty for nothing.
        problem: Why nothing was drawn, a clause; empty for no such reason.
    """

    pictures: tuple[Picture, ...] = ()
    cut: str = ""
    problem: str = ""
