"""What the bridge measures, for Prometheus.

States, queues and ages are read from the rows when somebody asks, so that they are right whichever process
did the work. Only what leaves no row is counted in this process: webhook answers and their seconds.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from typing import Any, cast

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reana_bridge.forges.base import FINAL_STATES
from reana_bridge.model.runs import LIVE, RunState
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.tables import AlarmRow, ComparisonRow, Delivery, Hook, OutboxRow, RateLimit, Run

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_WEBHOOK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_WAY_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
_DAY = 86400.0
_delivery, _outbox, _run = cast(Any, Delivery), cast(Any, OutboxRow), cast(Any, Run)
_hook, _limit = cast(Any, Hook), cast(Any, RateLimit)
_alarm, _comparison = cast(Any, AlarmRow), cast(Any, ComparisonRow)
_HOOKS = select(_hook.forge, _hook.problem)


class Telemetry:
    """The measurements of one app.

    Args:
        bridge: Whose rows are read.
    """

    def __init__(self, bridge: Bridge) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "reana_bridge_webhook_seconds",
            "Seconds from the first byte of a webhook request to its answer, by which it is on disk.",
            buckets=_WEBHOOK_BUCKETS,
            registry=self.registry,
        )
        self._answers = Counter(
            "reana_bridge_webhook_answers",
            "Webhook requests answered, by HTTP status.",
            ["status"],
            registry=self.registry,
        )
        self._by_status: dict[int, Any] = {}
        self.registry.register(_Rows(bridge))

    def webhook(self, status: int, seconds: float) -> None:
        """Count one answered webhook request."""
        self._seconds.observe(seconds)
        counter = self._by_status.get(status)
        if counter is None:
            counter = self._by_status[status] = self._answers.labels(status=str(status))
        counter.inc()

    def text(self) -> bytes:
        """Everything measured, as Prometheus reads it."""
        return generate_latest(self.registry)


class _Rows(Collector):
    """What the database's rows say at the moment of asking."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def describe(self) -> Iterable[Any]:
        """Nothing: the names are known only when rows are read."""
        return []

    def collect(self) -> Iterator[Any]:
        """The families, one short read transaction for all."""
        bridge = self._bridge
        waiting = "Deliveries in this process that wait to be written to disk."
        yield GaugeMetricFamily("reana_bridge_inbox_size", waiting, value=bridge.inbox.size)
        with bridge.database.read() as session:
            now = bridge.database.now(session)
            yield from _deliveries(session, now)
            yield from _runs(session, now)
            yield from _outbox_families(session, now)
            yield from _forges(session, now)
            yield _alarms(session, now)
            yield from _ways(session, now)
        free = "Bytes that are free where artifacts are kept."
        yield GaugeMetricFamily("reana_bridge_artifacts_free_bytes", free, value=bridge.blobs.free())


def _deliveries(session: Session, now: float) -> Iterator[Any]:
    waiting = select(func.count(), func.min(_delivery.received_at)).where(_delivery.decided_at.is_(None))
    count, oldest = session.execute(waiting.where(_delivery.due_at.is_not(None))).one()
    yield _gauge("reana_bridge_deliveries_undecided", "Stored deliveries without a decision.", count)
    text = "Seconds that the oldest delivery without a decision has waited; 0 without one."
    yield _gauge("reana_bridge_deliveries_undecided_oldest_seconds", text, _age(oldest, now))


def _runs(session: Session, now: float) -> Iterator[Any]:
    counts = dict.fromkeys((state.value for state in RunState), 0)
    for state, count in session.execute(select(_run.state, func.count()).group_by(_run.state)):
        counts[str(state)] = count
    family = GaugeMetricFamily("reana_bridge_runs", "Runs by state.", labels=["state"])
    for state, count in counts.items():
        family.add_metric([state], count)
    yield family
    oldest = select(_run.state, func.min(_run.queued_at)).where(_run.state.in_(LIVE)).group_by(_run.state)
    ages = {str(state): _age(since, now) for state, since in session.execute(oldest)}
    text = "Seconds since the oldest live run in a state was queued; 0 without one."
    family = GaugeMetricFamily("reana_bridge_runs_oldest_seconds", text, labels=["state"])
    for state in sorted(LIVE):
        family.add_metric([state.value], ages.get(state.value, 0.0))
    yield family


def _outbox_families(session: Session, now: float) -> Iterator[Any]:
    behind = _outbox.wanted_version > _outbox.posted_version
    count, oldest = session.execute(
        select(func.count(), func.min(_outbox.wanted_at)).where(behind, _outbox.due_at.is_not(None))
    ).one()
    yield _gauge("reana_bridge_outbox_pending", "Reports that a forge does not show yet.", count)
    text = "Seconds that the oldest report that a forge does not show yet has waited; 0 without one."
    yield _gauge("reana_bridge_outbox_oldest_seconds", text, _age(oldest, now))
    failing = select(func.count()).where(behind, _outbox.error != "")
    text = "Reports that a forge did not take at the last try."
    yield _gauge("reana_bridge_outbox_failing", text, session.execute(failing).scalar_one())


