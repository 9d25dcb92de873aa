"""The one note of a merge request, replies, reactions and pictures."""

from typing import Any

import pytest

from reana_bridge.forges.base import (
    NOTHING,
    ForgeError,
    ForgeRefused,
    Note,
    Posted,
    RateLimited,
    Unanswered,
)
from reana_bridge.forges.gitlab.notes import NOTE_LIMIT, note_marker
from reana_bridge.forges.gitlab.uploads import file_name
from reana_bridge.testing.gitlab import Level, RateLimit
from reana_bridge.testing.gitlab.things import MergeRequest
from reana_bridge.testing.gitlab.things import Note as Comment
from tests.forges.gitlab.conftest import World

NOTES = "/notes"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
def on(world: World) -> MergeRequest:
    return world.merge_request()


def say(world: World, on: MergeRequest, body: str, posted: Posted = NOTHING) -> Posted:
    note = Note(sha=on.sha, merge_request=on.iid, body=body)
    return world.forge.post_note(world.project, note, posted)


def ours(world: World, on: MergeRequest) -> list[Comment]:
    return world.gitlab.notes(world.there, on, world.token.user)


def marker(world: World, on: MergeRequest) -> str:
    return note_marker(str(world.there.id), on.iid)


def test_a_first_note(world: World, on: MergeRequest):
    posted = say(world, on, "**fine**")
    [note] = ours(world, on)
    assert note.body == f"**fine**\n\n<!-- reana-bridge:note v1 {world.there.id} !{on.iid} -->"
    assert posted["id"] == note.id
    assert len(world.gitlab.writes()) == 1
    assert len(world.gitlab.reads()) == 2, "who we are (once), and whether there is one"


def test_it_is_edited_in_place_and_only_when_it_changed(world: World, on: MergeRequest):
    posted = say(world, on, "one")
    posted = say(world, on, "one", posted)
    world.gitlab.forget_requests()
    posted = say(world, on, "two", posted)
    assert say(world, on, "two", posted) == posted
    [note] = ours(world, on)
    assert note.body.startswith("two\n")
    assert [request.method for request in world.gitlab.requests()] == ["PUT"]


@pytest.mark.parametrize("how", ["after", "close_after", "before", "close_before"])
def test_a_lost_answer_ends_with_one_note(world: World, on: MergeRequest, how: str):
    world.gitlab.fail("POST", NOTES, how=how)
    with pytest.raises(Unanswered):
        say(world, on, "one")
    posted = say(world, on, "one")
    assert len(ours(world, on)) == 1
    posted = say(world, on, "two", posted)
    assert [note.body.split("\n")[0] for note in ours(world, on)] == ["two"]


def test_a_lost_answer_and_then_another_text(world: World, on: MergeRequest):
    world.gitlab.fail("POST", NOTES, how="close_after")
    with pytest.raises(Unanswered):
        say(world, on, "one")
    say(world, on, "two", {"unsure": True})
    assert [note.body.split("\n")[0] for note in ours(world, on)] == ["two"]


@pytest.mark.parametrize("how", ["after", "close_after", "before"])
def test_a_lost_edit_is_looked_for(world: World, on: MergeRequest, how: str):
    posted = say(world, on, "one")
    world.gitlab.fail("PUT", NOTES, how=how)
    with pytest.raises(ForgeError) as raised:
        say(world, on, "two", posted)
    assert type(raised.value) is ForgeError
    say(world, on, "two", {**posted, "unsure": True})
    assert [note.body.split("\n")[0] for note in ours(world, on)] == ["two"]
    applied = [request for request in world.gitlab.writes() if request.method == "PUT" and request.applied]
    assert len(applied) == 1


def test_an_edit_that_got_lost_and_was_taken_back(world: World, on: MergeRequest):
    posted = say(world, on, "one")
    world.gitlab.fail("PUT", NOTES, how="close_after")
    with pytest.raises(ForgeError):
        say(world, on, "two", posted)
    posted = say(world, on, "one", {**posted, "unsure": True})
    assert ours(world, on)[0].body.startswith("one\n")
    assert "unsure" not in posted


