"""What GitLab's answers become: merge requests, projects, members, hooks and their deliveries."""

from typing import Any

import pytest

from reana_bridge.forges.base import Access, ForgeError
from reana_bridge.forges.gitlab.client import Client
from reana_bridge.forges.gitlab.hooks import (
    EVENTS,
    failed_deliveries,
    hook_facts,
    hook_problems,
    seconds_of,
    wanted_settings,
)
from reana_bridge.forges.gitlab.merge_requests import merge_request_facts, project_facts
from reana_bridge.forges.gitlab.people import People, access_of, role_of
from tests.forges.gitlab.conftest import NOW

MERGE_REQUEST = {
    "iid": 5,
    "sha": "a" * 40,
    "source_branch": "feature",
    "target_branch": "main",
    "source_project_id": 7,
    "target_project_id": 7,
    "labels": ["ana", {"name": "big"}, 3],
    "draft": True,
    "state": "opened",
    "author": {"username": "alice"},
}


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ({}, "number", 5),
        ({}, "ref", "refs/merge-requests/5/head"),
        ({}, "fork", False),
        ({}, "labels", ("ana", "big")),
        ({}, "draft", True),
        ({}, "open", True),
        ({}, "author", "alice"),
        ({"source_project_id": 8}, "fork", True),
        ({"source_project_id": 8}, "source_project_id", "8"),
        ({"source_project_id": None}, "fork", True),
        ({"source_project_id": None}, "source_project_id", ""),
        ({"sha": None}, "sha", ""),
        ({"state": "merged"}, "open", False),
        ({"state": "closed"}, "open", False),
        ({"state": "locked"}, "open", False),
        ({"author": None}, "author", ""),
        ({"labels": None}, "labels", ()),
        ({"draft": False, "work_in_progress": True}, "draft", False),
    ],
)
def test_merge_requests(change: dict[str, Any], name: str, value: Any):
    assert getattr(merge_request_facts(MERGE_REQUEST | change), name) == value


def test_an_old_instance_says_work_in_progress():
    old = {name: value for name, value in MERGE_REQUEST.items() if name != "draft"}
    assert merge_request_facts(old | {"work_in_progress": True}).draft


@pytest.mark.parametrize("answer", [{}, {"iid": "5"}])
def test_what_is_no_merge_request(answer: dict[str, Any]):
    with pytest.raises(ForgeError):
        merge_request_facts(answer)


PROJECT = {"id": 7, "path_with_namespace": "a/b", "default_branch": "main", "visibility": "public"}


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ({}, "id", "7"),
        ({}, "path", "a/b"),
        ({}, "private", False),
        ({"visibility": "internal"}, "private", True),
        ({"visibility": "private"}, "private", True),
        ({"visibility": None}, "private", True),
        ({"default_branch": None}, "default_branch", ""),
        ({"archived": True}, "archived", True),
    ],
)
def test_projects(change: dict[str, Any], name: str, value: Any):
    assert getattr(project_facts(PROJECT | change), name) == value


@pytest.mark.parametrize("answer", [{}, {"id": 7}, {"id": "7", "path_with_namespace": "a/b"}])
def test_what_is_no_project(answer: dict[str, Any]):
    with pytest.raises(ForgeError):
        project_facts(answer)


@pytest.mark.parametrize(
    ("level", "access"),
    [
        (0, Access.NONE),
        (5, Access.NONE),
        (10, Access.READ),
        (15, Access.READ),
        (20, Access.READ),
        (30, Access.WRITE),
        (40, Access.MAINTAIN),
        (50, Access.MAINTAIN),
        (None, Access.NONE),
        ("40", Access.NONE),
    ],
)
def test_levels(level: Any, access: Access):
    assert access_of(level) is access


@pytest.mark.parametrize(
    ("change", "access"),
    [
        ({}, Access.WRITE),
        ({"state": "active"}, Access.WRITE),
        ({"state": "blocked"}, Access.NONE),
        ({"state": "deactivated"}, Access.NONE),
        ({"expires_at": "2026-09-20"}, Access.NONE),
        ({"expires_at": "2026-09-21"}, Access.WRITE),
        ({"expires_at": None}, Access.WRITE),
        ({"membership_state": "awaiting"}, Access.NONE),
        ({"membership_state": "active"}, Access.WRITE),
    ],
)
def test_members(client: Client, change: dict[str, Any], access: Access):
    people = People(client, lambda project: "7", lambda: NOW)
    assert people.level({"access_level": 30} | change) is access


