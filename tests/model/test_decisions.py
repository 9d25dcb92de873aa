from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.analyses import (
    Analysis,
    OnMergeRequest,
    OnPush,
    OnSchedule,
    ProjectFile,
    Triggers,
)
from reana_bridge.model.bridge_yaml import DEFAULT_TRIGGERS, default_project_file
from reana_bridge.model.decisions import Decision, Forks, MergeRequestNow, Outcome, Situation, decide
from reana_bridge.model.problems import Problem
from webhooks.events import Change, Event, Ignored, Installation, MergeRequest, Ping, Push, Tag

A, B = "a" * 40, "b" * 40
ERROR = Problem(message="is not known", file=".reana-bridge.yaml", line=3, key="on.pusch")
WARNING = Problem(message="is odd", file="reana.yaml", severity="warning")


def push(branch: str = "main", **more) -> Push:
    return Push(**{"project": "group/name", "ref": f"refs/heads/{branch}", "before": B, "after": A, **more})


def tag(name: str = "v1", **more) -> Tag:
    return Tag(**{"project": "group/name", "ref": f"refs/tags/{name}", "sha": A, **more})


def request(*changes: Change, **more) -> MergeRequest:
    named = {"project": "group/name", "number": 5, "sha": A, "source_branch": "x", "target_branch": "main"}
    return MergeRequest(**{**named, "changes": frozenset(changes or (Change.OPENED,)), **more})


def now(*changes: Change, **more) -> MergeRequestNow:
    return MergeRequestNow(**{"target": "main", "changes": frozenset(changes or (Change.OPENED,)), **more})


def of(event: Event, on: Triggers = DEFAULT_TRIGGERS, **more) -> Decision:
    project_file = ProjectFile(analyses=(Analysis(name="fit", on=on, parameters={"n": 1}, priority=7),))
    known = {"event": event, "default_branch": "main", "head": A, "project_file": project_file}
    return decide(Situation(**{**known, **more}))


@pytest.mark.parametrize(
    ("situation", "outcome", "reason"),
    [
        ({"event": Ping(project="p")}, "ignored", "the forge asked whether anybody listens"),
        ({"event": Ignored(project="p", reason="a star was given")}, "ignored", "a star was given"),
        ({"event": Ignored(project="p", reason="")}, "ignored", "it means nothing to the bridge"),
        ({"event": Ignored(project="p", reason="a\nb\x00")}, "ignored", "a�b�"),
        ({"event": Event(project="p")}, "ignored", "the bridge does nothing on an event of kind Event"),
        ({"event": push(), "registered": False}, "ignored", "the settings register no project `group/name`"),
        ({"event": push(after=None), "registered": False}, "ignored", "the settings register no project"),
        ({"event": push(after=None)}, "skip", "refs/heads/main was deleted"),
        ({"event": push(after=None), "head": None}, "skip", "refs/heads/main was deleted"),
        ({"event": push(), "head": None}, "skip", "refs/heads/main is gone"),
        ({"event": push(), "head": B}, "skip", "superseded: refs/heads/main is now at bbbbbbb"),
        ({"event": tag(sha=None)}, "skip", "refs/tags/v1 was deleted"),
        ({"event": tag(), "head": B}, "skip", "superseded: refs/tags/v1 is now at bbbbbbb"),
        ({"event": push(message="fix [skip ci]")}, "skip", "the commit's message says `[skip ci]`"),
        ({"event": push(), "message": "fix\n\n[CI Skip] x"}, "skip", "the commit's message says `[CI Skip]`"),
        ({"event": push(), "message": "[skip reana]"}, "skip", "the commit's message says `[skip reana]`"),
        ({"event": tag(), "message": "[skip ci]"}, "skip", "the commit's message says `[skip ci]`"),
        ({"event": push(), "message": "skip ci", "problems": (ERROR,)}, "error", ".reana-bridge.yaml line 3"),
        ({"event": push(), "message": "[skip ci]", "problems": (ERROR,)}, "skip", "the commit's message"),
        ({"event": push(), "project_file": None}, "skip", "neither `reana.yaml` nor `.reana-bridge.yaml`"),
        ({"event": push(), "project_file": None, "problems": (ERROR,)}, "error", "`on.pusch`: is not known"),
        ({"event": push(), "problems": (WARNING,)}, "run", "`fit` runs: push to the default branch `main`"),
        ({"event": push(), "project_file": ProjectFile(analyses=())}, "skip", "names no analysis"),
        (
            {"event": push(), "trusted": False},
            "needs-approval",
            "`fit` waits for approval: push to the default",
        ),
        (
            {"event": push(), "analysis_problems": {"fit": (ERROR,)}},
            "error",
            "`fit` cannot run: .reana-bridge",
        ),
        ({"event": push(), "analysis_problems": {"fit": (WARNING,)}}, "run", "`fit` runs"),
        ({"event": push(), "analysis_problems": {"plot": (ERROR,)}}, "run", "`fit` runs"),
        ({"event": tag(), "analysis_problems": {"fit": (ERROR,)}}, "skip", "`fit` does not run"),
        ({"event": tag(), "trusted": False}, "skip", "`fit` does not run"),
    ],
)
def test_what_an_event_comes_to(situation, outcome, reason):
    decision = of(**situation)
    assert decision.outcome == outcome
    assert reason in decision.reason
    assert decision.problems == (
        situation.get("problems", ()) if decision.outcome in ("error", "run") else ()
    )