def test_what_was_remembered_got_lost(world: World, on: MergeRequest):
    say(world, on, "one")
    say(world, on, "one")
    say(world, on, "two")
    assert [note.body.split("\n")[0] for note in ours(world, on)] == ["two"]
    assert [request.method for request in world.gitlab.writes()] == ["POST", "PUT"]


def test_of_several_the_oldest_stays(world: World, on: MergeRequest):
    for number in range(3):
        world.gitlab.comment(world.there, on, world.token.user, f"{number}\n\n{marker(world, on)}")
    first = ours(world, on)[0].id
    posted = say(world, on, "new")
    [note] = ours(world, on)
    assert (note.id, posted["id"]) == (first, first)
    assert note.body.startswith("new\n")


def test_one_that_came_after_ours_is_removed_where_there_was_a_doubt(world: World, on: MergeRequest):
    posted = say(world, on, "one")
    world.gitlab.comment(world.there, on, world.token.user, f"one\n\n{marker(world, on)}")
    assert say(world, on, "one", {**posted, "unsure": True}) == posted
    assert [note.id for note in ours(world, on)] == [posted["id"]]


def test_one_that_came_before_ours_stays_where_there_was_a_doubt(world: World, on: MergeRequest):
    old = world.gitlab.comment(world.there, on, world.token.user, f"old\n\n{marker(world, on)}")
    new = world.gitlab.comment(world.there, on, world.token.user, f"one\n\n{marker(world, on)}")
    posted = {"id": new.id, "digest": "x", "user": str(world.token.user.id), "unsure": True}
    posted = say(world, on, "one", posted)
    assert [(note.id, note.body[:3]) for note in ours(world, on)] == [(old.id, "one")]
    assert posted["id"] == old.id


def test_a_deleted_note_is_made_again_when_there_is_something_new(world: World, on: MergeRequest):
    posted = say(world, on, "one")
    on.notes.clear()
    posted = say(world, on, "one", posted)
    assert ours(world, on) == [], "a person does not want it, and there is nothing new"
    posted = say(world, on, "two", posted)
    assert len(ours(world, on)) == 1
    on.notes.clear()
    assert say(world, on, "two", posted) == posted
    assert ours(world, on) == []


def test_a_note_that_was_deleted_twice_is_wanted_by_nobody(world: World, on: MergeRequest):
    posted: Posted = NOTHING
    for text in ("one", "two", "three", "four"):
        posted = say(world, on, text, posted)
        on.notes.clear()
    made = [request for request in world.gitlab.writes() if request.method == "POST"]
    assert len(made) == 2
    assert "unsure" not in say(world, on, "five", {**posted, "unsure": True})
    assert ours(world, on) == []


def test_a_note_of_somebody_else_with_our_marker_is_left_alone(world: World, on: MergeRequest):
    stranger = world.gitlab.user("mallory")
    text = f"mine\n\n{marker(world, on)}"
    world.gitlab.comment(world.there, on, stranger, text)
    say(world, on, "ours")
    assert [note.body for note in world.gitlab.notes(world.there, on, stranger)] == [text]
    assert len(ours(world, on)) == 1


def test_our_own_note_that_only_quotes_the_marker(world: World, on: MergeRequest):
    world.gitlab.comment(world.there, on, world.token.user, f"`{marker(world, on)}` is the marker")
    say(world, on, "ours")
    assert len(ours(world, on)) == 2


def test_it_is_found_behind_many_others(world: World, on: MergeRequest):
    say(world, on, "one")
    alice = world.gitlab.user("alice")
    for number in range(250):
        world.gitlab.comment(world.there, on, alice, f"comment {number}")
    say(world, on, "two")
    assert len(ours(world, on)) == 1


def test_each_merge_request_has_its_own(world: World, on: MergeRequest):
    other = world.merge_request("other")
    say(world, on, "one")
    say(world, other, "two")
    assert [note.body[:3] for note in ours(world, on) + ours(world, other)] == ["one", "two"]


