"""The one note, replies and reactions."""

from typing import Any

import pytest

from reana_bridge.forges.base import ForgeError, ForgeRefused, Note, Unanswered
from reana_bridge.forges.github.comments import LIMIT, NOTE_MARKER
from reana_bridge.forges.github.forge import GithubForge
from tests.forges.github.conftest import PROJECT, Place


def note(place: Place, body: str = "**better**") -> Note:
    return Note(sha=place.sha, merge_request=1, body=body)


def texts(place: Place) -> list[str]:
    return [comment.body for comment in place.github.notes(place.repository, place.pull)]


def test_a_note_is_written_once_and_edited(place: Place, forge: GithubForge) -> None:
    posted: Any = {}
    for body in ("one", "one", "two"):
        posted = forge.post_note(PROJECT, note(place, body), posted)
    assert texts(place) == [f"{NOTE_MARKER}\ntwo"]
    assert [request.method for request in place.github.writes()] == ["POST", "PATCH"]
    assert len(place.github.reads("/comments")) == 1


@pytest.mark.parametrize("how", ["before", "after", "close_before", "close_after"])
def test_a_lost_answer_leaves_one_note(place: Place, forge: GithubForge, how: str) -> None:
    place.github.fail("POST", "/comments$", how=how)
    with pytest.raises(Unanswered):
        forge.post_note(PROJECT, note(place))
    posted = forge.post_note(PROJECT, note(place), {"unsure": True})
    assert "unsure" not in posted
    assert texts(place) == [f"{NOTE_MARKER}\n**better**"]
    assert sum(request.method == "PATCH" for request in place.github.writes()) == 0


@pytest.mark.parametrize("how", ["before", "after"])
def test_an_edit_in_doubt_is_taken_back(place: Place, forge: GithubForge, how: str) -> None:
    posted = forge.post_note(PROJECT, note(place, "a"))
    place.github.fail("PATCH", "/comments/", how=how)
    with pytest.raises(ForgeError):
        forge.post_note(PROJECT, note(place, "b"), posted)
    forge.post_note(PROJECT, note(place, "a"), {**posted, "unsure": True})
    assert texts(place) == [f"{NOTE_MARKER}\na"]


def test_of_several_the_oldest_stays(place: Place) -> None:
    for text in ("a", "b", "c"):
        place.github.comment(place.repository, place.pull, f"{NOTE_MARKER}\n{text}", by=place.bot)
    first = min(place.pull.comments)
    posted = place.with_token().post_note(PROJECT, note(place))
    assert texts(place) == [f"{NOTE_MARKER}\n**better**"]
    assert posted["comment"] == first == min(place.pull.comments)


@pytest.mark.parametrize("before", [True, False])
def test_after_a_doubt_only_the_oldest_stays(place: Place, forge: GithubForge, before: bool) -> None:
    posted: Any = forge.post_note(PROJECT, note(place, "a"))
    (first,) = place.pull.comments.values()
    second = place.github.comment(place.repository, place.pull, first.body, by=first.author)
    posted = {**posted, "unsure": True} | ({"comment": second.id} if before else {})
    posted = forge.post_note(PROJECT, note(place, "b"), posted)
    assert (posted["comment"], texts(place)) == (first.id, [f"{NOTE_MARKER}\nb"])


def test_after_a_doubt_only_the_oldest_reply_stays(place: Place, forge: GithubForge) -> None:
    asked = place.github.comment(place.repository, place.pull, "/reana why", by=place.alice)
    posted = forge.reply(PROJECT, 1, str(asked.id), "because")
    first = list(place.pull.comments.values())[-1]
    place.github.comment(place.repository, place.pull, first.body, by=first.author)
    assert forge.reply(PROJECT, 1, str(asked.id), "because", {**posted, "unsure": True}) == posted
    assert len(texts(place)) == 2


@pytest.mark.parametrize(
    ("by_us", "text"),
    [
        (False, f"{NOTE_MARKER}\nby somebody else"),
        (True, f"> {NOTE_MARKER}\nquoted"),
        (True, "without it"),
        (True, "<!-- reana-bridge:v1 reply 5 -->\na reply"),
    ],
)
def test_what_is_not_our_note_is_left_alone(place: Place, by_us: bool, text: str) -> None:
    place.github.comment(place.repository, place.pull, text, by=place.bot if by_us else place.alice)
    place.with_token().post_note(PROJECT, note(place))
    assert texts(place) == [text, f"{NOTE_MARKER}\n**better**"]


def test_a_deleted_note_is_made_again_once(place: Place, forge: GithubForge) -> None:
    posted: Any = {}
    for body in ("one", "two", "three", "four"):
        posted = forge.post_note(PROJECT, note(place, body), posted)
        for comment in list(place.pull.comments.values()):
            place.github.delete_comment(place.repository, place.pull, comment)
    assert [request.method for request in place.github.writes()] == ["POST", "PATCH", "POST", "PATCH"]
    assert texts(place) == []


