"""Which scheduled runs are due: pure, by the clock that is passed in, in each schedule's own time zone.

A daily time happens once a day also where the clock is put forward or back; after a pause only the newest
missed time is made up for.
"""

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim

from reana_bridge.model.analyses import Analysis, OnSchedule, ProjectFile

_MAX_STEPS = 100


class Due(NamedTuple):
    """A scheduled run: what, by which schedule, and the time (UTC seconds since the epoch) that it is for."""

    analysis: Analysis
    schedule: OnSchedule
    at: float


def schedule_due(project_file: ProjectFile, *, last: float, now: float) -> list[Due]:
    """What became due after `last` and not after `now`, both UTC seconds since the epoch.

    Each schedule is there at most once, with the newest of its times.
    """
    due: list[Due] = []
    for analysis in project_file.analyses:
        for schedule in analysis.on.schedules:
            at = newest_time(schedule, now)
            if at is not None and last < at <= now:
                due.append(Due(analysis, schedule, at))
    return due


def newest_time(schedule: OnSchedule, now: float) -> float | None:
    """The newest time of `schedule` that is not after `now`; None where there is none within 50 years."""
    zone = UTC if schedule.timezone == "UTC" else ZoneInfo(schedule.timezone)
    moment = datetime.fromtimestamp(int(now), UTC)
    found = next(CronSim(schedule.cron, moment.astimezone(zone), reverse=True), None)
    if found is None:
        return None
    # That one lies before `moment`, and where the clock is put back it can be a day too early: look forward.
    following = CronSim(schedule.cron, found)
    for _ in range(_MAX_STEPS):
        later = next(following, None)
        if later is None or later.astimezone(UTC) > moment:
            break
        found = later
    return found.timestamp()