def test_a_new_identity_makes_a_note_of_its_own(world: World, on: MergeRequest):
    posted = say(world, on, "one")
    token = world.gitlab.project_token(world.there)
    world.forge = world.another_forge(token.value)
    posted = say(world, on, "two", posted)
    [note] = world.gitlab.notes(world.there, on, token.user)
    assert note.body.startswith("two\n")
    say(world, on, "three", posted)
    assert len(world.gitlab.notes(world.there, on, token.user)) == 1


def test_a_rotated_token_edits_what_it_wrote(world: World, on: MergeRequest):
    posted = say(world, on, "one")
    world.forge = world.another_forge(world.gitlab.rotate(world.token.value))
    say(world, on, "two", posted)
    assert [note.body[:3] for note in ours(world, on)] == ["two"]


def test_no_command_to_gitlab_in_what_we_add(world: World, on: MergeRequest):
    say(world, on, "text")
    assert world.gitlab.quick_actions == []


def test_the_longest_note(world: World, on: MergeRequest):
    assert world.forge.note_limit == NOTE_LIMIT
    say(world, on, "x" * NOTE_LIMIT)
    assert len(ours(world, on)) == 1
    with pytest.raises(ForgeRefused, match="too long"):
        say(world, world.merge_request("other"), "x" * 1_000_000)


def test_a_note_that_is_all_commands(world: World, on: MergeRequest):
    with pytest.raises(ForgeRefused, match="took it for commands"):
        world.forge._notes.post(world.project, on.iid, "/close", "/label x", NOTHING)  # pyright: ignore


def test_a_note_without_a_merge_request(world: World):
    with pytest.raises(ForgeRefused, match="needs a merge request"):
        world.forge.post_note(world.project, Note(sha="1" * 40, merge_request=None, body="x"))


def full(world: World) -> None:
    world.gitlab.instance.notes_of_a_merge_request = 0


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            lambda world, on: setattr(world.gitlab.instance, "notes_of_a_merge_request", 0),
            ForgeRefused,
            "Maximum",
        ),
        (lambda world, on: setattr(world.there, "archived", True), ForgeRefused, "403"),
        (lambda world, on: world.there.merge_requests.clear(), ForgeRefused, "404"),
        (lambda world, on: world.gitlab.remove(world.there), ForgeRefused, "404"),
        (lambda world, on: world.gitlab.revoke(world.token.value), ForgeError, "token"),
        (lambda world, on: world.gitlab.stop(), ForgeError, "no connection"),
        (lambda world, on: limit(world, headers=True), RateLimited, "asks to wait"),
        (lambda world, on: limit(world, headers=False), RateLimited, "asks to wait"),
    ],
)
def test_refusals(world: World, on: MergeRequest, change: Any, error: type[Exception], said: str):
    change(world, on)
    with pytest.raises(error, match=said) as raised:
        say(world, on, "one")
    assert type(raised.value) is error


def limit(world: World, *, headers: bool) -> None:
    """Have used up the notes of a minute."""
    world.gitlab.instance.note_limit = RateLimit(most=1, seconds=60, headers=headers)
    world.gitlab.instance.note_limit.take(world.token.user.username, world.gitlab.instance.clock())


def test_replies(world: World, on: MergeRequest):
    asked = world.gitlab.comment(world.there, on, world.gitlab.user("alice"), "/reana why")
    other = world.gitlab.comment(world.there, on, world.gitlab.user("alice"), "/reana status")
    posted = world.forge.reply(world.project, on.iid, str(asked.id), "because")
    assert world.forge.reply(world.project, on.iid, str(asked.id), "because", posted) == posted
    world.forge.reply(world.project, on.iid, str(asked.id), "because")
    world.forge.reply(world.project, on.iid, str(other.id), "fine")
    say(world, on, "the note")
    assert [note.body.split("\n")[0] for note in ours(world, on)] == ["because", "fine", "the note"]


def test_a_reply_whose_answer_was_lost(world: World, on: MergeRequest):
    asked = world.gitlab.comment(world.there, on, world.gitlab.user("alice"), "/reana why")
    world.gitlab.fail("POST", NOTES, how="close_after")
    with pytest.raises(Unanswered):
        world.forge.reply(world.project, on.iid, str(asked.id), "because")
    world.forge.reply(world.project, on.iid, str(asked.id), "because")
    assert len(ours(world, on)) == 1


