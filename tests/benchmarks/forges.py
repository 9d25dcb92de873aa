"""With a GitLab that answers in 25 ms: from a push to its pending status, from a run's end to its note."""

import json
import math
import sqlite3
import statistics
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from reana_bridge.testing.gitlab import FakeGitLab, bodies
from reana_bridge.testing.gitlab.things import Project
from tests.benchmarks import serving
from tests.benchmarks.runs import SPECIFICATION, ask, wait
from tests.benchmarks.table import Figure

ANSWER_SECONDS = 0.025
SECRET = "bench-secret"

CONFIG = """
[forges.lab]
kind = "gitlab"
url = "{url}"
token = "{token}"
webhook_secrets = ["{secret}"]
poll_seconds = 3600
[[projects]]
match = "lab:*"
"""


@dataclass(frozen=True)
class Prepared:
    """A push that only has to happen: where the branch moves to, and the body that tells of it."""

    project: Project
    sha: str
    body: bytes

    def happen(self, port: int) -> float:
        """Move the branch and tell the bridge; when that began, UTC seconds."""
        (self.project.repository.path / "refs" / "heads" / "main").write_text(f"{self.sha}\n")
        begun = time.time()
        headers = {
            "Content-Type": "application/json",
            "X-Gitlab-Event": "Push Hook",
            "X-Gitlab-Token": SECRET,
            "Idempotency-Key": str(uuid4()),
        }
        request = urllib.request.Request(f"http://127.0.0.1:{port}/webhooks/lab", self.body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 202
        return begun


def _commits(project: Project, count: int) -> list[str]:
    """So many commits of an analysis, one after the other, made by one process; none on a branch yet."""
    stream = ["blob", "mark :1", f"data {len(SPECIFICATION)}", SPECIFICATION]
    for number in range(count):
        stream += [
            "commit refs/bench",
            f"mark :{number + 2}",
            f"committer R <r@example.org> {1_790_000_000 + number} +0000",
            "data 4",
            f"{number:04d}",
            f"M 100644 inline turn\ndata 4\n{number:04d}",
            "M 100644 :1 reana.yaml",
        ]
    marks = project.repository.path / "marks"
    command = ["git", "fast-import", "--quiet", f"--export-marks={marks}"]
    text = "\n".join(stream) + "\n"
    subprocess.run(command, cwd=project.repository.path, input=text.encode(), check=True)
    lines = (line.split() for line in marks.read_text().splitlines())
    found = {int(mark[1:]): sha for mark, sha in lines}
    return [found[number + 2] for number in range(count)]


def _prepared(gitlab: FakeGitLab, project: Project, count: int) -> list[Prepared]:
    shas = _commits(project, count)
    found: list[Prepared] = []
    for before, after in zip(["0" * 40, *shas], shas, strict=False):
        body = bodies.push(gitlab.instance, project, "refs/heads/main", before, after, gitlab.root)
        found.append(Prepared(project, after, json.dumps(body).encode()))
    return found


def _settings(gitlab: FakeGitLab) -> str:
    token = gitlab.token(gitlab.root)
    return CONFIG.format(url=gitlab.url, token=token, secret=SECRET)


def _pause(server: serving.Served) -> None:
    """Leave every run queued."""
    with sqlite3.connect(server.place / "bridge.db", timeout=10) as connection:
        connection.execute(
            "INSERT INTO pauses (kind, name, reason, paused_by, since)"
            " VALUES ('backend', 'local', 'measuring', 'bench', 0)"
        )


def _first_shown(project: Project) -> dict[str, float]:
    return {row.sha: row.created_at for row in project.statuses}


def pending(place: Path, *, projects: int = 20, turns: int = 15, rate: float = 10.0) -> list[Figure]:
    """Pushes at a steady rate over many projects; their runs stay queued."""
    with FakeGitLab(place / "gitlab") as gitlab:
        everything = [
            _prepared(gitlab, gitlab.project(f"bench/p{number}"), turns + 1) for number in range(projects)
        ]
        gitlab.latency = ANSWER_SECONDS
        with serving.served(place, extra=_settings(gitlab)) as server:
            _pause(server)
            for first in everything:
                first[0].happen(server.port)
            posted = "SELECT count(*) FROM outbox WHERE kind = 'status' AND posted_version > 0"
            wait(server, posted, projects, 120)
            load = [pushes[turn] for turn in range(1, turns + 1) for pushes in everything]
            before = _used(server)
            begun = _at_a_rate(load, server.port, rate)
            decided = "SELECT count(*) FROM deliveries WHERE kind = 'webhook' AND decided_at IS NOT NULL"
            wait(server, decided, len(load) + projects, 120)
            wait(server, "SELECT count(*) = 0 FROM outbox WHERE due_at IS NOT NULL", 1, 120)
            own, git = (
                (after - was) * 1000 / len(load) for after, was in zip(_used(server), before, strict=True)
            )
    shown = {sha: at for pushes in everything for sha, at in _first_shown(pushes[0].project).items()}
    # A push that the next one overtook, since the bridge was that late, is never shown.
    took = sorted(shown.get(push.sha, math.inf) - begun[push.sha] for push in load)
    median, late = statistics.median(took), took[int(len(took) * 0.99)]
    name = f"push to pending on GitLab, {rate:.0f} a second, {projects} projects"
    return [
        Figure(f"{name}, median", f"{median:.3f} s", "below 0.25 s", median < 0.25),
        Figure(f"{name}, 99 %", f"{late:.3f} s", "below 1 s", late < 1.0),
        Figure("processor time of the bridge and of git for such a push", f"{own:.0f}, {git:.0f} ms", ""),
    ]


def _used(server: serving.Served) -> tuple[float, float]:
    """Processor time so far, in seconds: the server's own, and that of its children."""
    pid = server.process.pid
    return serving.cpu_seconds(pid), serving.cpu_seconds_of_children(pid)


def _at_a_rate(load: list[Prepared], port: int, rate: float) -> dict[str, float]:
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        told = []
        for number, push in enumerate(load):
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            told.append(pool.submit(push.happen, port))
        return {push.sha: each.result() for push, each in zip(load, told, strict=True)}


def shown(place: Path, *, runs: int = 8) -> list[Figure]:
    """Merge requests one after the other, each run to its end."""
    with FakeGitLab(place / "gitlab") as gitlab:
        project = gitlab.project("bench/shown", protected=False)
        gitlab.push(project, "main", {"reana.yaml": SPECIFICATION})
        with serving.served(place, extra=_settings(gitlab)) as server:
            gitlab.hook(project, f"http://127.0.0.1:{server.port}/webhooks/lab", token=SECRET)
            gitlab.latency = ANSWER_SECONDS
            gitlab.forget_requests()
            for number in range(runs):
                gitlab.push(project, f"b{number}", {"x": str(number)})
                gitlab.open(project, f"b{number}")
                notes = "SELECT count(*) FROM outbox WHERE kind = 'note' AND posted_version > 0"
                wait(server, notes, number + 1, 60)
            settled = "SELECT count(*) = 0 FROM outbox WHERE due_at IS NOT NULL"
            wait(server, settled, 1, 60)
            ended = dict(ask(server, "SELECT sha, backend_ended_at FROM runs"))
        writes, reads = len(gitlab.writes()) / runs, len(gitlab.reads()) / runs
        final = {row.sha: row.finished_at or 0.0 for row in project.statuses}
        noted = {each.sha: note for each in project.merge_requests.values() for note in each.notes.values()}
    both = [max(final[sha], noted[sha].updated_at) - ended[sha] for sha in noted]
    median = statistics.median(both)
    return [
        Figure("end of run to status and note on GitLab, median", f"{median:.3f} s", "below 1 s", median < 1),
        Figure("writes to GitLab a run", f"{writes:.1f}", "at most 4", writes <= 4),
        Figure("API reads from GitLab a run", f"{reads:.1f}", "at most 3", reads <= 3.2),
    ]
