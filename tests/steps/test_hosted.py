"""What the play forge does, so that other tests can rely on it."""

from reana_bridge.forges.hosted import is_hosted
from tests.steps.hosted import HostedHouse
from webhooks.events import Comment


def test_a_fork_commit_is_on_no_branch_and_the_head(hosted: HostedHouse) -> None:
    sha = hosted.fork_commit()
    assert is_hosted(hosted.forge)
    assert hosted.merge_request().sha == sha
    assert sha not in hosted.forge.heads(hosted.project).values()
    second = hosted.fork_commit(files={"fork": "2"})
    assert hosted.merge_request().sha == second
    assert hosted.repository().git("rev-parse", f"{second}^") == sha


def test_events_come_as_they_were_sent(hosted: HostedHouse) -> None:
    decision = hosted.event(Comment(project="a/x", number=5, comment="1", body="hello", actor="jane"))
    assert decision is not None
    assert (decision.event, decision.actor, hosted.raised) == ("comment", "jane", [])
