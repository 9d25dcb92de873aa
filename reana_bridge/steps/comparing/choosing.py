"""Looks up the runs at the places where a baseline may be, and chooses one among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from reana_bridge.forges.source import count_between, first_parents, merge_base, newest_first
from reana_bridge.model.analyses import BaselinePlace, BaselineWish
from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import BaselineReason
from reana_bridge.model.globs import matches
from reana_bridge.model.results import Result
from reana_bridge.model.runs import RunState
from reana_bridge.reports.words import short_ref
from reana_bridge.results.baselines import Candidate, Choice, Place, choose_baseline
from reana_bridge.results.rolling import together
from reana_bridge.steps.comparing.ruling import target_sha
from reana_bridge.store.tables import Head, Run

LOOK_BACK = 500
"""First-parent ancestors among which a baseline is looked for."""

MOST_TAGS = 200
"""Tags among whose commits a baseline is looked for."""

_run, _head = cast(Any, Run), cast(Any, Head)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The baseline of a run, with what it left.

    Attributes:
        choice: The baseline, or why there is none.
        result: What it left; None where there is no baseline.
        awaited: The live run that is waited for; None for none.
        wanted: The commit at which a baseline should be; empty where there is none.
        oldest: The commit of the baseline, of a rolling one the oldest; empty where there is none.
    """

    choice: Choice
    result: Result | None = None
    awaited: str | None = None
    wanted: str = ""
    oldest: str = ""


def choose(session: Session, row: Run, cache: Path, wish: BaselineWish) -> Chosen:
    """The baseline of `row`.

    Args:
        session: To read the runs.
        row: The run that is compared.
        cache: The project's commits.
        wish: Where to look, as the target branch says it.

    Raises:
        ForgeRefused: its history cannot be read.
    """
    settings: dict[str, str] = row.settings or {}
    if settings.get("baseline_sha"):
        return _given(session, row, settings["baseline_sha"])
    look = _Look(session, row, cache, wish)
    places = list(look.places())
    choice = choose_baseline(places, branch=look.branch, none=look.why_none(), ahead=look.ahead())
    awaited = [p.candidate.live_run_id for p in places if p.candidate.sha == choice.waiting_for]
    return Chosen(
        choice=choice,
        result=look.result(choice),
        awaited=awaited[0] if awaited else None,
        wanted=look.wanted or "",
        oldest=look.oldest(choice),
    )


def _given(session: Session, row: Run, sha: str) -> Chosen:
    """The commit that a person asked to compare with, whatever its place in the history."""
    candidate = _Runs(session, row).at([sha])[0]
    place = Place(candidate=candidate, reason=BaselineReason.GIVEN)
    choice = choose_baseline([place], branch="", none=f"{sha[:7]} has no successful run")
    result = _result(session, candidate.run_id) if choice.baseline else None
    awaited = candidate.live_run_id if choice.waiting_for else None
    oldest = choice.baseline.sha if choice.baseline else ""
    return Chosen(choice=choice, result=result, awaited=awaited, oldest=oldest)


