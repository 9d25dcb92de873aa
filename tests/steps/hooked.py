"""A play forge that has hooks too: what `connect` and the reconciler make of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from reana_bridge.forges.base import FailedDelivery, ForgeRefused, HookFacts
from reana_bridge.model.projects import Project
from tests.steps.hosted import HostedHouse, HostedPlayForge


class HookedForge(HostedPlayForge):
    """Hooks by id, with the secret that each was given; `failed` is what it could not bring."""

    def __init__(self, name: str, root: Path) -> None:
        super().__init__(name, root)
        self.there: dict[str, HookFacts] = {}
        self.secrets: dict[str, str] = {}
        self.failed: list[FailedDelivery] = []
        self.resent: list[str] = []
        self.tested: list[str] = []
        self.badges: dict[str, tuple[str, str]] = {}
        self.missing_rights: tuple[str, ...] = ()
        self.refuses: set[str] = set()
        self.on_test: Callable[[str], None] = lambda hook: None
        self._count = 0

    def _write(self, what: str) -> None:
        self._fail()
        if what in self.refuses:
            raise ForgeRefused(f"403: {what} needs the role Maintainer")
        self.writes.append(what)

    def put(self, url: str, **more: Any) -> str:
        """A hook that is there without our doing."""
        self._count += 1
        self.there[str(self._count)] = HookFacts(id=str(self._count), url=url, signed=True, **more)
        return str(self._count)

    def alter_hook(self, hook: str, **facts: Any) -> None:
        self.there[hook] = replace(self.there[hook], **facts)

    def hooks(self, project: Project, url: str) -> list[HookFacts]:
        self._read("hooks")
        return [hook for hook in self.there.values() if hook.url == url or hook.url.startswith(f"{url}/")]

    def install_hook(self, project: Project, url: str, secret: str, hook: str | None) -> HookFacts:
        self._write("install_hook")
        if hook is not None and hook not in self.there:
            raise ForgeRefused("404: there is no such hook")
        id = hook or self.put(url)
        self.there[id] = HookFacts(id=id, url=url, signed=True)
        self.secrets[id] = secret
        return self.there[id]

    def remove_hook(self, project: Project, hook: str) -> None:
        self._write("remove_hook")
        self.there.pop(hook, None)

    def test_hook(self, project: Project, hook: str) -> None:
        self._write("test_hook")
        self.tested.append(hook)
        self.on_test(hook)
        self.alter_hook(hook, disabled="", disabled_until=None)

    def failed_deliveries(self, project: Project, hook: str, since: float) -> list[FailedDelivery]:
        self._read("failed_deliveries")
        return [f for f in self.failed if f.at >= since and f.id not in self.resent]

    def resend(self, project: Project, hook: str, delivery: str) -> None:
        self._write("resend")
        self.resent.append(delivery)

    def install_badge(self, project: Project, link: str, image: str, name: str) -> bool:
        self._write("install_badge")
        self.badges[name] = (link, image)
        return True

    def remove_badge(self, project: Project, name: str) -> None:
        self._write("remove_badge")
        self.badges.pop(name, None)

    def rights(self, project: Project | None) -> tuple[str, ...]:
        return self.missing_rights

    def clock_offset(self) -> float | None:
        return 0.0


class HookedHouse(HostedHouse):
    """A house whose forge has hooks. `house.forge` is the `HookedForge`."""

    make_forge = HookedForge
    forge: HookedForge  # type: ignore[assignment]
