"""The statistics hold: a sample of the played merge requests here, all 10,000 of each figure with --soak."""

import re
from pathlib import Path

import pytest

from tests.results import simulation

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"
PARTS = {
    "without change": (simulation.without_change, 45),
    "power": (simulation.power, 120),
    "among many": (simulation.power_among_many, 20),
    "rules": (simulation.rules_without_change, 150),
    "moves": (simulation.moves, 200),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_sample_is_as_promised(name: str) -> None:
    part, requests = PARTS[name]
    wrong = [share.row for share in part(requests) if not share.holds]
    assert not wrong, "\n".join(wrong)


@pytest.mark.soak
def test_all_of_it_is_as_promised_and_as_the_page_says() -> None:
    shares = list(simulation.everything(10_000))
    wrong = [share.row for share in shares if not share.holds]
    assert not wrong, "\n".join(wrong)
    assert [share.row for share in shares] == rows_of_the_page()


def rows_of_the_page() -> list[str]:
    return re.findall(r"^\| .* % \| .* \| [0-9,]+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_has_the_figures_of_each_part() -> None:
    rows = rows_of_the_page()
    for part, _ in PARTS.values():
        names = [share.name for share in part(3)]
        assert all(any(row.startswith(f"| {name} |") for row in rows) for name in names)


def test_a_share_that_does_not_hold_is_seen() -> None:
    assert not simulation.Share("too many", 80, 1000, most=0.05).holds
    assert simulation.Share("few", 10, 1000, most=0.05).holds
    assert not simulation.Share("too weak", 400, 1000, theory=0.5).holds
    assert not simulation.Share("too strong", 600, 1000, theory=0.5).holds
    assert simulation.Share("right", 510, 1000, theory=0.5).holds
