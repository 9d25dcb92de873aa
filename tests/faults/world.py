"""A bridge of real processes on real git repositories, to be killed, and what must hold afterwards."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from reana_bridge.forges import gitnotes
from reana_bridge.model.runs import FINAL, RunState
from reana_bridge.store.database import Database
from reana_bridge.store.tables import Decision, Delivery, OutboxRow, Run
from tests import processes
from tests.forges.conftest import Repository
from webhooks.events import Push, Tag
from webhooks.git import body
from webhooks.signatures import signed_headers

SECRET = "s3cret"
PATIENCE = 120.0
DELIVERY: Any = Delivery
RUN: Any = Run
OUTBOX: Any = OutboxRow


def settings(root: Path, url: str, *, host: str, sandbox: str, concurrency: int, more: str = "") -> str:
    """A settings file: everything that hosts share lies in `root`, the rest in `root/host`."""
    return f"""
[server]
name = "{host}"
port = 0
log_format = "json"
drain_seconds = 5
metrics_public = true
[database]
url = "{url}"
[storage]
artifacts = "{root}/artifacts"
secrets = "{root}/secrets"
runs = "{root}/{host}/runs"
repositories = "{root}/{host}/repositories"
environments = "{root}/{host}/environments"
minimum_free = 1000
[forges.local]
kind = "git"
root = "{root}/forge"
webhook_secrets = ["{SECRET}"]
[backends.local]
kind = "local"
sandbox = "{sandbox}"
concurrency = {concurrency}
[[projects]]
match = "local:*"
{more}
"""


class Server:
    """One `reana-bridge serve`."""

    def __init__(self, config: Path, log: Path, *, crash: str = "") -> None:
        self.log = log
        self._from = log.stat().st_size if log.exists() else 0
        command = ["serve", "--config", str(config)]
        environment = os.environ | {"REANA_BRIDGE_CRASH": crash}
        with log.open("ab") as output:
            self.process = processes.start(command, output=output, errors=output, env=environment)
        self.port = 0

    def ready(self) -> "Server":
        """Wait until it listens (or died)."""
        deadline = time.monotonic() + PATIENCE
        while not self.port and self.alive:
            assert time.monotonic() < deadline, self.output()
            for line in self.output().splitlines():
                if '"serve.listening"' in line:
                    self.port = int(json.loads(line)["url"].rpartition(":")[2])
            time.sleep(0.02)
        while self.alive:
            assert time.monotonic() < deadline, self.output()
            if self.ask("GET", "/readyz")[0] == 200:
                break
            time.sleep(0.02)
        assert self.process.returncode in (None, -signal.SIGKILL), self.output()
        return self

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        with self.log.open("rb") as file:
            file.seek(self._from)
            return file.read().decode("utf-8", "replace")

    def ask(
        self, method: str, path: str, data: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body; status 0 where nobody answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, data, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def deliver(self, data: bytes, id: str) -> int:
        """The answer to one signed delivery; 0 where there was none."""
        signed = signed_headers(secret=SECRET, delivery=id, timestamp=int(time.time()), body=data)
        return self.ask("POST", "/webhooks/local", data, signed | {"content-type": "application/json"})[0]

    def kill(self) -> None:
        """As `kill -9`."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Gracefully, then not."""
        if self.alive:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


WORKFLOW = """
workflow:
  type: serial
  specification:
    steps:
    - name: count
      environment: none
      commands:
      - echo $$REANA_BRIDGE_RUN_ID >> {counter}
      - sleep {seconds}
      - |
        mkdir -p results && echo '{{"a": 1.5}}' > results/metrics.json
outputs: {{directories: [results]}}
"""