PUSHES = Triggers(push=OnPush(branches=("main", "release/**")))
PROPOSALS = Triggers(merge_request=OnMergeRequest(branches=("main",)))
PATHS = Triggers(push=OnPush(paths=("src/**",), paths_ignore=("**/*.md",)))
BOTH = Triggers(
    push=OnPush(branches=("**",), paths=("src/**",)), merge_request=OnMergeRequest(paths=("fit/**",))
)


@pytest.mark.parametrize(
    ("on", "event", "changed", "runs", "reason"),
    [
        (DEFAULT_TRIGGERS, push(), None, True, "push to the default branch `main`"),
        (DEFAULT_TRIGGERS, push("x"), None, True, "branch `x` is a proposal for `main`"),
        (DEFAULT_TRIGGERS, tag(), None, False, "it does not run on tags (no `on.tag`)"),
        (Triggers(), push(), None, False, "it does not run on pushes (no `on.push`)"),
        (Triggers(), push("x"), None, False, "it does not run on merge requests (no `on.merge-request`)"),
        (Triggers(schedules=(OnSchedule(cron="* * * * *"),)), push(), None, False, "no `on.push`"),
        (PUSHES, push(), None, True, "push to the default branch `main`"),
        (PUSHES, push("release/1/2"), None, True, "push to branch `release/1/2`"),
        (PUSHES, push("x"), None, False, "branch `x` does not match `main`, `release/**`"),
        (Triggers(push=OnPush(branches=("dev",))), push(), None, False, "branch `main` does not match `dev`"),
        (Triggers(push=OnPush(branches=("!main",))), push(), None, False, "does not match `!main`"),
        (PROPOSALS, push(), None, False, "no `on.push`"),
        (PROPOSALS, push("x"), None, True, "proposal"),
        (
            Triggers(merge_request=OnMergeRequest(branches=("dev",))),
            push("x"),
            None,
            False,
            "target branch `main`",
        ),
        (
            Triggers(merge_request=OnMergeRequest(labels=("run",))),
            push("x"),
            None,
            False,
            "one of the labels `run`",
        ),
        (Triggers(merge_request=OnMergeRequest(labels=("!no",))), push("x"), None, True, "proposal"),
        (Triggers(merge_request=OnMergeRequest(drafts=False)), push("x"), None, True, "proposal"),
        (PATHS, push(), None, True, "push"),
        (PATHS, push(), ("src/a.py",), True, "push"),
        (PATHS, push(), ("a.py", "src/a.py"), True, "push"),
        (PATHS, push(), ("a.py", "b.py"), False, "none of 2 changed files matches paths `src/**`"),
        (PATHS, push(), ("a.py",), False, "the only changed file `a.py` does not match paths `src/**`"),
        (
            PATHS,
            push(),
            ("src/a.md", "src/b/c.md"),
            False,
            "all 2 changed files match paths-ignore `**/*.md`",
        ),
        (PATHS, push(), ("src/a.md",), False, "the only changed file `src/a.md` matches paths-ignore"),
        (PATHS, push(), (), False, "no file changed, and it wants changes in `src/**`"),
        (PATHS, push(), tuple(f"docs/{n}" for n in range(3001)), True, "push"),
        (PATHS, push(), ("x" * 300_001,), True, "push"),
        (Triggers(push=OnPush(paths_ignore=("docs/**",))), push(), (), True, "push"),
        (Triggers(push=OnPush(paths_ignore=("docs/",))), push(), ("docs/a", "b"), True, "push"),
        (BOTH, push("x"), ("fit/a",), True, "branch `x` is a proposal for `main`"),
        (BOTH, push("x"), ("src/a",), True, "push to branch `x`"),
        (BOTH, push("x"), ("fit/a", "src/a"), True, "branch `x` is a proposal for `main`"),
        (BOTH, push("x"), ("c",), False, "does not match paths `fit/**`; and the only changed file"),
        (Triggers(tags=("v*",)), tag("v1"), None, True, "tag `v1`"),
        (Triggers(tags=("v*",)), tag("w1"), None, False, "tag `w1` does not match `v*`"),
        (Triggers(tags=()), tag("w1"), None, True, "tag `w1`"),
        (Triggers(tags=("v*",)), push(), None, False, "no `on.push`"),
    ],
)
def test_when_an_analysis_runs(on, event, changed, runs, reason):
    decision = of(event, on, changed=changed)
    (analysis,) = decision.analyses
    assert analysis.outcome == decision.outcome == (Outcome.RUN if runs else Outcome.SKIP)
    assert reason in analysis.reason
    assert analysis.reason in decision.reason
    assert analysis.proposal is (isinstance(event, Push) and event.branch != "main")
    assert analysis.wanted_by == ("tag" if isinstance(event, Tag) else "branch")
    assert (analysis.parameters, analysis.priority) == ({"n": 1}, 7)


