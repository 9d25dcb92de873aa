"""The tables of scenarios: each a function that acts on a scene, registered under its own name."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Act = Callable[[Any], None]


@dataclass(frozen=True)
class Scenario:
    """What happens, and the scene that it happens on."""

    act: Act
    scene: dict[str, Any]


class Table(dict[str, Scenario]):
    """Name -> scenario; a name begins with the part of the table, which is the end of the module's name."""

    def scenario(self, **scene: Any) -> Callable[[Act], Act]:
        def add(act: Act) -> Act:
            part = act.__module__.rpartition("_")[2]
            self[f"{part}: {act.__name__.replace('_', ' ')}"] = Scenario(act, scene)
            return act

        return add

    def twice(self, key: str, values: dict[str, Any]) -> Callable[[Act], Act]:
        """One scenario for each of `values` (how it is called -> what the scene is given as `key`)."""

        def add(act: Act) -> Act:
            part = act.__module__.rpartition("_")[2]
            for called, value in values.items():
                self[f"{part}: {act.__name__.replace('_', ' ')} {called}"] = Scenario(act, {key: value})
            return act

        return add

    def names(self, *, whole: bool) -> list[str]:
        """All names, or a share of each part that is the same each time."""
        names = list(self)
        if whole:
            return names
        parts = {name.partition(":")[0] for name in names}
        of_part = {part: [name for name in names if name.startswith(f"{part}:")] for part in sorted(parts)}
        chance = random.Random(len(names))
        return [name for found in of_part.values() for name in chance.sample(found, (len(found) + 19) // 20)]


SCENARIOS = Table()
scenario = SCENARIOS.scenario

GITHUB = Table()
TOKEN, APP = {"with a token": "token"}, {"as an App": "app"}
both = GITHUB.twice("forge", TOKEN | APP)
with_token = GITHUB.twice("forge", TOKEN)
as_app = GITHUB.twice("forge", APP)
