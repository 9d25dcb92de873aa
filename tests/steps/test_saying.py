"""What a hosted forge is made to show: statuses with their place, one note a merge request, nothing twice."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reana_bridge.forges.base import Allowance, ForgeError, ForgeRefused, RateLimited, Unanswered
from reana_bridge.model.comparisons import (
    Baseline,
    BaselineReason,
    Comparison,
    FileComparison,
    FilePart,
    FileVerdict,
)
from reana_bridge.model.drawn import Picture
from reana_bridge.model.projects import Project
from reana_bridge.model.runs import RunState
from reana_bridge.steps.announcing import announce
from reana_bridge.steps.notes import want_note
from reana_bridge.steps.outbox import want
from reana_bridge.steps.reporting import report_of
from reana_bridge.steps.uploading import with_pictures
from reana_bridge.store.tables import MergeRequestRow, OutboxRow, ProjectRow, RateLimit, Run, Upload, Want
from tests.steps.hosted import HostedHouse
from tests.steps.house import WORKFLOW
from webhooks.events import Push

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 20
NUMBER = 5


def merge_request(house: HostedHouse, sha: str, number: int = NUMBER, **more: Any) -> None:
    """Let the bridge know of a merge request with this head."""
    values = {"ref": f"refs/merge-requests/{number}/head", "source_branch": "b", "target_branch": "main"}
    row = MergeRequestRow(project="f:a/x", number=number, sha=sha, seen_at=1.0, **{**values, **more})
    with house.bridge.database.transaction() as session:
        session.merge(row)


def push(house: HostedHouse, *, work: bool = True) -> Any:
    """Tell that main is where it is."""
    event = Push(project="a/x", ref="refs/heads/main", before=None, after=house.head())
    return house.event(event, work=work)


def pushed(house: HostedHouse, **more: Any) -> Run:
    """A run of a commit that is the merge request's head."""
    sha = house.commit("main", {"f": str(len(house.runs()))})
    merge_request(house, sha, **more)
    push(house)
    return house.run_of(sha)


def row(house: HostedHouse, kind: str, key: str = "") -> OutboxRow:
    (found,) = [r for r in house.rows(OutboxRow) if r.kind == kind and key in r.key]
    return found


def change(house: HostedHouse, run: Run, **values: Any) -> Run:
    """Let something become of a run that no step of this test does, and tell of it."""
    with house.bridge.database.transaction() as session:
        fresh = session.get_one(Run, run.id)
        for name, value in values.items():
            setattr(fresh, name, value)
        session.flush()
        announce(house.bridge, session, fresh)
    return house.run(run.id)


def bodies(house: HostedHouse) -> list[str]:
    return [note.body for note in house.forge.notes]


def waiting(house: HostedHouse, **more: Any) -> Run:
    """A stranger's run that waits for approval at the merge request's head."""
    sha = house.commit("main", {"f": "strange"})
    merge_request(house, sha, fork=True, source_project_id="77", **more)
    run = Run(
        project="f:a/x",
        analysis="analysis",
        sha=sha,
        ref="refs/merge-requests/5/head",
        state=RunState.WAITING,
        trusted=False,
        merge_request=NUMBER,
        live_key="k",
        queued_at=1.0,
    )
    with house.bridge.database.transaction() as session:
        session.add(run)
        session.flush()
        announce(house.bridge, session, run)
    house.work()
    return house.run(run.id)


def test_a_run_costs_four_writes(hosted_house: HostedHouse) -> None:
    house = hosted_house
    push(house, work=False)
    merge_request(house, house.head())
    for _ in range(20):
        house.once()
    house.end(house.run_of(house.head()), {"a": 1})
    assert house.forge.writes.count("note") == 1
    assert len(house.forge.writes) <= 4
    assert house.shown(house.head())[-1] == "success"
    assert house.forge.notes[0].merge_request == NUMBER


def test_a_status_says_where_and_what(hosted: HostedHouse) -> None:
    run = pushed(hosted)
    status = hosted.forge.statuses[-1]
    assert (status.sha, status.context, status.run) == (run.sha, "reana/analysis", run.id)
    assert (status.ref, status.attempt, status.needs_approval) == ("refs/heads/main", 1, False)
    assert status.output is not None
    assert not status.has_pipelines