def _forges(session: Session, now: float) -> Iterator[Any]:
    text = "Hooks that connect made, by forge; problem is yes where the last look found something wrong."
    family = GaugeMetricFamily("reana_bridge_hooks", text, labels=["forge", "problem"])
    hooks = Tally((forge, bool(problem)) for forge, problem in session.execute(_HOOKS))
    for (forge, problem), count in sorted(hooks.items()):
        family.add_metric([forge, "yes" if problem else "no"], count)
    yield family
    text = "Seconds until a forge that asked us to wait is asked again; 0 when it is."
    waits = GaugeMetricFamily("reana_bridge_forge_limited_seconds", text, labels=["forge"])
    for forge, until in session.execute(select(_limit.forge, _limit.until)):
        waits.add_metric([forge], max(0.0, (until or 0.0) - now))
    yield waits


def _alarms(session: Session, now: float) -> Any:
    text = (
        "Rules broken in the comparisons of the last 24 hours, by effect, and whether somebody accepted it."
    )
    family = GaugeMetricFamily("reana_bridge_alarms", text, labels=["effect", "accepted"])
    raised = (
        select(_alarm.effect, _alarm.accepted, func.count())
        .join(ComparisonRow, _comparison.run_id == _alarm.run_id)
        .where(_comparison.made_at >= now - _DAY)
        .group_by(_alarm.effect, _alarm.accepted)
    )
    counts = {(effect, accepted): count for effect, accepted, count in session.execute(raised)}
    for effect in ("block", "warn"):
        for accepted in (False, True):
            count = counts.get((effect, accepted), 0)
            family.add_metric([effect, "yes" if accepted else "no"], count)
    return family


def _ways(session: Session, now: float) -> Iterator[Any]:
    """How long people waited, over the runs of the last day."""
    young = _run.queued_at >= now - _DAY
    starts = session.execute(
        select(_run.started_at - func.coalesce(_run.pushed_at, _run.queued_at)).where(
            young, _run.started_at.is_not(None)
        )
    ).scalars()
    text = "Seconds from a push to the start of its run, over the runs queued in the last 24 hours."
    yield _histogram("reana_bridge_push_to_start_seconds", text, starts)
    text = "Seconds from a push to its first status on the forge, over those of the last 24 hours."
    yield _histogram("reana_bridge_push_to_status_seconds", text, _first_status_seconds(session, now))
    posted = session.execute(
        select(_outbox.posted, _outbox.posted_at).where(
            _outbox.kind == "status", _outbox.posted_at >= now - _DAY
        )
    ).all()
    shown = {p["run"]: at for p, at in posted if p and p.get("state") in FINAL_STATES and p.get("run")}
    text = "Seconds from the end of a run to its report on the forge, over the reports of the last 24 hours."
    yield _histogram("reana_bridge_end_to_report_seconds", text, _report_seconds(session, shown))


def _first_status_seconds(session: Session, now: float) -> list[float]:
    same = (
        (_run.project == _outbox.project)
        & (_run.sha == _outbox.sha)
        & (_outbox.key == _run.sha + "/" + _run.analysis)
    )
    # A commit that is run again had its first status before.
    first = select(func.max(_outbox.first_posted_at - _run.pushed_at)).join(Run, same)
    first = first.where(_outbox.kind == "status", _outbox.first_posted_at >= now - _DAY)
    first = first.where(_run.pushed_at <= _outbox.first_posted_at)
    return list(session.execute(first.group_by(_outbox.id)).scalars())


def _report_seconds(session: Session, shown: dict[str, float]) -> Iterator[float]:
    ids = list(shown)
    for start in range(0, len(ids), 500):
        ended = select(_run.id, func.coalesce(_run.backend_ended_at, _run.ended_at)).where(
            _run.id.in_(ids[start : start + 500]), _run.ended_at.is_not(None)
        )
        for run_id, at in session.execute(ended):
            yield shown[run_id] - at


def _histogram(name: str, text: str, seconds: Iterable[float]) -> HistogramMetricFamily:
    counts = [0] * (len(_WAY_BUCKETS) + 1)
    total = 0.0
    for value in seconds:
        value = max(0.0, value)
        total += value
        counts[next((i for i, edge in enumerate(_WAY_BUCKETS) if value <= edge), len(_WAY_BUCKETS))] += 1
    edges = [*(str(edge) for edge in _WAY_BUCKETS), "+Inf"]
    buckets = [(edge, float(sum(counts[: i + 1]))) for i, edge in enumerate(edges)]
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=total)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _age(since: float | None, now: float) -> float:
    return 0.0 if since is None else max(0.0, now - since)
