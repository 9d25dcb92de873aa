"""What an administrator can pause."""

from enum import StrEnum


class PauseKind(StrEnum):
    """What can be paused."""

    FORGE = "forge"
    BACKEND = "backend"
    PROJECT = "project"
