"""Check runs: what a commit shows where we are a GitHub App.

Promises: one check run for each context and attempt, found again by its name, our App and its external id
when an answer was lost, and updated in place; only changes are posted, and never one after a final state of
the same attempt; texts are within GitHub's limits. They go to the project itself, also for a fork's commit.

An error of ours (`StatusState.ERROR`) is shown as `failure`, not as `neutral`: GitHub lets a merge through
where a required check is neutral, and nothing was verified.
"""

import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from reana_bridge.forges.base import FINAL_STATES, Posted, Status, StatusState
from reana_bridge.forges.github import answers
from reana_bridge.forges.github.answers import Answer
from reana_bridge.forges.github.api import Api
from reana_bridge.forges.github.statuses import is_outdated
from reana_bridge.forges.telling import settled, shortened
from reana_bridge.model.checks import Annotation, Button, CheckOutput
from reana_bridge.model.projects import Project

TEXT_LIMIT = 65_535
"""Bytes of a summary and of a text."""

ANNOTATIONS = 50
"""Annotations of a check; GitHub takes no more in one request."""

CONCLUSIONS = {
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failure",
    StatusState.ERROR: "failure",
    StatusState.CANCELLED: "cancelled",
}
"""Our final states as conclusions."""

_TITLE = 255
_MESSAGE = 60_000
_IDENTIFIER = _LABEL = 20
_DESCRIPTION = 40
_RIGHT = "the App's permission `checks: write`"
_CUT = "\n\n… (shortened)"


def external_id(run: str, attempt: int) -> str:
    """What a check run is given as its id of ours: the run and its attempt."""
    return f"{run}/{attempt}"


class Checks:
    """Posts check runs as a GitHub App."""

    def __init__(
        self, api: Api, app_id: Callable[[], str], *, clock: Callable[[], float] = time.time
    ) -> None:
        """`app_id` gives the App's number, `clock` UTC seconds."""
        self._api = api
        self._app_id = app_id
        self._clock = clock

    def post(self, project: Project, status: Status, posted: Posted) -> Posted:
        """Make the commit show `status`; arguments and errors as `Forge.post_status`.

        It is looked for only where nothing is remembered or a call before got no answer (`unsure`).
        """
        if is_outdated(status, posted):
            return settled(posted)
        own = external_id(status.run, status.attempt)
        wanted = shown(status)
        places = [_annotation(one) for one in annotations(status.output)]
        mark = hashlib.sha256(json.dumps([wanted, places], sort_keys=True).encode()).hexdigest()
        unsure = bool(posted.get("unsure"))
        if posted.get("external_id") != own:
            posted = {}
        elif posted.get("digest") == mark and not unsure:
            return posted
        existing: int | None = posted.get("id")
        annotated = bool(posted.get("annotated"))
        remembered: dict[str, Any] = {
            "external_id": own,
            "attempt": status.attempt,
            "final": status.state in FINAL_STATES,
            "digest": mark,
        }
        if existing is None or unsure:
            found = self._find(project, status, own)
            existing = answers.number(found, "id") or existing
            annotated |= bool(answers.number(found, "output", "annotations_count"))
            if existing and (annotated or not places) and _shows(found, wanted):
                return remembered | {"id": existing, "annotated": annotated}
        if places and not annotated:
            # GitHub adds those of an update to what is there: sent once.
            wanted["output"]["annotations"], annotated = places, True
        wanted |= self._times(status)
        answer = self._write(project, status, own, existing, wanted)
        return remembered | {"id": answers.number(answer.data, "id") or existing, "annotated": annotated}

    def _write(
        self, project: Project, status: Status, own: str, existing: int | None, wanted: dict[str, Any]
    ) -> Answer:
        what = f"show the check {status.context} of {project} at {status.sha[:10]}"
        if existing is not None:
            path = f"/check-runs/{existing}"
            answer = self._api.of("PATCH", path, project, what=what, right=_RIGHT, data=wanted, accept={404})
            if answer.status != 404:
                return answer
        fresh = {"name": status.context, "head_sha": status.sha, "external_id": own, **wanted}
        return self._api.of("POST", "/check-runs", project, what=what, right=_RIGHT, data=fresh)

    def _find(self, project: Project, status: Status, own: str) -> Any:
        """The check run of this attempt, as the answer to its making may have been lost; None for none.

        Of several, which only a forge that hid the first could lead to, the newest: that one is shown.
        """
        app = self._app_id()
        found = self._api.pages(
            f"/commits/{status.sha}/check-runs",
            project,
            what=f"list the checks of {project} at {status.sha[:10]}",
            right=_RIGHT,
            query={"check_name": status.context, "filter": "all", **({"app_id": app} if app else {})},
            items="check_runs",
        )
        ours = [
            item
            for item in found
            if answers.text(item, "name") == status.context
            and answers.text(item, "external_id") == own
            and answers.identity(item, "app", "id") == app
        ]
        return max(ours, key=lambda item: answers.number(item, "id") or 0, default=None)

    def _times(self, status: Status) -> dict[str, str]:
        now = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if status.state is StatusState.RUNNING:
            return {"started_at": now}
        return {"completed_at": now} if status.state in FINAL_STATES or status.needs_approval else {}


def shown(status: Status) -> dict[str, Any]:
    """What the check run is made to show, without times and annotations."""
    output = status.output or CheckOutput(title=status.description, summary=status.description)
    title = shortened(output.title or status.description, _TITLE) or status.context
    wanted: dict[str, Any] = {"output": {"title": title, "summary": _within(output.summary) or title}}
    if output.text:
        wanted["output"]["text"] = _within(output.text)
    if status.url:
        wanted["details_url"] = status.url
    if status.state in FINAL_STATES:
        wanted |= {"status": "completed", "conclusion": CONCLUSIONS[status.state]}
    elif status.needs_approval:
        wanted |= {"status": "completed", "conclusion": "action_required"}
    else:
        wanted["status"] = "in_progress" if status.state is StatusState.RUNNING else "queued"
    wanted["actions"] = [_action(one) for one in output.buttons if 0 < len(one.identifier) <= _IDENTIFIER][:3]
    return wanted


def annotations(output: CheckOutput | None) -> tuple[Annotation, ...]:
    """The places that are shown: as many as go into one request."""
    return output.annotations[:ANNOTATIONS] if output else ()


def _shows(item: Any, wanted: dict[str, Any]) -> bool:
    """Whether the check run says already what it should."""
    output = ((name, answers.text(item, "output", name)) for name in ("title", "summary", "text"))
    return all(answers.text(item, name) == wanted.get(name, "") for name in ("status", "conclusion")) and all(
        value == wanted["output"].get(name, "") for name, value in output
    )


def _annotation(place: Annotation) -> dict[str, Any]:
    return {
        "path": place.path,
        "start_line": place.line,
        "end_line": place.line,
        "annotation_level": "failure",
        "message": _within(place.message, _MESSAGE) or "failed here",
    }


def _action(button: Button) -> dict[str, str]:
    return {
        "identifier": button.identifier,
        "label": shortened(button.label, _LABEL),
        "description": shortened(button.description, _DESCRIPTION),
    }


def _within(text: str, limit: int = TEXT_LIMIT) -> str:
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= limit:
        return encoded.decode("utf-8")
    return encoded[: limit - len(_CUT.encode())].decode("utf-8", "ignore") + _CUT