def test_a_commit_with_ci_of_its_own_is_known(hosted: HostedHouse) -> None:
    hosted.commit("main", {".gitlab-ci.yml": "x: {}"})
    push(hosted)
    assert hosted.forge.statuses[-1].has_pipelines


def test_a_run_that_waits_for_a_person_says_so_at_once(hosted: HostedHouse) -> None:
    run = waiting(hosted)
    status = hosted.forge.statuses[-1]
    assert (str(status.state), status.needs_approval) == ("pending", True)
    assert (status.source_project_id, status.source_branch, status.merge_request) == ("77", "b", NUMBER)
    assert f"/reana approve {run.sha}" in bodies(hosted)[-1]


def test_an_approval_takes_the_request_out_of_the_note(hosted: HostedHouse) -> None:
    run = waiting(hosted)
    change(hosted, run, state=RunState.QUEUED, approved_by="jane", due_at=None)
    hosted.work()
    assert "/reana approve" not in bodies(hosted)[-1]
    for state in (RunState.SUBMITTING, RunState.RUNNING, RunState.QUEUED):
        change(hosted, run, state=state)
        hosted.work()
    assert len(bodies(hosted)) == 2, "progress is not told"


@pytest.mark.parametrize(
    ("wanted", "attempts"),
    [
        ([{"state": RunState.RUNNING}], [1]),
        ([{"run_attempt": 2}], [2]),
        ([{"state": RunState.CANCELLED, "reason": "a"}, {"reason": "b"}], [1, 2]),
        ([{"state": RunState.CANCELLED}, {"priority": 3}], [1, 1]),
    ],
)
def test_what_begins_anew_counts_up(
    hosted: HostedHouse, wanted: list[dict[str, Any]], attempts: list[int]
) -> None:
    run = pushed(hosted)
    assert row(hosted, "status").wanted["attempt"] == 1
    found = []
    for values in wanted:
        run = change(hosted, run, **values)
        found.append(row(hosted, "status").wanted["attempt"])
    assert found == attempts


def test_two_merge_requests_with_one_head_have_a_note_each(hosted: HostedHouse) -> None:
    push(hosted, work=False)
    merge_request(hosted, hosted.head(), 5)
    merge_request(hosted, hosted.head(), 6)
    hosted.work()
    hosted.end(hosted.run_of(hosted.head()), {"a": 1})
    assert sorted(note.merge_request or 0 for note in hosted.forge.notes) == [5, 6]
    assert hosted.shown(hosted.head()).count("success") == 1


def test_an_older_head_does_not_touch_the_note(hosted: HostedHouse) -> None:
    run = pushed(hosted)
    merge_request(hosted, "b" * 40)
    hosted.end(run, {"a": 1})
    assert hosted.forge.notes == []
    assert hosted.shown(run.sha)[-1] == "success"


def test_a_note_that_came_too_late_is_left_alone_and_may_be_wanted_again(hosted: HostedHouse) -> None:
    run = pushed(hosted)
    hosted.forge.errors = [ForgeError("away")] * 2
    hosted.end(run, {"a": 1})
    merge_request(hosted, "b" * 40)
    hosted.later(1000)
    hosted.work()
    assert hosted.forge.notes == []
    assert row(hosted, "note").due_at is None
    merge_request(hosted, run.sha)
    with hosted.bridge.database.transaction() as session:
        want_note(hosted.bridge, session, "f:a/x", NUMBER)
    hosted.work()
    assert len(hosted.forge.notes) == 1


