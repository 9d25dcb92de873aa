"""When a backend is looked at again."""

import pytest

from reana_bridge.model.polling import Outlook, seconds_to_next_look


@pytest.mark.parametrize(
    ("outlook", "quiet", "seconds"),
    [
        (Outlook.RUNNING, 0.0, 2.0),
        (Outlook.RUNNING, 40.0, 2.0),
        (Outlook.RUNNING, 200.0, 10.0),
        (Outlook.RUNNING, 1e9, 30.0),
        (Outlook.QUEUED, 0.0, 2.0),
        (Outlook.QUEUED, 40.0, 8.0),
        (Outlook.QUEUED, 200.0, 30.0),
        (Outlook.SOON, 100.0, 2.0),
        (Outlook.SOON, 600.0, 10.0),
        (Outlook.SOON, 1e9, 30.0),
    ],
)
def test_often_when_something_is_about_to_change(outlook: Outlook, quiet: float, seconds: float) -> None:
    assert seconds_to_next_look(outlook, quiet, least=2.0, most=30.0) == seconds


def test_the_most_counts_where_looking_takes_long() -> None:
    assert seconds_to_next_look(Outlook.SOON, 0.0, least=50.0, most=30.0) == 30.0
