"""Which values of the default branch give the spread."""

import random

import pytest

from reana_bridge.model.comparisons import History
from reana_bridge.model.metrics import Metric
from reana_bridge.results.histories import Past, Samples, Series

PLAIN = [1.0] * 20 + [2.0] * 8


def moved(by, seed):
    draw = random.Random(seed)
    return [draw.gauss(0, 1) for _ in range(20)] + [draw.gauss(by, 1) for _ in range(8)]


@pytest.mark.parametrize(
    ("values", "metrics", "left"),
    [
        (moved(5.0, 4), 1, 8),
        (moved(5.0, 4), 200, 8),
        (moved(2.5, 2), 1, 8),  # less likely than 0.1 % by chance, and no more than that
        (moved(2.5, 2), 2, 28),
        (moved(2.5, 2), 200, 28),
        (PLAIN, 200, 8),
    ],
)
def test_what_was_before_a_move_is_left_out_where_it_stands_among_all_metrics(values, metrics, left):
    shas = tuple(f"{number:040x}" for number in range(len(values)))
    one = Series(values=tuple(values), places=tuple(range(len(values))))
    series = {f"m{number}": one for number in range(metrics)}
    sample = Samples(Past(runs=History(run_ids=shas, shas=shas), series=series)).of(
        Metric(name="m0", value=0.0), 50
    )
    assert sample.values == tuple(values[-left:])
    assert sample.since == (shas[20] if left == 8 else "")