@pytest.mark.parametrize("reaction", ["eyes", "rocket", "confused"])
def test_reactions(world: World, on: MergeRequest, reaction: str):
    asked = world.gitlab.comment(world.there, on, world.gitlab.user("alice"), "/reana run")
    for _ in range(2):
        world.forge.react(world.project, on.iid, str(asked.id), reaction)
    assert asked.reactions == [reaction]


@pytest.mark.parametrize("how", ["after", "close_after"])
def test_a_reaction_whose_answer_was_lost(world: World, on: MergeRequest, how: str):
    asked = world.gitlab.comment(world.there, on, world.gitlab.user("alice"), "/reana run")
    world.gitlab.fail("POST", "award_emoji", how=how)
    with pytest.raises(ForgeError):
        world.forge.react(world.project, on.iid, str(asked.id), "eyes")
    world.forge.react(world.project, on.iid, str(asked.id), "eyes")
    assert asked.reactions == ["eyes"]


@pytest.mark.parametrize(
    ("comment", "reaction"),
    [("1/../../..", "eyes"), ("", "eyes"), ("x", "eyes"), ("99999", "eyes"), ("1", "x")],
)
def test_reactions_that_cannot_be(world: World, on: MergeRequest, comment: str, reaction: str):
    with pytest.raises(ForgeRefused):
        world.forge.react(world.project, on.iid, comment, reaction)


def test_a_reply_to_what_is_no_comment(world: World, on: MergeRequest):
    with pytest.raises(ForgeRefused, match="not the id of a comment"):
        world.forge.reply(world.project, on.iid, "--> /close", "x")


def test_uploads(world: World):
    link = world.forge.upload(world.project, "plots/mass µ (1).png", PNG)
    [upload] = world.there.uploads.values()
    assert link == f"/uploads/{upload.secret}/{upload.name}"
    assert upload.content == PNG


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("a b(1).png", "a-b-1-.png"),
        ("..", "picture.png"),
        ("", "picture.png"),
        ("x" * 300 + ".png", "x" * 96 + ".png"),
        ("c:\\x\\y.svg", "y.svg"),
        ("](javascript:1).png", "javascript-1-.png"),
    ],
)
def test_names_of_files(name: str, file: str):
    assert file_name(name) == file


def test_a_picture_that_is_too_large(world: World):
    with pytest.raises(ForgeRefused, match="at most"):
        world.forge.upload(world.project, "a.png", b"0" * (10 * 1024**2 + 1))
    assert world.gitlab.requests() == []


def test_an_upload_without_rights(world: World):
    world.there.members[world.token.user.id] = Level.NONE
    with pytest.raises(ForgeRefused):
        world.forge.upload(world.project, "a.png", PNG)


def test_an_upload_that_says_something_odd(world: World):
    world.gitlab.fail("POST", "/uploads", status=201, body='{"url": "https://evil.example/x.png"}')
    with pytest.raises(ForgeError, match="where it keeps"):
        world.forge.upload(world.project, "a.png", PNG)


def test_what_people_wrote_since_then(world: World, on: MergeRequest):
    alice = world.gitlab.user("alice")
    begin = world.gitlab.instance.clock()
    plain = world.gitlab.comment(world.there, on, alice, "/reana run")
    edited = world.gitlab.comment(world.there, on, alice, "x")
    edited.updated_at += 5
    world.gitlab.comment(world.there, on, alice, "x", system=True)
    world.gitlab.comment(world.there, on, alice, "x", internal=True)
    [found] = world.forge.comments(world.project, begin - 1)
    assert (found.number, found.id, found.body) == (on.iid, str(plain.id), "/reana run")
    assert (found.author, found.author_id) == ("alice", str(alice.id))
    assert found.at == pytest.approx(plain.created_at, abs=0.01)
    world.gitlab.forget_requests()
    assert world.forge.comments(world.project, begin + 60) == []
    assert len(world.gitlab.reads()) == 1, "a merge request that did not change is not looked through"
