"""From a delivery to a started job, from its end to the report, the bridge's own cost, and a long queue."""

import os
import sqlite3
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

from reana_bridge.model.orders import Order, OrderKind
from reana_bridge.store.database import Database
from reana_bridge.store.inbox import Inbox, Incoming
from tests.benchmarks import serving
from tests.benchmarks.table import Figure
from webhooks import git, signatures
from webhooks.events import Push

SPECIFICATION = """\
inputs: {parameters: {n: 0}}
workflow:
  type: serial
  specification:
    steps:
      - name: only
        environment: "python:3.11"
        commands:
          - mkdir -p results
          - "echo '{\\"n\\": ${n}}' > results/metrics.json"
outputs: {files: [results/metrics.json]}
"""
_WHO = {f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def _git(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True, env={**os.environ, **_WHO}
    )
    return done.stdout.strip()


def _repository(server: serving.Served) -> Path:
    bare, copy = server.place / "git" / "group" / "name.git", server.place / "copy"
    bare.mkdir(parents=True)
    _git("init", "-q", "--bare", "-b", "main", cwd=bare)
    copy.mkdir()
    _git("init", "-q", "-b", "main", cwd=copy)
    _git("remote", "add", "origin", str(bare), cwd=copy)
    (copy / "reana.yaml").write_text(SPECIFICATION)
    return copy


def _deliver(server: serving.Served, before: str | None, after: str) -> None:
    body = git.body(Push(project="group/name", ref="refs/heads/main", before=before, after=after))
    headers = signatures.signed_headers(
        secret=server.secret, delivery=f"bench-{after}", timestamp=int(time.time()), body=body
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/webhooks/local",
        body,
        {**headers, "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 202


def ask(server: serving.Served, query: str) -> list[tuple]:
    """The rows that the server's database answers `query` with."""
    with sqlite3.connect(f"file:{server.place}/bridge.db?mode=ro", uri=True) as connection:
        return connection.execute(query).fetchall()


def wait(server: serving.Served, query: str, count: int, seconds: float) -> None:
    """Until the first value that `query` gives is at least `count`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ask(server, query)[0][0] >= count:
            return
        time.sleep(0.02)
    raise RuntimeError(f"not within {seconds} s: {query}")


def latency(place: Path, *, pushes: int = 20) -> list[Figure]:
    """Pushes one after the other."""
    with serving.served(place) as server:
        copy = _repository(server)
        before = None
        for turn in range(pushes):
            (copy / "turn").write_text(str(turn))
            _git("add", "--all", cwd=copy)
            _git("commit", "-qm", f"turn {turn}", cwd=copy)
            _git("push", "-q", "origin", "main", cwd=copy)
            after = _git("rev-parse", "HEAD", cwd=copy)
            _deliver(server, before, after)
            before = after
            wait(server, "SELECT count(*) FROM runs WHERE ended_at IS NOT NULL", turn + 1, 30)
        notes = "SELECT count(*) FROM outbox WHERE wanted_version = posted_version"
        wait(server, notes, 2 * pushes, 30)
        rows = ask(server, "SELECT pushed_at, started_at, backend_ended_at, ended_at, sha FROM runs")
        shown = dict(ask(server, "SELECT sha, max(posted_at) FROM outbox GROUP BY sha"))
    script = place / "script.sh"
    script.write_text("bash -c 'mkdir -p results'\nbash -c 'echo \"{}\" > results/metrics.json'\n")
    begun = time.monotonic()
    for _ in range(10):
        subprocess.run(["bash", str(script)], cwd=place, check=True)
    plain = (time.monotonic() - begun) / 10
    start = statistics.median(r[1] - r[0] for r in rows)
    stored = statistics.median(r[3] - r[2] for r in rows)
    posted = statistics.median(shown[r[4]] - r[2] for r in rows)
    added = statistics.median(r[3] - r[1] for r in rows) - plain
    whole = statistics.median(r[3] - r[0] for r in rows) - plain
    return [
        Figure("delivery to started job, median", f"{start:.3f} s", "below 0.3 s", start < 0.3),
        Figure("end of workflow to stored report, median", f"{stored:.3f} s", "below 0.5 s", stored < 0.5),
        Figure("end of workflow to shown on the forge, median", f"{posted:.3f} s", ""),
        Figure("own cost of a run beside a shell script", f"{added:.3f} s", "below 0.3 s", added < 0.3),
        Figure("the same, from the delivery on", f"{whole:.3f} s", ""),
    ]


def queue(place: Path, *, count: int = 1000) -> list[Figure]:
    """A thousand queued runs of one commit, told apart by a parameter."""
    with serving.served(place) as server:
        copy = _repository(server)
        _git("add", "--all", cwd=copy)
        _git("commit", "-qm", "one", cwd=copy)
        _git("push", "-q", "origin", "main", cwd=copy)
        sha = _git("rev-parse", "HEAD", cwd=copy)
        begun = time.monotonic()
        _order(server, sha, count)
        ended = "SELECT count(*) FROM runs WHERE ended_at IS NOT NULL"
        wait(server, ended, count // 10, 600)
        early = serving.memory(server.process.pid)
        wait(server, f"{ended} AND parameters_digest != ''", count, 1200)
        took = time.monotonic() - begun
        late = serving.memory(server.process.pid)
        # The reconciler may find the pushed head meanwhile, and rightly runs it: that one has no parameters.
        ordered = "FROM runs WHERE parameters_digest != ''"
        finished = ask(server, f"SELECT count(*) {ordered} AND state = 'finished'")[0][0]
        whole = ask(server, "SELECT count(*) FROM runs")[0][0]
        places = len(
            [entry for entry in os.scandir(place / "runs" / "local") if entry.name.startswith("rb-")]
        )
        values = len(ask(server, "SELECT DISTINCT value FROM metrics"))
    good = finished == count and places == whole and values == count
    return [
        Figure(
            f"{count} queued runs",
            f"{finished} finished, {places - whole} executed twice",
            "all, none twice",
            good,
        ),
        Figure("their rate", f"{count / took:.1f} /s", ""),
        Figure(
            "memory after a tenth, and after all", f"{early:.0f}, {late:.0f} MiB", "flat", late < early * 1.25
        ),
    ]


def _order(server: serving.Served, sha: str, count: int) -> None:
    database = Database(f"sqlite:///{server.place}/bridge.db")
    inbox = Inbox(database)
    inbox.start()
    for number in range(count):
        order = Order(kind=OrderKind.MANUAL, project="group/name", sha=sha, parameters={"n": number})
        incoming = Incoming(forge="local", delivery_id=f"order-{number}", body=order.body(), kind="order")
        inbox.put_blocking(incoming)
    inbox.stop()
    database.close()


def idle(place: Path) -> list[Figure]:
    """Start, then ten seconds of nothing."""
    with serving.served(place):
        pass
    again = place / "again"
    again.mkdir()
    with serving.served(again) as server:
        time.sleep(3)
        before = serving.cpu_seconds(server.process.pid)
        time.sleep(10)
        used = (serving.cpu_seconds(server.process.pid) - before) / 10
        resident = serving.memory(server.process.pid)
        started = server.started_in
    return [
        Figure("start to ready, an empty database made", f"{started:.2f} s", "below 2 s", started < 2),
        Figure("idle memory", f"{resident:.0f} MiB", "below 120 MB", resident * 1.048576 < 120),
        Figure("idle processor", f"{used:.2%}", "below 1 %", used < 0.01),
    ]
