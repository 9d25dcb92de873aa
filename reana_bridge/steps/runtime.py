"""All threads of a process: the inbox writer, a worker for each step, pollers, periodic tasks."""

from functools import partial
from typing import Literal, Protocol

import structlog

from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.collect import Collect
from reana_bridge.steps.compare import Compare
from reana_bridge.steps.decide import Decide
from reana_bridge.steps.follow import Follow
from reana_bridge.steps.limiting import REST
from reana_bridge.steps.periodic import Periodic
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.steps.report import ReportStep
from reana_bridge.steps.retain import Retain
from reana_bridge.steps.submit import Submit
from reana_bridge.steps.worker import Worker
from reana_bridge.store.leases import free_the_dead
from reana_bridge.store.wake import topic

Role = Literal["web", "worker", "all"]
_log = structlog.get_logger()


class _Part(Protocol):
    def start(self) -> None: ...
    def stop(self, seconds: float) -> None: ...
    @property
    def alive(self) -> bool: ...


class Runtime:
    """Starts, watches and stops what a process does beside answering requests.

    Args:
        bridge: What the steps share.
        role: `web` only receives and shows, `worker` only works, `all` does both.
        reconcile: Whether forges, schedules, deadlines and retention are looked after as well.
    """

    def __init__(self, bridge: Bridge, role: Role = "all", *, reconcile: bool = True) -> None:
        self._bridge = bridge
        self._role = role
        self._parts: dict[str, _Part] = {}
        if role != "web":
            self._parts |= self._workers()
            if reconcile:
                self._parts |= self._periodic()

    def _workers(self) -> dict[str, _Part]:
        bridge, size = self._bridge, self._bridge.settings.server.workers
        steps = [Submit(bridge), Collect(bridge), Compare(bridge)]
        parts: dict[str, _Part] = {step.name: Worker(step, bridge.database, size=size) for step in steps}
        for forge in (*bridge.forges, REST):  # one each, so that a slow forge never delays another
            for step in (Decide(bridge, forge), ReportStep(bridge, forge)):
                wake = topic("decide" if isinstance(step, Decide) else "report", forge)
                parts[step.name] = Worker(step, bridge.database, size=size, topic=wake)
        for backend in bridge.backends.values():
            for account in (*getattr(backend, "accounts", ()), ""):
                poller = Follow(bridge, backend, account)
                parts[poller.title] = poller
        return parts

    def _periodic(self) -> dict[str, _Part]:
        bridge, reconcile, retain = self._bridge, Reconcile(self._bridge), Retain(self._bridge)
        host = bridge.host
        tasks = [
            (f"deadlines@{host}", reconcile.deadlines, 30.0),
            ("bodies", retain.bodies, 3600.0),
            ("artifacts", retain.artifacts, 86_400.0),
        ]
        for name, forge in bridge.forges.items():
            tasks.append((f"heads {name}", partial(reconcile.share, forge), reconcile.seconds(forge)))
            tasks.append((f"schedules {name}", partial(reconcile.schedules_on, forge), 15.0))
        for name, backend in bridge.backends.items():
            where = f"@{host}" if backend.kind == "local" else ""
            tasks.append((f"workspaces {name}{where}", partial(retain.workspaces, backend), 600.0))
            if hasattr(backend, "living"):
                tasks.append((f"strays {name}", partial(retain.strays, backend), 900.0))
        return {name: Periodic(name, task, bridge.database, seconds=s) for name, task, s in tasks}

    def start(self) -> None:
        """Start everything; what dead processes of this host had claimed is free again."""
        database = self._bridge.database
        with database.transaction() as session:
            free_the_dead(database, session)
        database.listen()
        self._bridge.inbox.start()
        for part in self._parts.values():
            part.start()
        _log.info("runtime.started", role=self._role, host=self._bridge.host, owner=database.owner)

    def stop(self) -> None:
        """Stop everything; what is at work may come to its end within the settings' time."""
        seconds = self._bridge.settings.server.drain_seconds
        self._bridge.inbox.stop()
        for part in self._parts.values():
            part.stop(seconds)
        _log.info("runtime.stopped")

    def problems(self) -> list[str]:
        """Why this process is not ready, one sentence each; empty when it is."""
        dead = [f"the {name} thread does not answer" for name, part in self._parts.items() if not part.alive]
        free, least = self._bridge.blobs.free(), self._bridge.settings.storage.minimum_free
        if free < least:
            dead.append(f"only {free} bytes are free for artifacts, {least} are wanted")
        return dead
