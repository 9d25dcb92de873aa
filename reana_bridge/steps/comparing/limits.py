"""What looking into files may take, by the server's settings."""

import math
from dataclasses import replace

from reana_bridge.results.files.comparing import Limits
from reana_bridge.results.isolation import IsolationLimits
from reana_bridge.settings import LimitSettings


def isolation_of(limits: LimitSettings) -> IsolationLimits:
    """What the process may use in which files of a run are opened."""
    return IsolationLimits(
        memory=limits.isolated_memory, seconds=limits.isolated_seconds, output=limits.isolated_output
    )


def preview_isolation_of(limits: LimitSettings) -> IsolationLimits:
    """The same for a file of which only what is in it is drawn."""
    return replace(isolation_of(limits), seconds=min(limits.isolated_seconds, limits.preview_seconds))


def limits_of(limits: LimitSettings) -> Limits:
    """What comparing the files of a run with its baseline's may take."""
    return Limits(
        count=limits.compared_files,
        size=limits.compared_file,
        seconds=limits.compared_seconds,
        isolation=isolation_of(limits),
    )


def limits_while_waited_for(limits: LimitSettings) -> Limits:
    """The same for two runs whose comparison somebody waits for: less time, and a look at it after each."""
    own = limits_of(limits)
    seconds = min(own.seconds, limits.pair_seconds)
    isolation = replace(own.isolation, seconds=min(own.isolation.seconds, max(1, math.ceil(seconds))))
    return replace(own, seconds=seconds, isolation=isolation, at_once=1)