@dataclass
class World:
    """A forge with one project, a database, and servers that come and go.

    The job of each run writes the run's id into a file outside of its workspace, so that what was executed
    is known whatever the database says.
    """

    root: Path
    url: str
    sandbox: str = "off"
    concurrency: int = 4
    more: str = ""
    servers: dict[str, Server] = field(default_factory=dict[str, Server])
    acknowledged: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        copies = self.root / "copies"
        copies.mkdir(parents=True)
        self.repository = Repository(self.root / "forge/demo/x.git", copies / "x")
        self.database = Database(self.url)
        self._guard = threading.Lock()

    # -- the forge --

    def commit(self, name: str, *, seconds: float = 0.1, text: str | None = None) -> str:
        """A commit that counts its executions, pushed to the branch that is checked out."""
        counted = WORKFLOW.format(counter=self.root / "executed", seconds=seconds)
        content = counted if text is None else text
        return self.repository.commit({"reana.yaml": content.encode(), "name": name.encode()})

    def branch(self, name: str, *, seconds: float = 0.1, text: str | None = None) -> Push:
        """A new branch off `main` with one commit; the event that tells of it."""
        self.repository.git("checkout", "--quiet", "-B", name, "main")
        sha = self.commit(name, seconds=seconds, text=text)
        return self.moved(name, None, sha)

    def moved(self, branch: str, before: str | None, after: str | None) -> Push:
        ref = f"refs/heads/{branch}"
        return Push(project="demo/x", ref=ref, before=before, after=after, default_branch="main")

    def note(self, sha: str) -> str:
        return gitnotes.read(self.repository.bare, sha) or ""

    # -- the servers --

    def start(self, host: str = "one", *, crash: str = "") -> Server:
        config = self.root / f"{host}.toml"
        if not config.exists():
            config.write_text(
                settings(
                    self.root,
                    self.url,
                    host=host,
                    sandbox=self.sandbox,
                    concurrency=self.concurrency,
                    more=self.more,
                )
            )
        self.servers[host] = Server(config, self.root / f"{host}.log", crash=crash)
        return self.servers[host].ready()

    def close(self) -> None:
        for server in self.servers.values():
            server.stop()
        self.database.close()

    def tell(self, event: Push | Tag, *, times: int = 1, host: str | None = None, id: str = "") -> None:
        """Deliver until a server acknowledges it, as a forge that repeats does."""
        id = id or uuid4().hex
        data = body(event)
        for _ in range(times):
            self.until(lambda: self._acknowledged(data, id, host), f"the delivery {id} was never taken")
        with self._guard:
            self.acknowledged.append(id)

    def _acknowledged(self, data: bytes, id: str, host: str | None) -> bool:
        servers = list(self.servers.items())
        first = sum(id.encode()) % max(1, len(servers))  # as a load balancer spreads them; none may be up yet
        for name, server in [*servers[first:], *servers[:first]]:
            if host in (None, name) and server.alive and server.deliver(data, id) in (200, 202):
                return True
        return False

    # -- what must hold --

    def until(self, condition: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{otherwise}\n{self._logs()}")
            time.sleep(0.05)

    def _logs(self) -> str:
        return "\n".join(f"== {log.name}\n{log.read_text()[-6000:]}" for log in self.root.glob("*.log"))

    def settle(self) -> None:
        """Wait until nothing is left to do."""
        self.until(lambda: not self.pending(), "it never came to rest: " + str(self.pending()))

    def pending(self) -> dict[str, int]:
        """What is left to do."""
        left = {
            "deliveries": select(func.count()).where(DELIVERY.decided_at.is_(None)),
            "runs": select(func.count()).where(RUN.state.not_in(FINAL)),
            "reports": select(func.count()).where(OUTBOX.posted_version < OUTBOX.wanted_version),
        }
        with self.database.read() as session:
            counts = {name: session.execute(query).scalar_one() for name, query in left.items()}
        return {name: count for name, count in counts.items() if count}

    def runs(self) -> list[Run]:
        with self.database.read() as session:
            return list(session.execute(select(Run).order_by(RUN.queued_at)).scalars())

    def executed(self) -> Counter[str]:
        path = self.root / "executed"
        return Counter(path.read_text().split() if path.exists() else [])

    def check(self) -> None:
        """Every promise that can be seen from outside, once all has come to rest."""
        with self.database.read() as session:
            deliveries = list(session.execute(select(Delivery)).scalars())
            decisions = list(session.execute(select(Decision)).scalars())
        stored = {row.key: row.id for row in deliveries}
        assert set(self.acknowledged) <= stored.keys(), "an acknowledged delivery was lost"
        decided = Counter(decision.delivery_id for decision in decisions)
        assert decided == Counter(stored.values()), "each delivery has one decision"
        assert [d.reason for d in decisions if d.outcome == "error"] == []
        executed, runs = self.executed(), self.runs()
        assert not {run: n for run, n in executed.items() if n > 1}, "a run was executed twice"
        for run in runs:
            if run.state == RunState.CANCELLED:
                continue
            assert (run.state, run.run_attempt, executed[run.id]) == (RunState.FINISHED, 1, 1), run.failure
        newest = {(run.sha, run.analysis): run for run in runs}
        finished = Counter((run.sha, run.analysis) for run in runs if run.state != RunState.CANCELLED)
        assert not [key for key, count in finished.items() if count > 1], "a commit has two results"
        for (sha, analysis), run in newest.items():
            self._check_note(sha, analysis, run)
        assert sorted(self._noted()) == sorted({sha for sha, _ in newest})

    def _check_note(self, sha: str, analysis: str, run: Run) -> None:
        state = {RunState.FINISHED: "success", RunState.CANCELLED: "cancelled"}[run.state]
        note = self.note(sha)
        lines = [line for line in note.splitlines() if line.startswith(f"reana/{analysis}: ")]
        assert len(lines) == 1, note
        assert lines[0].startswith(f"reana/{analysis}: {state} - "), note
        assert f"/runs/{run.id}?key=" in lines[0], note
        assert note.count(f"**reana/{analysis}: ") == 1, note

    def _noted(self) -> list[str]:
        listed = self.repository.git("ls-remote", "origin", gitnotes.REF)
        if not listed:
            return []
        self.repository.git("fetch", "--quiet", "origin", f"+{gitnotes.REF}:{gitnotes.REF}")
        lines = self.repository.git("notes", f"--ref={gitnotes.REF}", "list").splitlines()
        return [line.split()[1] for line in lines]