@pytest.mark.parametrize(
    ("project", "level"),
    [
        ({}, None),
        ({"permissions": {"project_access": None, "group_access": None}}, 0),
        ({"permissions": {"project_access": {"access_level": 30}, "group_access": None}}, 30),
        ({"permissions": {"project_access": {"access_level": 30}, "group_access": {"access_level": 50}}}, 50),
    ],
)
def test_our_own_role(project: dict[str, Any], level: int | None):
    assert role_of(project) == level


HOOK = wanted_settings("https://b/webhooks/lab/1") | {"id": 3, "signing_token_present": True}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"push_events": False}, "push events"),
        ({"tag_push_events": False}, "tag push events"),
        ({"merge_requests_events": None}, "merge requests events"),
        ({"note_events": False}, "note events"),
        ({"job_events": True}, "sends job events"),
        ({"enable_ssl_verification": False}, "certificate"),
        ({"push_events_branch_filter": "main"}, "some branches only"),
        ({"custom_webhook_template": "{}"}, "body of its own"),
        ({"signing_token_present": False, "token_present": False}, "no secret"),
    ],
)
def test_what_is_wrong_with_a_hook(change: dict[str, Any], problem: str):
    [found] = hook_problems(HOOK | change)
    assert problem in found


def test_a_hook_as_it_should_be():
    facts = hook_facts(HOOK)
    assert (facts.id, facts.signed, facts.disabled, facts.problems) == ("3", True, "", ())
    assert all(HOOK[event] for event in EVENTS)


@pytest.mark.parametrize(
    ("status", "until", "disabled", "seconds"),
    [
        ("executable", None, False, None),
        (None, None, False, None),
        ("temporarily_disabled", "2026-09-21T14:14:20Z", True, 1_790_000_060.0),
        ("disabled", None, True, None),
    ],
)
def test_disabled_hooks(status: str | None, until: str | None, disabled: bool, seconds: float | None):
    facts = hook_facts(HOOK | {"alert_status": status, "disabled_until": until})
    assert (bool(facts.disabled), facts.disabled_until) == (disabled, seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-09-21T14:13:20.000Z", 1_790_000_000.0),
        ("2026-09-21T16:13:20+02:00", 1_790_000_000.0),
        ("soon", None),
        (None, None),
    ],
)
def test_times(text: Any, seconds: float | None):
    assert seconds_of(text) == seconds


def event(number: int, status: str, key: str = "", at: str | None = None, **more: Any) -> dict[str, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    found: dict[str, Any] = {"id": number, "trigger": "push_hooks", "response_status": status}
    return found | {"request_headers": headers} | ({"created_at": at} if at else {}) | more


@pytest.mark.parametrize(
    ("events", "failed"),
    [
        ([], []),
        ([event(1, "202")], []),
        ([event(2, "503"), event(1, "internal error")], ["1", "2"]),
        ([event(2, "202", "k"), event(1, "503", "k")], []),
        ([event(2, "503", "k"), event(1, "503", "k")], ["2"]),
        ([event(2, "202", "j"), event(1, "503", "k")], ["1"]),
        ([event(4, "413", "k"), event(3, "413", "k"), event(2, "503", "j"), event(1, "413", "k")], ["2"]),
        ([event(1, "503", at="2026-09-21T14:13:19Z")], []),
        ([event(1, "503", at="2026-09-21T14:13:21Z")], ["1"]),
        ([event(1, "503", request_headers={"Webhook-Timestamp": "1789999999"})], []),
        ([event(1, "503", request_headers={"Webhook-Timestamp": "1790000001"})], ["1"]),
        ([event(1, "503", request_headers=None)], ["1"]),
    ],
)
def test_failed_deliveries(events: list[dict[str, Any]], failed: list[str]):
    assert [each.id for each in failed_deliveries(events, NOW)] == failed
