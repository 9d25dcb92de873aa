"""One bridge and one GitLab for all scenarios that need none of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.gitlab_world import World


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("gitlab-world"), sqlite_template) as world:
        world.start()
        yield world
