"""What `reana-bridge doctor` finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `problem` is empty where it is right."""

    subject: str
    problem: str = ""
