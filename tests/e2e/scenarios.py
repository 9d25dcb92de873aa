"""The table of scenarios: each a function that acts on a scene, registered under its own name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.gitlab_world import Scene


@dataclass(frozen=True)
class Scenario:
    """What happens, and the scene that it happens on."""

    act: Callable[[Scene], None]
    scene: dict[str, Any]


SCENARIOS: dict[str, Scenario] = {}


def scenario(**scene: Any) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    def add(act: Callable[[Scene], None]) -> Callable[[Scene], None]:
        part = act.__module__.rpartition("_")[2]
        SCENARIOS[f"{part}: {act.__name__.replace('_', ' ')}"] = Scenario(act, scene)
        return act

    return add
