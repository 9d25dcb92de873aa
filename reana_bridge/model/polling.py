"""How long to leave a backend alone between two looks at its jobs."""

from enum import StrEnum


class Outlook(StrEnum):
    """What is to be expected of a backend's jobs, by the one that will change first."""

    SOON = "soon"
    """One is being started or ended."""
    RUNNING = "running"
    """Some run, none is on its way to another state."""
    QUEUED = "queued"
    """All stand in the backend's queue."""


_SHARE = {Outlook.SOON: 60.0, Outlook.RUNNING: 20.0, Outlook.QUEUED: 5.0}


def seconds_to_next_look(outlook: Outlook, quiet: float, *, least: float, most: float) -> float:
    """Seconds until the next look: changes come in bursts, so a share of the time without any.

    Args:
        outlook: What is to be expected.
        quiet: Seconds since something changed.
        least: Seconds, also right after a change.
        most: Seconds, however long nothing changes.
    """
    return min(most, max(least, quiet / _SHARE[outlook]))