class _Look:
    """One look for a baseline of a run."""

    def __init__(self, session: Session, row: Run, cache: Path, wish: BaselineWish) -> None:
        self._session, self._row, self._cache, self._wish = session, row, cache, wish
        self._runs = _Runs(session, row)
        self._target = target_sha(row)
        self._rolling: list[str] = []
        self._oldest = ""
        self.branch = short_ref(row.target or row.ref)
        base = merge_base(cache, row.sha, self._target) if row.proposal else row.sha
        shas = first_parents(cache, base, LOOK_BACK + 1) if base else []
        if not row.proposal or base == row.sha:
            # On the target branch itself (or not ahead of it) the commit before is what to compare with.
            shas = shas[1:]
        self._base = base
        self.wanted = shas[0] if shas else None
        self._ancestors = self._runs.at(shas)

    def places(self) -> Iterator[Place]:
        """In the order of preference."""
        looks = {
            BaselinePlace.MERGE_BASE: self._at_base,
            BaselinePlace.ANCESTOR: self._at_ancestors,
            BaselinePlace.TARGET: self._at_tip,
            BaselinePlace.TAG: self._at_tags,
            BaselinePlace.PINNED: self._pinned,
            BaselinePlace.ROLLING: self._together,
        }
        for place in self._wish.places:
            yield from looks[place]()

    def ahead(self) -> int | None:
        """How many commits the target branch is further; None where that means nothing."""
        if not self._base or not self._row.proposal:
            return None
        return count_between(self._cache, self._base, self._target)

    def why_none(self) -> str:
        """Why no place has a baseline."""
        proposal = self._row.proposal
        if self._wish.places != BaselineWish().places:
            places = " or ".join(_named(place, self._wish) for place in self._wish.places)
            wanted = f"`baseline` in .reana-bridge.yaml asks for {places}"
            return f"{wanted}: no successful run of `{self._row.analysis}`"
        if self.wanted is None:
            if proposal:
                return f"This branch shares no commit with {self.branch}"
            return f"This is the first commit of {self.branch}"
        at = "the merge-base" if proposal else "the first parent"
        return f"{self.branch} has no successful run at {at} {self.wanted[:7]} or before it"

    def result(self, choice: Choice) -> Result | None:
        """What the chosen run, or runs, left."""
        if choice.baseline is None:
            return None
        if choice.baseline.reason is BaselineReason.ROLLING:
            return together([_result(self._session, run_id) for run_id in self._rolling])
        return _result(self._session, choice.baseline.run_id)

    def oldest(self, choice: Choice) -> str:
        """The oldest commit that the chosen baseline stands for; empty without one."""
        if choice.baseline is None:
            return ""
        return self._oldest if choice.baseline.reason is BaselineReason.ROLLING else choice.baseline.sha

    def _at_base(self) -> Iterator[Place]:
        reason = BaselineReason.MERGE_BASE if self._row.proposal else BaselineReason.FIRST_PARENT
        yield from (Place(candidate=c, reason=reason) for c in self._ancestors[:1])

    def _at_ancestors(self) -> Iterator[Place]:
        reason = BaselineReason.ANCESTOR
        yield from (Place(candidate=c, reason=reason) for c in self._ancestors[1:])

    def _at_tip(self) -> Iterator[Place]:
        if self._row.proposal and self._target != self._row.sha:
            yield Place(candidate=self._runs.at([self._target])[0], reason=BaselineReason.TARGET_TIP)

    def _at_tags(self) -> Iterator[Place]:
        found = select(_head.ref, _head.sha).where(
            _head.project == self._row.project, _head.ref.startswith("refs/tags/", autoescape=True)
        )
        tags = {sha: short_ref(ref) for ref, sha in self._session.execute(found) if self._counts(ref, sha)}
        runs = {c.sha: c for c in self._runs.at(list(tags)) if c.run_id or c.live_run_id}
        latest = sorted(runs, key=lambda sha: -(runs[sha].ended_at or 0.0))  # among commits of one second
        for sha in newest_first(self._cache, latest)[:MOST_TAGS]:
            tagged = replace(runs[sha], distance=0)
            yield Place(candidate=tagged, reason=BaselineReason.TAG, tag=tags[sha])

    def _counts(self, ref: str, sha: str) -> bool:
        return sha not in ("", self._row.sha) and matches(short_ref(ref), [self._wish.tag])

    def _pinned(self) -> Iterator[Place]:
        pinned = self._session.get(Run, self._wish.run)
        if pinned is None or not self._runs.may_serve(pinned):
            return
        candidate = Candidate(sha=pinned.sha, run_id=pinned.id, ended_at=pinned.ended_at)
        yield Place(candidate=candidate, reason=BaselineReason.PINNED)

    def _together(self) -> Iterator[Place]:
        found = [c for c in self._ancestors if c.run_id][: self._wish.rolling]
        self._rolling = [c.run_id for c in found if c.run_id]
        if found:
            self._oldest = found[-1].sha
            yield Place(candidate=found[0], reason=BaselineReason.ROLLING, runs=len(found))


@dataclass
class _Runs:
    """Runs that may be the baseline of `row`: of the same analysis, with default parameters, trusted."""

    session: Session
    row: Run

    def may_serve(self, run: Run) -> bool:
        """Whether `run` has ended well and can be compared with."""
        row = self.row
        same = (run.project, run.analysis) == (row.project, row.analysis)
        return same and run.trusted and not run.parameters_digest and run.state == RunState.FINISHED

    def at(self, shas: Sequence[str]) -> list[Candidate]:
        """The commits with their newest successful and their live runs; a commit's place is its distance."""
        found = self._found(shas)
        finished = {r.sha: r for r in found if r.state == RunState.FINISHED}
        live = {r.sha: r for r in found if r.live_key is not None}
        return [
            Candidate(
                sha=sha,
                distance=distance,
                run_id=finished[sha].id if sha in finished else None,
                live_run_id=live[sha].id if sha in live else None,
                ended_at=finished[sha].ended_at if sha in finished else None,
            )
            for distance, sha in enumerate(shas)
        ]

    def _found(self, shas: Sequence[str]) -> Sequence[Any]:
        if not shas:
            return ()
        row = self.row
        same = (
            _run.project == row.project,
            _run.analysis == row.analysis,
            _run.parameters_digest == "",
            _run.trusted.is_(True),
            _run.id != row.id,
            _run.sha.in_(shas),
        )
        columns = (_run.id, _run.sha, _run.state, _run.live_key, _run.ended_at)
        return self.session.execute(select(*columns).where(*same).order_by(_run.queued_at)).all()


def _result(session: Session, run_id: str | None) -> Result:
    run = session.get(Run, run_id) if run_id else None
    return left_by(run) if run else Result()


def left_by(run: Run) -> Result:
    """What a run left; where it ran is part of its environment."""
    result = from_data(Result, run.result or {})
    return replace(result, environment={**result.environment, "backend": run.backend})


def _named(place: BaselinePlace, wish: BaselineWish) -> str:
    """A place for a baseline in words."""
    return {
        BaselinePlace.MERGE_BASE: "the merge-base",
        BaselinePlace.ANCESTOR: "an ancestor",
        BaselinePlace.TARGET: "the tip of the target branch",
        BaselinePlace.TAG: f"a tag `{wish.tag}`",
        BaselinePlace.PINNED: f"the run `{wish.run}`",
        BaselinePlace.ROLLING: "the last runs",
    }[place]