def test_our_note_is_found_behind_many_comments(place: Place) -> None:
    for number in range(105):
        place.github.comment(place.repository, place.pull, f"comment {number}", by=place.alice)
    place.github.comment(place.repository, place.pull, f"{NOTE_MARKER}\nold", by=place.bot)
    place.with_token().post_note(PROJECT, note(place))
    assert len(place.pull.comments) == 106
    assert texts(place)[-1] == f"{NOTE_MARKER}\n**better**"


def test_the_longest_note_fits(place: Place, forge: GithubForge) -> None:
    forge.post_note(PROJECT, note(place, "x" * forge.note_limit))
    assert [len(text) for text in texts(place)] == [LIMIT]


def test_a_longer_one_is_cut(place: Place, forge: GithubForge) -> None:
    forge.post_note(PROJECT, note(place, "x" * (LIMIT + 5)))
    (text,) = texts(place)
    assert len(text) == LIMIT
    assert text.endswith("(shortened)")


def test_a_commit_alone_gets_no_note(place: Place) -> None:
    with pytest.raises(ForgeRefused, match="pull requests"):
        place.with_token().post_note(PROJECT, Note(sha=place.sha, merge_request=None, body="x"))


def test_a_pull_request_that_is_not_there(place: Place) -> None:
    with pytest.raises(ForgeRefused, match="gone"):
        place.with_token().post_note(PROJECT, Note(sha=place.sha, merge_request=99, body="x"))


def test_a_reply_is_written_once(place: Place, forge: GithubForge) -> None:
    asked = place.github.comment(place.repository, place.pull, "/reana why", by=place.alice)
    place.github.fail("POST", "/comments$", how="after")
    with pytest.raises(Unanswered):
        forge.reply(PROJECT, 1, str(asked.id), "because")
    posted = forge.reply(PROJECT, 1, str(asked.id), "because")
    assert forge.reply(PROJECT, 1, str(asked.id), "because", posted) == posted
    assert texts(place) == ["/reana why", f"<!-- reana-bridge:v1 reply {asked.id} -->\nbecause"]


def test_a_reply_grows_with_the_answers_to_other_commands(place: Place, forge: GithubForge) -> None:
    asked = place.github.comment(place.repository, place.pull, "/reana why\n/reana status", by=place.alice)
    posted: Any = {}
    for body in ("because", "because\n\n---\n\nit runs"):
        posted = forge.reply(PROJECT, 1, str(asked.id), body, posted)
    assert texts(place)[1:] == [f"<!-- reana-bridge:v1 reply {asked.id} -->\nbecause\n\n---\n\nit runs"]


def test_a_reply_that_a_person_deleted_is_not_made_again(place: Place, forge: GithubForge) -> None:
    asked = place.github.comment(place.repository, place.pull, "/reana why", by=place.alice)
    posted = forge.reply(PROJECT, 1, str(asked.id), "because")
    place.github.delete_comment(place.repository, place.pull, list(place.pull.comments.values())[-1])
    posted = forge.reply(PROJECT, 1, str(asked.id), "because of that", posted)
    assert forge.reply(PROJECT, 1, str(asked.id), "because of that", posted) == posted
    assert texts(place) == ["/reana why"]


def test_each_comment_has_its_own_reply(place: Place, forge: GithubForge) -> None:
    first = place.github.comment(place.repository, place.pull, "/reana why", by=place.alice)
    second = place.github.comment(place.repository, place.pull, "/reana status", by=place.alice)
    for asked in (first, second):
        forge.reply(PROJECT, 1, str(asked.id), "so")
    assert len(texts(place)) == 4


@pytest.mark.parametrize("reaction", ["eyes", "rocket", "confused"])
def test_a_reaction_is_there_once(place: Place, forge: GithubForge, reaction: str) -> None:
    asked = place.github.comment(place.repository, place.pull, "/reana run", by=place.alice)
    for _ in range(2):
        forge.react(PROJECT, 1, str(asked.id), reaction)
    assert [content for _, content in asked.reactions] == [reaction]


@pytest.mark.parametrize("comment", ["12345678", "x/../../y", ""])
def test_a_reaction_to_nothing(place: Place, comment: str) -> None:
    with pytest.raises(ForgeRefused):
        place.with_token().react(PROJECT, 1, comment, "eyes")


def test_what_people_wrote_since_then(place: Place, forge: GithubForge) -> None:
    begin = place.github.world.clock()
    plain = place.github.comment(place.repository, place.pull, "/reana run", by=place.alice)
    place.github.comment(place.repository, place.pull, "x", by=place.alice).updated_at += 5
    (found,) = forge.comments(PROJECT, begin - 1)
    assert (found.number, found.id, found.body) == (1, str(plain.id), "/reana run")
    assert (found.author, found.author_id) == ("alice", str(place.alice.id))
    assert found.at == pytest.approx(plain.created_at, abs=1.0)
    assert forge.comments(PROJECT, begin + 60) == []