@pytest.mark.parametrize(
    ("branch", "runs"),
    [("main", True), ("x", False), ("release/1", False)],
    ids=["default", "other", "third"],
)
def test_where_the_forge_has_merge_requests_a_pushed_branch_is_none(branch, runs):
    decision = of(push(branch), merge_requests=True)
    assert decision.outcome == (Outcome.RUN if runs else Outcome.SKIP)
    assert not decision.analyses[0].proposal


def test_the_default_branch_of_the_event_is_taken_where_nothing_else_is_known():
    assert not of(push("dev", default_branch="dev"), default_branch="").analyses[0].proposal
    assert of(push("dev", default_branch="dev"), default_branch="main").analyses[0].proposal


SEVERAL = ProjectFile(
    analyses=(
        Analysis(name="fit", on=DEFAULT_TRIGGERS),
        Analysis(name="plot", on=DEFAULT_TRIGGERS),
        Analysis(name="release", on=Triggers(tags=("v*",))),
    )
)


@pytest.mark.parametrize(
    ("event", "more", "outcomes", "reason"),
    [
        (push(), {}, "run run skip", "2 of 3 analyses run: `fit`, `plot`"),
        (push(), {"analysis_problems": {"fit": (ERROR,)}}, "error run skip", "`plot` runs: push to"),
        (
            push(),
            {"trusted": False},
            "needs-approval needs-approval skip",
            "2 of 3 analyses wait for approval",
        ),
        (
            push(),
            {"trusted": False, "analysis_problems": {"fit": (ERROR,)}},
            "error needs-approval skip",
            "`plot` waits for approval: push to the default branch `main`, with code from outside",
        ),
        (tag("v1"), {}, "skip skip run", "`release` runs: tag `v1`"),
        (tag("w1"), {}, "skip skip skip", "3 of 3 analyses do not run: `fit`, `plot`, `release`"),
    ],
)
def test_several_analyses(event, more, outcomes, reason):
    decision = of(event, project_file=SEVERAL, **more)
    assert [analysis.analysis for analysis in decision.analyses] == ["fit", "plot", "release"]
    assert " ".join(analysis.outcome for analysis in decision.analyses) == outcomes
    assert reason in decision.reason
    assert decision.outcome in outcomes.split()


