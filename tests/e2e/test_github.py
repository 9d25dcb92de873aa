"""The table of scenarios: what happens on a GitHub, with a token or as an App, and what it shows then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import (
    github_accepting,
    github_comments,
    github_forks,
    github_outages,
    github_pulls,
    github_pushes,
)
from tests.e2e.github_world import World
from tests.e2e.scenarios import GITHUB

TABLE = (github_accepting, github_pushes, github_pulls, github_comments, github_forks, github_outages)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("github-world"), sqlite_template) as made:
        yield made


def test_the_table_is_whole() -> None:
    assert len({scenario.act for scenario in GITHUB.values()}) >= 30
    assert {scenario.act.__module__ for scenario in GITHUB.values()} == {part.__name__ for part in TABLE}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All of them with `--soak`, else a share of each part, the same each time."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", GITHUB.names(whole=bool(metafunc.config.getoption("--soak"))))


def test_scenario(world: World, name: str) -> None:
    scenario = GITHUB[name]
    scene = world.scene(**scenario.scene)
    try:
        scenario.act(scene)
        scene.finish()
    finally:
        world.github.start()
        world.github.mend()