def test_the_result_of_an_earlier_head_is_kept_folded(hosted: HostedHouse) -> None:
    files = {
        ".reana-bridge.yaml": "analyses: {one: {}, two: {file: two.yaml}}",
        "two.yaml": WORKFLOW,
    }
    hosted.commit("main", files)
    push(hosted, work=False)
    merge_request(hosted, hosted.head())
    hosted.work()
    first = hosted.runs(hosted.head())
    for run in first:
        change(hosted, run, merge_request=NUMBER)
        hosted.end(run, {"a": 1})
    second = hosted.commit("main", {"f": "2"})
    merge_request(hosted, second)
    push(hosted)
    assert all(note.sha != second for note in hosted.forge.notes), "no note for progress"
    one = next(run for run in hosted.runs(second) if run.analysis == "one")
    hosted.end(one, {"a": 2})
    body = bodies(hosted)[-1]
    assert "reana/two at" in body
    assert first[0].sha[:7] in body
    assert hosted.forge.notes[-1].sha == second
    assert "reana/one at" not in body


def test_a_head_that_runs_nothing_is_told_where_there_is_a_note(hosted: HostedHouse) -> None:
    def skip() -> None:
        with hosted.bridge.database.transaction() as session:
            want_note(hosted.bridge, session, "f:a/x", NUMBER, skipped="no path matches")
        hosted.work()

    merge_request(hosted, "a" * 40)
    skip()
    assert hosted.forge.notes == []
    hosted.end(pushed(hosted), {"a": 1})
    merge_request(hosted, "b" * 40)
    skip()
    skip()
    assert "no path matches" in bodies(hosted)[-1]
    assert len(bodies(hosted)) == 2


NOTES = [
    # policy, what becomes of the run, whether there is a note
    ("always", "end", True),
    ("always", "fail", True),
    ("on-change", "end", True),
    ("on-change", "fail", True),
    ("on-failure", "end", False),
    ("on-failure", "fail", True),
    ("never", "end", False),
    ("never", "fail", False),
]


@pytest.mark.parametrize(("policy", "ending", "expected"), NOTES)
def test_when_a_note_is_written(hosted: HostedHouse, policy: str, ending: str, expected: bool) -> None:
    hosted.commit("main", {".reana-bridge.yaml": f"note: {policy}"})
    run = pushed(hosted)
    hosted.end(run, {"a": 1}) if ending == "end" else hosted.fail(run)
    assert bool(hosted.forge.notes) is expected
    assert row(hosted, "note").due_at is None


def test_the_settings_say_when_where_the_file_does_not(
    make_house: Callable[..., Any], sqlite_url: str
) -> None:
    house = make_house(sqlite_url, HostedHouse, projects=[{"match": "f:*", "note": "on-failure"}])
    house.end(pushed(house), {"a": 1})
    assert house.forge.notes == []


def test_a_section_that_is_there_is_kept_right(hosted: HostedHouse) -> None:
    hosted.commit("main", {".reana-bridge.yaml": "note: on-failure"})
    hosted.fail(pushed(hosted))
    hosted.end(pushed(hosted), {"a": 1})
    assert len(hosted.forge.notes) == 2


def test_a_fork_that_takes_no_status_is_told_of_in_the_note(hosted: HostedHouse) -> None:
    hosted.forge.errors = [ForgeRefused("403 Forbidden")]
    run = waiting(hosted)
    assert hosted.forge.statuses == []
    assert len(hosted.forge.notes) == 1
    change(hosted, run, state=RunState.QUEUED, due_at=None)
    hosted.work()
    assert hosted.forge.statuses == [], "the fork is not asked again for the same run"
    assert row(hosted, "status").error == "403 Forbidden"
    assert len(hosted.forge.notes) == 2, "what cannot be seen as a status is told once"
    change(hosted, run, state=RunState.RUNNING)
    hosted.work()
    assert len(hosted.forge.notes) == 2
    change(hosted, run, run_attempt=2)
    hosted.work()
    assert len(hosted.forge.statuses) == 1, "another attempt is tried anew"