TEXT = st.text(max_size=12)
SHA = st.sampled_from([A, B])
EVENTS = st.one_of(
    st.builds(
        Push, project=TEXT, ref=TEXT, before=SHA, after=st.none() | SHA, message=TEXT, default_branch=TEXT
    ),
    st.builds(Push, project=TEXT, ref=TEXT.map("refs/heads/".__add__), before=SHA, after=SHA),
    st.builds(Tag, project=TEXT, ref=TEXT, sha=st.none() | SHA, message=TEXT),
    st.builds(
        MergeRequest,
        project=TEXT,
        changes=st.frozensets(st.sampled_from(Change), min_size=1),
        number=st.integers(1, 9),
        sha=SHA,
        source_branch=TEXT,
        target_branch=TEXT,
    ),
    st.builds(Ping, project=TEXT),
    st.builds(Installation, project=TEXT, installation=TEXT),
    st.builds(Ignored, project=TEXT, reason=TEXT),
    st.builds(Event, project=TEXT),
)
GLOBS = st.lists(TEXT | st.sampled_from(["**", "*", "!x", "a/"]), max_size=3).map(tuple)
ANALYSES = st.builds(
    Analysis,
    name=TEXT,
    on=st.builds(
        Triggers,
        push=st.none() | st.builds(OnPush, branches=st.none() | GLOBS, paths=GLOBS, paths_ignore=GLOBS),
        merge_request=st.none()
        | st.builds(OnMergeRequest, branches=GLOBS, labels=GLOBS, paths=GLOBS, drafts=st.booleans()),
        tags=st.none() | GLOBS,
    ),
)
SITUATIONS = st.builds(
    Situation,
    event=EVENTS,
    registered=st.booleans() | st.just(True),
    default_branch=TEXT,
    head=st.none() | SHA,
    message=TEXT,
    changed=st.none() | st.lists(TEXT, max_size=4).map(tuple),
    trusted=st.booleans(),
    forks=st.sampled_from(Forks),
    let_by=st.sampled_from(["", "", "jane"]),
    merge_requests=st.booleans(),
    merge_request=st.none()
    | st.builds(
        MergeRequestNow,
        target=TEXT,
        labels=st.lists(TEXT, max_size=3).map(tuple),
        draft=st.booleans(),
        open=st.booleans() | st.just(True),
        changes=st.frozensets(st.sampled_from(Change)),
    ),
    project_file=st.none() | st.builds(ProjectFile, analyses=st.lists(ANALYSES, max_size=3).map(tuple)),
    problems=st.sampled_from([(), (), (ERROR,), (WARNING,)]),
    analysis_problems=st.dictionaries(TEXT, st.sampled_from([(ERROR,), (WARNING,)]), max_size=2),
)


@given(SITUATIONS)
def test_every_event_has_exactly_one_outcome_and_a_reason_of_one_line(situation):
    decision = decide(situation)
    assert isinstance(decision.outcome, Outcome)
    for one in (decision, *decision.analyses):
        assert one.reason.strip()
        assert "\n" not in one.reason
    outcomes = {analysis.outcome for analysis in decision.analyses}
    assert not outcomes or decision.outcome in outcomes
    assert (decision.outcome is Outcome.RUN) is (Outcome.RUN in outcomes)
    stopped = not situation.trusted and (situation.forks is Forks.NEVER or not situation.let_by)
    assert not (stopped and Outcome.RUN in outcomes)
    assert decide(situation) == decision


def test_the_property_test_knows_every_field_of_a_situation():
    assert {field.name for field in fields(Situation)} == {
        "event",
        "registered",
        "default_branch",
        "head",
        "message",
        "changed",
        "trusted",
        "forks",
        "let_by",
        "merge_requests",
        "merge_request",
        "project_file",
        "problems",
        "analysis_problems",
    }


def test_with_reana_yaml_alone_the_default_branch_and_proposals_run():
    for branch, proposal in (("main", False), ("feature/x", True)):
        (analysis,) = of(push(branch), project_file=default_project_file()).analyses
        assert (analysis.analysis, analysis.outcome, analysis.proposal) == ("analysis", "run", proposal)


LABELLED = Triggers(merge_request=OnMergeRequest(labels=("run-*", "!hold")))
READY = Triggers(merge_request=OnMergeRequest(drafts=False))
FITS = Triggers(merge_request=OnMergeRequest(paths=("fit/**",), branches=("main", "release/**")))


