"""The table of scenarios: what happens on a GitLab, and what it shows in the end."""

import pytest

from tests.e2e import gitlab_accepting, gitlab_comments, gitlab_forks, gitlab_outages, gitlab_pushes
from tests.e2e.scenarios import SCENARIOS

TABLE = (gitlab_pushes, gitlab_accepting, gitlab_comments, gitlab_forks, gitlab_outages)


def test_the_table_is_whole():
    assert len(SCENARIOS) >= 60
    assert {scenario.act.__module__ for scenario in SCENARIOS.values()} == {part.__name__ for part in TABLE}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All of them with `--soak`, else a share of each part, the same each time."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", SCENARIOS.names(whole=metafunc.config.getoption("--soak")))


def test_scenario(shared, name):
    scenario = SCENARIOS[name]
    scene = shared.scene(**scenario.scene)
    try:
        scenario.act(scene)
        scene.check()
    finally:
        shared.gitlab.mend()