def test_an_answer_that_never_came_is_looked_for_first(
    hosted: HostedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []
    posting = hosted.forge.post_note

    def post(project: Any, note: Any, posted: Any) -> Any:
        seen.append(dict(posted))
        if len(seen) == 1:
            raise Unanswered("no answer", settled_after=90)
        return posting(project, note, posted)

    monkeypatch.setattr(hosted.forge, "post_note", post)
    hosted.end(pushed(hosted), {"a": 1})
    hosted.later(80)
    hosted.work()
    assert len(seen) == 1, "what may have happened is waited for"
    hosted.later(20)
    hosted.work()
    assert seen == [{}, {"unsure": True}]
    assert row(hosted, "note").remembered == {"note": 1}
    hosted.later(70)
    hosted.work()
    assert seen[2:] == [{"note": 1, "unsure": True}], "a second one that came later still is looked for"
    hosted.later(1000)
    hosted.work()
    assert len(seen) == 3, "and then it is good"
    assert row(hosted, "note").settled_at is None


def test_what_is_new_does_not_shorten_the_wait_for_what_may_have_happened(
    hosted: HostedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []
    posting = hosted.forge.post_note

    def post(project: Any, note: Any, posted: Any) -> Any:
        seen.append(dict(posted))
        if len(seen) == 1:
            raise Unanswered("no answer", settled_after=90)
        return posting(project, note, posted)

    monkeypatch.setattr(hosted.forge, "post_note", post)
    hosted.end(pushed(hosted), {"a": 1})
    with hosted.bridge.database.transaction() as session:
        found = row(hosted, "note")
        again = {"project": found.project, "kind": "note", "key": found.key, "sha": found.sha}
        want(hosted.bridge, session, **again, wanted={"runs": []}, merge_request=found.merge_request)
    hosted.later(80)
    hosted.work()
    assert len(seen) == 1
    hosted.later(20)
    hosted.work()
    assert seen[1:] == [{"unsure": True}]


def test_a_call_that_a_death_left_open_is_looked_for_first(
    hosted: HostedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    seen: list[dict[str, Any]] = []
    posting = hosted.forge.post_note
    monkeypatch.setattr(hosted.forge, "post_note", lambda *a: (seen.append(dict(a[2])), posting(*a))[1])

    def die_at(name: str) -> None:
        if name == "report.posted" and seen:
            raise Killed

    run = pushed(hosted)
    with monkeypatch.context() as patch:
        patch.setattr("reana_bridge.steps.report.reach", die_at)
        with pytest.raises(Killed):
            hosted.end(run, {"a": 1})
    hosted.later(100)
    hosted.work()
    assert seen == [{}], "the lease has ended, and what was sent may still come to be"
    hosted.later(30)
    hosted.work()
    assert seen == [{}, {"unsure": True}]


def test_what_the_forge_remembers_is_given_again(
    hosted: HostedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []
    posting = hosted.forge.post_status

    def post(project: Any, status: Any, posted: Any) -> Any:
        seen.append(dict(posted))
        return posting(project, status, posted)

    monkeypatch.setattr(hosted.forge, "post_status", post)
    hosted.end(pushed(hosted), {"a": 1})
    assert seen[0] == {}
    assert seen[1:] == [{"status": n + 1} for n in range(len(seen) - 1)]


def test_answers_to_comments_are_given_once(hosted: HostedHouse) -> None:
    from reana_bridge.steps.outbox import want_reaction, want_reply

    said = {"project": "f:a/x", "number": NUMBER, "sha": "a" * 40, "comment": "9"}
    for _ in range(2):
        with hosted.bridge.database.transaction() as session:
            want_reply(hosted.bridge, session, **said, body="hello")
            want_reaction(hosted.bridge, session, **said, reaction="eyes")
        hosted.work()
    assert hosted.forge.replies == [(NUMBER, "9", "hello")]
    assert hosted.forge.reactions == [(NUMBER, "9", "eyes")]


# -- limits of the forge --


def test_a_forge_that_asks_to_wait_is_left_alone_by_every_step(hosted_house: HostedHouse) -> None:
    house = hosted_house
    push(house, work=False)
    house.work("decide")
    house.forge.errors = [RateLimited("too many", retry_after=300)]
    house.work("report")
    assert house.forge.statuses == []
    (limit,) = house.rows(RateLimit)
    assert limit.reason == "too many"
    house.commit("main", {"f": "2"})
    push(house)
    assert house.runs(house.head()) == [], "not even decided"
    over(house)
    house.later(301)
    house.work()
    assert house.runs(house.head())
    assert house.shown(house.head())


def over(house: HostedHouse) -> None:
    with house.bridge.database.transaction() as session:
        session.get_one(RateLimit, "f").until = 1.0


def test_decide_waits_too_and_uses_up_no_attempt(
    hosted: HostedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def limited(*_: Any) -> Any:
        raise RateLimited("too many")

    with monkeypatch.context() as patch:
        patch.setattr(hosted.forge, "head", limited)
        assert push(hosted) is None
    assert hosted.raised == []
    over(hosted)
    hosted.later(100)
    hosted.work()
    assert hosted.run_of(hosted.head())


@pytest.mark.parametrize(
    ("left", "slows"), [(None, False), ((1500, 2000), False), ((199, 2000), True), ((0, 2000), True)]
)
def test_calls_are_spread_when_few_are_left(
    hosted: HostedHouse, monkeypatch: pytest.MonkeyPatch, left: tuple[int, int] | None, slows: bool
) -> None:
    allowance = Allowance(remaining=left[0], limit=left[1]) if left else None
    monkeypatch.setattr(hosted.forge, "allowance", lambda: allowance)
    push(hosted)
    assert bool(hosted.rows(RateLimit)) is slows


# -- pictures --


def pictured(house: HostedHouse, *, files: dict[str, bytes] | None = None, private: bool = False) -> str:
    """The note of a run that left pictures."""
    run = pushed(house)
    house.forge.private = private
    house.end(run, {"a": 1}, files or {"results/mass.png": PNG})
    return bodies(house)[-1]


def test_pictures_go_up_once_and_are_embedded(hosted: HostedHouse) -> None:
    files = {"results/mass.png": PNG, "results/same.png": PNG, "results/other.png": PNG + b"o"}
    body = pictured(hosted, files=files)
    assert sorted(content for _, content in hosted.forge.uploads) == [PNG, PNG + b"o"]
    assert all(upload.link in body for upload in hosted.rows(Upload))
    pictured(hosted, files=files)
    assert len(hosted.forge.uploads) == 2


def test_the_analysis_own_text_stands_in_the_note_with_its_pictures(hosted: HostedHouse) -> None:
    text = b"# Mine\n\n![mass](mass.png) ![tracker](https://evil.example/x.png) @everyone\n\n/merge\n"
    body = pictured(hosted, files={"results/mass.png": PNG, "results/report.md": text})
    assert "#### Mine" in body
    (upload,) = hosted.rows(Upload)
    assert f"![mass]({upload.link})" in body
    assert "evil.example" not in body
    assert "\n/merge" not in body


def test_what_was_drawn_for_a_comparison_goes_up_too(hosted: HostedHouse) -> None:
    run = pushed(hosted)
    hosted.end(run, {"a": 1}, {"results/h.root": b"1"})
    blobs = hosted.bridge.blobs
    drawn = blobs.put(io.BytesIO(PNG + b"overlay"), limit=1000)
    picture = Picture(shows="overlay", title="mass", digest=drawn.digest)
    part = FilePart(name="mass", verdict=FileVerdict.DIFFERENT, pictures=(picture,))
    file = FileComparison(path="results/h.root", verdict=FileVerdict.DIFFERENT, parts=(part,))
    baseline = Baseline(run_id="r", sha="b" * 40, branch="main", reason=BaselineReason.MERGE_BASE)
    comparison = Comparison(baseline=baseline, files=(file,))
    with hosted.bridge.database.read() as session:
        report = replace(
            report_of(hosted.bridge, session, session.get_one(Run, run.id)), comparison=comparison
        )
    hosted.forge.private = False
    project = Project.parse(report.project)
    (shown,) = with_pictures(hosted.bridge, hosted.forge, project, [report], insist=False)
    assert [content for _, content in hosted.forge.uploads] == [PNG + b"overlay"]
    assert shown.drawn_links == {drawn.digest: hosted.rows(Upload)[0].link}


def test_a_forge_that_keeps_no_pictures_is_not_asked(hosted: HostedHouse) -> None:
    hosted.forge.keeps_pictures = False
    pictured(hosted)
    assert (hosted.forge.uploads, "facts" in hosted.forge.reads) == ([], False)


def test_what_became_private_is_not_copied_any_more(hosted: HostedHouse) -> None:
    pictured(hosted)
    pictured(hosted, files={"results/mass.png": PNG + b"new"}, private=True)
    assert len(hosted.forge.uploads) == 1
    (project,) = hosted.rows(ProjectRow)
    assert project.private


@pytest.mark.parametrize(
    ("rule", "private", "uploads"),
    [
        ("public", False, 1),
        ("public", True, 0),
        ("always", True, 1),
        ("never", False, 0),
    ],
)
def test_pictures_of_private_projects_stay_here(
    make_house: Callable[..., Any], sqlite_url: str, rule: str, private: bool, uploads: int
) -> None:
    house = make_house(sqlite_url, HostedHouse, projects=[{"match": "f:*", "uploads": rule}])
    pictured(house, private=private)
    assert len(house.forge.uploads) == uploads


@pytest.mark.parametrize(
    "files",
    [
        {"results/a.png": b"<script>"},
        {"results/a.svg": b"<svg/>"},
        {"results/a.png": PNG + b"x" * 1000},
    ],
    ids=["no picture", "drawing", "too large"],
)
def test_what_is_no_small_picture_is_not_copied(
    make_house: Callable[..., Any], sqlite_url: str, files: dict[str, bytes]
) -> None:
    house = make_house(sqlite_url, HostedHouse, limits={"upload": 1000})
    pictured(house, files=files)
    assert house.forge.uploads == []


def test_only_so_many_pictures_are_copied(make_house: Callable[..., Any], sqlite_url: str) -> None:
    house = make_house(sqlite_url, HostedHouse, limits={"uploads": 2})
    pictured(house, files={f"results/{n}.png": PNG + bytes([n]) for n in range(5)})
    assert len(house.forge.uploads) == 2


@pytest.mark.parametrize("error", [ForgeRefused("too large"), ForgeError("away")])
def test_a_note_does_not_wait_for_ever_for_a_picture(
    hosted: HostedHouse, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(hosted.forge, "upload", refuse)
    hosted.end(pushed(hosted), {"a": 1}, {"results/mass.png": PNG})
    for _ in range(4):
        hosted.later(1000)
        hosted.work()
    assert len(hosted.forge.notes) == 1


# -- rehearsal --


def test_a_rehearsal_writes_nothing_and_keeps_what_it_would_have_written(
    make_house: Callable[..., Any], sqlite_url: str
) -> None:
    house = make_house(sqlite_url, HostedHouse, server={"shadow": True, "public_url": "http://bridge.test"})
    house.end(pushed(house), {"a": 1})
    assert house.forge.writes == []
    assert row(house, "status").shadow["state"] == "success"
    assert "reana/analysis" in row(house, "note").shadow["body"]
    assert {r.due_at for r in house.rows(OutboxRow)} == {None}
    assert {r.posted for r in house.rows(OutboxRow)} == {None}


def test_a_rehearsal_on_plain_git_writes_nothing_either(
    make_house: Callable[..., Any], sqlite_url: str
) -> None:
    house = make_house(sqlite_url, server={"shadow": True})
    house.push()
    house.end(house.run_of(house.head()), {"a": 1})
    assert (house.forge.statuses, house.forge.notes) == ([], [])


def test_a_want_of_a_merge_request_makes_a_run_one_of_its(hosted: HostedHouse) -> None:
    """An earlier head's run is found by who wanted it, also where another event began it."""
    run = hosted.end(pushed(hosted), {"a": 1})
    with hosted.bridge.database.transaction() as session:
        session.add(
            Want(
                run_id=run.id,
                project=run.project,
                kind="merge-request",
                ref="refs/merge-requests/5/head",
                since=1.0,
            )
        )
    merge_request(hosted, "b" * 40)
    with hosted.bridge.database.transaction() as session:
        want_note(hosted.bridge, session, "f:a/x", NUMBER, skipped="no path matches")
    hosted.work()
    assert "reana/analysis at" in bodies(hosted)[-1]