@pytest.mark.parametrize(
    ("on", "at", "changed", "runs", "reason"),
    [
        (DEFAULT_TRIGGERS, now(), None, True, "merge request !5 into `main`"),
        (DEFAULT_TRIGGERS, now(Change.UPDATED), None, True, "merge request !5"),
        (DEFAULT_TRIGGERS, now(Change.REOPENED), None, True, "merge request !5"),
        (DEFAULT_TRIGGERS, now(Change.RETARGETED), None, True, "merge request !5"),
        (DEFAULT_TRIGGERS, now(draft=True), None, True, "merge request !5"),
        (DEFAULT_TRIGGERS, now(Change.LABELLED), None, False, "no new commits of !5 (labelled)"),
        (DEFAULT_TRIGGERS, now(Change.DRAFT), None, False, "no new commits of !5 (draft)"),
        (DEFAULT_TRIGGERS, now(Change.DRAFT, Change.UPDATED), None, True, "merge request !5"),
        (Triggers(), now(), None, False, "no `on.merge-request`"),
        (PUSHES, now(), None, False, "no `on.merge-request`"),
        (FITS, now(target="release/1"), None, True, "merge request !5 into `release/1`"),
        (FITS, now(target="dev"), None, False, "target branch `dev` does not match `main`, `release/**`"),
        (FITS, now(), ("fit/a",), True, "merge request"),
        (FITS, now(), ("a",), False, "the only changed file `a` does not match paths `fit/**`"),
        (READY, now(draft=True), None, False, "!5 is a draft, and it does not run on drafts"),
        (READY, now(Change.DRAFT, draft=True), None, False, "!5 is a draft"),
        (READY, now(Change.DRAFT), None, True, "merge request"),
        (READY, now(Change.LABELLED), None, False, "no new commits"),
        (LABELLED, now(), None, False, "!5 has none of the labels `run-*`"),
        (LABELLED, now(labels=("x", "run-it")), None, True, "merge request"),
        (LABELLED, now(Change.LABELLED, labels=("run-it",)), None, True, "merge request"),
        (LABELLED, now(Change.LABELLED, labels=("run-it", "hold")), None, False, "has the label `hold`"),
        (LABELLED, now(Change.LABELLED, labels=("other",)), None, False, "none of the labels"),
        (Triggers(merge_request=OnMergeRequest(labels=("!no",))), now(), None, True, "merge request"),
    ],
)
def test_when_a_merge_request_runs(on, at, changed, runs, reason):
    decision = of(request(), on, merge_requests=True, merge_request=at, changed=changed)
    (analysis,) = decision.analyses
    assert analysis.outcome == decision.outcome == (Outcome.RUN if runs else Outcome.SKIP)
    assert reason in analysis.reason
    assert (analysis.wanted_by, analysis.proposal) == ("merge-request", True)


@pytest.mark.parametrize(
    ("situation", "outcome", "reason"),
    [
        ({"merge_request": None}, "skip", "there is no merge request !5 (any more)"),
        ({"head": None}, "skip", "there is no merge request !5"),
        ({"merge_request": now(open=False)}, "skip", "merge request !5 is closed"),
        ({"merge_request": now(open=False), "event": request(Change.MERGED)}, "skip", "!5 is merged"),
        ({"message": "x [skip ci]"}, "skip", "the commit's message says `[skip ci]`"),
        ({"head": B}, "run", "merge request !5"),
        ({"trusted": False}, "needs-approval", "with code from outside of the project"),
        ({"trusted": False, "let_by": "jane"}, "run", "let run by jane"),
        ({"trusted": False, "forks": Forks.MEMBERS}, "needs-approval", "outside"),
        ({"trusted": False, "forks": Forks.NEVER, "let_by": "jane"}, "skip", "let no code from forks run"),
        ({"trusted": False, "project_file": None}, "skip", "the target branch has neither"),
        ({"trusted": False, "analysis_problems": {"fit": (ERROR,)}}, "error", "cannot run"),
        ({"event": Installation(project="", installation="1")}, "ignored", "installation of the App"),
    ],
)
def test_what_a_merge_request_comes_to(situation, outcome, reason):
    known = {"event": request(), "merge_requests": True, "merge_request": now()}
    decision = of(**{**known, **situation})
    assert decision.outcome == outcome
    assert reason in decision.reason
