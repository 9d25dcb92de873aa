"""Scenarios on a GitLab that need servers of their own: lost hooks, deaths, replicas, rehearsals, pauses."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reana_bridge.store.tables import OutboxRow
from reana_bridge.testing.gitlab import FakeGitLab
from tests.e2e.gitlab_world import SECRET, World, until


@pytest.fixture
def make_world(tmp_path: Path, sqlite_template: Path) -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def make(**settings: Any) -> World:
        worlds.append(World(tmp_path / f"world{len(worlds)}", sqlite_template, **settings))
        worlds[-1].__enter__()
        worlds[-1].start()
        return worlds[-1]

    yield make
    for world in worlds:
        world.__exit__()


def ends_well(scene, *requests):
    for of in requests:
        scene.shows(of.sha, "success", seconds=90)
        scene.note(of, of.sha[:7])
    scene.check()
    for of in requests:
        assert scene.executed()[of.sha] == 1


@pytest.mark.parametrize("every", [1, 2])
def test_hooks_that_are_lost_are_found(make_world, every):
    world = make_world(poll=1)
    scene = world.scene()
    scene.main()
    scene.settle()
    until(lambda: world.gitlab.reads("/merge_requests$"), lambda: "it never looked")
    world.gitlab.deliveries.dropped = lambda number: number % every == 0
    requests = [scene.request(f"topic{number}", {"a": float(number)}) for number in range(3)]
    scene.shows(requests[0].sha, "success")
    scene.push("topic0", {"a": 9.0})
    said = scene.say(requests[1], "/reana help")
    scene.reply(requests[1], "/reana run")
    scene.reacted(said, "eyes")
    ends_well(scene, *requests)
    assert len(scene.ours(requests[1], "")) == 1


@pytest.mark.soak
def test_a_hook_that_was_disabled_comes_back(make_world):
    world = make_world(poll=1, reachable=True)
    scene = world.scene(hook=False)
    hook = scene.connect()
    scene.main()
    scene.settle()
    server = world.servers["one"]
    server.stop()
    shas = [scene.push(f"lost{number}") for number in range(5)]
    world.gitlab.deliveries.wait()
    assert world.gitlab.deliveries.disabled(hook)
    world.start()
    until(lambda: not world.gitlab.deliveries.disabled(hook), lambda: f"still disabled\n{scene.describe()}")
    of = scene.request()
    ends_well(scene, of)
    assert not any(scene.rows(sha) for sha in shas)


def test_a_server_that_dies_in_the_middle(make_world):
    world = make_world()
    scene = world.scene()
    scene.main()
    with scene.held():
        of = scene.request()
        scene.started(of.sha)
        world.servers["one"].kill()
    world.start()
    ends_well(scene, of)


@pytest.mark.soak
def test_a_server_that_dies_while_gitlab_takes_its_time(make_world):
    """What GitLab carries out only after the death is there once: a first status, a note, a reply."""
    world = make_world(timeout=10, settle=12)
    status, note, reply = (world.scene() for _ in range(3))
    for scene in (status, note, reply):
        scene.main()
    answered = reply.request()
    reply.note(answered, answered.sha[:7])
    for scene in (status, note, reply):
        scene.settle()
    world.gitlab.forget_requests()
    paths = {status: "/statuses/", note: "/.*/notes$", reply: "/.*/notes$"}
    slow = {
        scene: world.gitlab.fail("POST", f"/{scene.project.id}{path}", how="held")
        for scene, path in paths.items()
    }
    noted = note.request()
    until(lambda: slow[note].struck, note.describe)
    shown = status.request()
    reply.say(answered, "/reana help")
    until(lambda: all(rule.struck for rule in slow.values()), reply.describe)
    world.servers["one"].kill()
    world.start()
    again = reply.say(answered, "/reana help")
    reply.reacted(again, "eyes")
    for rule in slow.values():
        rule.let_go()
    reply.reply(answered, "/reana run")
    for scene, of in {status: shown, note: noted, reply: answered}.items():
        ends_well(scene, of)
    assert len(status.rows(shown.sha)) == 1
    assert note.writes("notes$") == [f"POST merge_requests/{noted.iid}/notes"]
    assert reply.writes("notes$") == [f"POST merge_requests/{answered.iid}/notes"] * 2


@pytest.mark.soak
def test_a_gitlab_that_is_away_when_a_run_ends(make_world):
    world = make_world()
    scene = world.scene()
    scene.main()
    with scene.held():
        of = scene.request()
        scene.shows(of.sha, "running")
        scene.settle_statuses()
        world.gitlab.stop()
    until(lambda: all(run.ended_at for run in scene.runs()), lambda: scene.describe())
    world.gitlab.start()
    ends_well(scene, of)


@pytest.mark.soak
def test_a_forge_that_hangs_delays_no_other(make_world, tmp_path):
    with FakeGitLab(tmp_path / "other") as other:
        entry = f'[forges.other]\nkind = "gitlab"\nurl = "{other.url}"\ntoken = "x"\ntimeout = 60'
        world = make_world(
            forges=f'{entry}\nwebhook_secrets = ["{SECRET}"]', projects='[[projects]]\nmatch = "other:*"'
        )
        project = other.project("open/dead")
        other.hook(project, world.door().replace("/gitlab", "/other"), token=SECRET)
        other.fail("*", "", how="slow", seconds=30, times=None)
        for number in range(20):
            other.push(project, f"b{number}", {"a": "x"})
        other.push(project, "main", {"a": "x"})
        other.deliveries.wait()
        scene = world.scene()
        scene.main()
        of = scene.request()
        scene.shows(of.sha, "success")
        scene.note(of, of.sha[:7])
        other.mend()


@pytest.mark.soak
def test_two_replicas_that_both_hear_everything(make_world, postgres_url):
    world = make_world(database=postgres_url)
    world.start("two")
    scene = world.scene()
    world.gitlab.hook(scene.project, world.door("two"), token=SECRET)
    scene.main()
    requests = [scene.request(f"topic{number}", {"a": float(number)}) for number in range(6)]
    for number, of in enumerate(requests):
        scene.push(f"topic{number}", {"a": 10.0 + number})
        scene.say(of, "/reana help")
    for of in requests:
        scene.shows(of.sha, "success", seconds=90)
        scene.note(of, of.sha[:7])
    scene.check()
    assert all(count == 1 for count in scene.executed().values())
    assert [len(scene.ours(of, "")) for of in requests] == [1] * 6


def test_a_rehearsal_writes_nothing(make_world):
    world = make_world(server="shadow = true")
    scene = world.scene()
    sha = scene.push("main", user=scene.mia)
    scene.started(sha)
    of = scene.request()
    scene.started(of.sha)
    scene.say(of, "/reana help")
    scene.settle()
    assert world.gitlab.writes() == []
    with world.database.read() as session:
        rows = list(session.execute(select(OutboxRow)).scalars())
    assert {row.kind for row in rows} == {"status", "note", "reply", "reaction"}
    assert all(row.shadow and not row.posted for row in rows)


@pytest.mark.soak
def test_a_paused_forge_loses_nothing(make_world):
    world = make_world()
    scene = world.scene()
    scene.main()
    scene.settle()
    world.command("pause", "forge", "gitlab", "--reason", "maintenance")
    world.gitlab.forget_requests()
    of = scene.request()
    world.gitlab.deliveries.wait()
    until(lambda: scene.pending().get("deliveries"), lambda: scene.describe())
    assert world.gitlab.writes() == []
    world.command("resume", "forge", "gitlab")
    ends_well(scene, of)


def test_another_identity_ends_what_the_old_one_began(make_world):
    world = make_world()
    scene = world.scene()
    scene.main()
    with scene.held():
        of = scene.request()
        scene.shows(of.sha, "running")
        scene.settle_statuses()
        world.servers["one"].stop()
        other = world.gitlab.project_token(scene.project)
        world.gitlab.revoke(world.token)
        world.use(other)
        world.start()
    scene.shows(of.sha, "success")
    scene.note(of, of.sha[:7])
    scene.settle()
    (shown,) = world.gitlab.statuses(scene.project, of.sha)
    assert (shown.state, shown.user) == ("success", other.user)


def test_an_old_delivery_cannot_be_sent_once_more(make_world):
    world = make_world(reachable=True)
    scene = world.scene(hook=False)
    hook = scene.connect()
    assert hook.signing_token
    scene.main()
    scene.settle()
    decisions = len(scene.decisions())
    event = next(one for one in hook.events if one.status == "202")
    clock = world.gitlab.instance.clock
    world.gitlab.instance.clock = lambda: clock() - 3600
    world.gitlab.deliveries.send_now(hook, "push_events", event.request_data.encode(), "replayed-1")
    world.gitlab.instance.clock = clock
    assert hook.events[-1].status == "401"
    scene.settle()
    assert len(scene.decisions()) == decisions


@pytest.mark.soak
def test_what_is_accepted_survives_deaths_and_lost_hooks(make_world):
    world = make_world(poll=1)
    scene = world.scene()
    rules = "analyses: {analysis: {rules: [{metric: a, absolute: 0.5, effect: block}]}}\n"
    scene.main(files={".reana-bridge.yaml": rules})
    of = scene.request()
    scene.shows(of.sha, "failed")
    scene.note(of, of.sha[:7])
    scene.settle()
    world.gitlab.deliveries.dropped = lambda _: True
    scene.allowed.rows[of.sha] = 1
    scene.say(of, "/reana accept a the new trigger has more", scene.mia)
    until(scene.acceptances, scene.describe)
    world.servers["one"].kill()  # it is stored; whether the forge shows it is chance
    world.start()
    scene.shows(of.sha, "success")
    scene.note(of, "accepted by mia-")
    merged = world.gitlab.merge(scene.project, of, user=scene.mia)
    until(lambda: scene.acceptances()[0].merged_sha, scene.describe)
    world.servers["one"].kill()
    world.start()
    scene.allowed.rows[merged] = 2
    scene.shows(merged, "success")
    scene.check()
    assert (len(scene.acceptances()), scene.executed()[of.sha]) == (1, 1)
