from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.analyses import Analysis, OnSchedule, ProjectFile, Triggers
from reana_bridge.model.schedules import newest_time, schedule_due


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def due(cron: str, last: str, now: str, zone: str = "UTC") -> list[str]:
    schedules = (OnSchedule(cron=cron, timezone=zone),)
    project_file = ProjectFile(analyses=(Analysis(name="fit", on=Triggers(schedules=schedules)),))
    found = schedule_due(project_file, last=at(last), now=at(now))
    return [datetime.fromtimestamp(one.at, UTC).strftime("%d %H:%M") for one in found]


@pytest.mark.parametrize(
    ("cron", "last", "now", "expected"),
    [
        ("0 3 * * *", "2026-05-01T02:59", "2026-05-01T03:00", ["01 03:00"]),
        ("0 3 * * *", "2026-05-01T02:59", "2026-05-01T02:59:59", []),
        ("0 3 * * *", "2026-05-01T03:00", "2026-05-01T03:01", []),
        ("0 3 * * *", "2026-05-01T03:00", "2026-05-02T02:59", []),
        ("0 3 * * *", "2026-05-01T00:00", "2026-05-09T12:00", ["09 03:00"]),
        ("*/5 * * * *", "2026-05-01T00:00", "2026-05-01T00:29", ["01 00:25"]),
        ("0 3 * * 1-5", "2026-05-01T04:00", "2026-05-03T23:00", []),
        ("0 3 * * 1-5", "2026-05-01T04:00", "2026-05-04T03:00", ["04 03:00"]),
        ("0 0 29 2 *", "2026-01-01T00:00", "2026-12-31T00:00", []),
        ("0 0 29 2 *", "2026-01-01T00:00", "2028-03-31T00:00", ["29 00:00"]),
        ("0 3 * * *", "2026-05-01T04:00", "2026-05-01T02:00", []),
    ],
)
def test_what_is_due(cron, last, now, expected):
    assert due(cron, last, now) == expected


@pytest.mark.parametrize(
    ("cron", "last", "now", "expected"),
    [
        # Zurich is one hour ahead of UTC in winter, two in summer.
        ("0 3 * * *", "2026-01-10T00:00", "2026-01-10T23:00", ["10 02:00"]),
        ("0 3 * * *", "2026-07-10T00:00", "2026-07-10T23:00", ["10 01:00"]),
        # 29 March 2026: 02:00 becomes 03:00, so 02:30 does not exist; it runs at once, and once.
        ("30 2 * * *", "2026-03-29T00:00", "2026-03-29T00:59", []),
        ("30 2 * * *", "2026-03-29T00:00", "2026-03-29T01:00", ["29 01:00"]),
        ("30 2 * * *", "2026-03-29T01:00", "2026-03-30T00:00", []),
        ("30 2 * * *", "2026-03-29T01:00", "2026-03-30T00:30", ["30 00:30"]),
        # 25 October 2026: 03:00 becomes 02:00, so 02:30 is there twice; it runs the first time only.
        ("30 2 * * *", "2026-10-25T00:00", "2026-10-25T00:30", ["25 00:30"]),
        ("30 2 * * *", "2026-10-25T00:00", "2026-10-25T01:10", ["25 00:30"]),
        ("30 2 * * *", "2026-10-25T00:30", "2026-10-25T01:30", []),
        ("30 2 * * *", "2026-10-25T00:30", "2026-10-26T01:30", ["26 01:30"]),
        # Every hour stays every hour.
        ("0 * * * *", "2026-10-25T00:00", "2026-10-25T01:00", ["25 01:00"]),
        ("0 * * * *", "2026-03-29T00:00", "2026-03-29T01:00", ["29 01:00"]),
    ],
)
def test_daylight_saving(cron, last, now, expected):
    assert due(cron, last, now, zone="Europe/Zurich") == expected


def test_each_schedule_of_each_analysis_counts_for_itself():
    early, late = OnSchedule(cron="0 3 * * *", parameters={"n": 1}), OnSchedule(cron="0 4 * * *")
    january = OnSchedule(cron="0 0 1 1 *")
    one = Analysis(name="one", on=Triggers(schedules=(early, january, late)))
    two = Analysis(name="two", on=Triggers(schedules=(late,)))
    found = schedule_due(ProjectFile(analyses=(one, two)), last=at("2026-05-01"), now=at("2026-05-01T12:00"))
    assert [(entry.analysis.name, entry.schedule, entry.at) for entry in found] == [
        ("one", early, at("2026-05-01T03:00")),
        ("one", late, at("2026-05-01T04:00")),
        ("two", late, at("2026-05-01T04:00")),
    ]


@pytest.mark.parametrize("zone", ["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize(
    ("cron", "most", "least"),
    [  # in 18 days; where the clock jumps, two times of one day may fall together
        ("30 2 * * *", 18, 18),
        ("0 2,3 * * *", 36, 35),
        ("*/20 * * * *", 1296, 1295),
        ("15 */2 * * *", 216, 215),
        ("0 1 * * SUN", 6, 6),
    ],
)
def test_looking_every_few_minutes_finds_each_time_once_around_every_change_of_clocks(
    zone, cron, most, least
):
    schedule = OnSchedule(cron=cron, timezone=zone)
    project_file = ProjectFile(analyses=(Analysis(name="fit", on=Triggers(schedules=(schedule,))),))
    found: list[float] = []
    for start in ("2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31"):
        begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
        for step in range(0, 3 * 86400, 1200):
            moment = (begin + timedelta(seconds=step)).timestamp()
            found += [one.at for one in schedule_due(project_file, last=moment - 1200, now=moment)]
    assert len(found) == len(set(found))
    assert found == sorted(found)
    assert least <= len(found) <= most


@given(
    st.sampled_from(["30 2 * * *", "*/7 * * * *", "0 0 1 * *", "0 12 * * 1"]),
    st.sampled_from(["Europe/Zurich", "America/New_York", "Asia/Kolkata"]),
    st.floats(0, 4e9),
    st.floats(0, 40 * 86400),
)
def test_what_is_due_lies_after_the_last_look_and_not_in_the_future(cron, zone, last, more):
    schedule = OnSchedule(cron=cron, timezone=zone)
    project_file = ProjectFile(analyses=(Analysis(name="fit", on=Triggers(schedules=(schedule,))),))
    found = schedule_due(project_file, last=last, now=last + more)
    assert len(found) <= 1
    assert all(last < one.at <= last + more for one in found)
    newest = newest_time(schedule, last + more)
    assert newest is not None
    assert newest <= last + more
