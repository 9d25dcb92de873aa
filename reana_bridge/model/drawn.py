"""Pictures that were drawn of files, and what is in one file that stands alone."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture that was made of a file: of one side, of the difference, or of both laid over another.

    Attributes:
        shows: `baseline`, `head`, `difference` or `overlay`.
        title: Text alternative, one line.
        digest: SHA-256 of the PNG, hexadecimal; it is kept with the run.
    """

    shows: str
    title: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class DrawnFile:
    """Pictures of what is in a file.

    Attributes:
        pictures: In the order of the file.
        cut: What was not drawn, a clause; empty for nothing.
        problem: Why nothing was drawn, a clause; empty for no such reason.
        lasting: Whether another attempt would draw the same; False for a want of the server's.
    """

    pictures: tuple[Picture, ...] = ()
    cut: str = ""
    problem: str = ""
    lasting: bool = True
