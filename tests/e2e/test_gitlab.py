"""The table of scenarios: what happens on a GitLab, and what it shows in the end."""

import pytest

from tests.e2e.gitlab_scenarios import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(shared, name):
    scenario = SCENARIOS[name]
    scene = shared.scene(**scenario.scene)
    try:
        scenario.act(scene)
        scene.check()
    finally:
        shared.gitlab.mend()
