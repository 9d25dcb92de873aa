"""A push tells the bridge, and never fails because of it."""

import ast
import http.server
import json
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reana_bridge.forges import git_hook, post_receive
from reana_bridge.forges.git_hook import HookRefused
from tests.forges.conftest import IDENTITY, Repository, git
from webhooks import git as deliveries
from webhooks.events import Push, Tag

SECRET = "whsec_" + "QUJD" * 10
DEAD = "http://127.0.0.1:9/webhooks/local"


class Bridge(http.server.ThreadingHTTPServer):
    """Takes deliveries, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 202
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/webhooks/local"

    def events(self) -> list[object]:
        found: list[object] = []
        for headers, body in self.received:
            deliveries.verify(headers, body, secrets=[SECRET], now=float(headers["webhook-timestamp"]))
            found.append(deliveries.parse(headers, body))
        return found

    def identities(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.received]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Bridge

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    server = Bridge()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def push(repository: Repository, *arguments: str) -> list[str]:
    """What the person who pushes sees of the hook; the push itself has to work."""
    environment = os.environ | IDENTITY | {"GL_USERNAME": "jane", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["git", "push", "origin", *(arguments or ["HEAD"])],
        cwd=repository.copy,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    lines = done.stderr.decode().splitlines()
    ours = [line for line in lines if line.startswith("remote: ") and "reana-bridge" in line]
    return [line.removeprefix("remote: ").rstrip() for line in ours]


def connect(repository: Repository, url: str, secret: str = SECRET) -> list[str]:
    return git_hook.install(repository.bare, url=url, project="group/name", secret=secret)


def commit(repository: Repository, message: str = "Change") -> str:
    return repository.commit({}, message, push=False)


def test_a_push_is_one_signed_delivery_a_ref(repository: Repository, bridge: Bridge):
    connect(repository, bridge.url)
    first = commit(repository, "Cut härder\n\nBecause.")
    page = bridge.url.replace("/webhooks/local", "/projects/local/group/name")
    assert push(repository) == [f"reana-bridge: main: run accepted, see {page}"]
    repository.git("tag", "-a", "v1", "-m", "x")
    second = commit(repository)
    assert len(push(repository, "HEAD", "v1", "HEAD:refs/heads/topic", "HEAD:refs/notes/reana-bridge")) == 3
    assert push(repository, "--delete", "topic") == [f"reana-bridge: topic: deletion noted, see {page}"]
    common = {"project": "group/name", "actor": "jane"}
    new = {**common, "message": "Change", "default_branch": "main"}
    events = bridge.events()
    assert events[0] == Push(
        **{**new, "message": "Cut härder\n\nBecause."}, ref="refs/heads/main", before=None, after=first
    )
    assert sorted(map(str, events[1:4])) == sorted(
        map(
            str,
            [
                Push(**new, ref="refs/heads/main", before=first, after=second),
                Push(**new, ref="refs/heads/topic", before=None, after=second),
                Tag(**common, ref="refs/tags/v1", sha=first, message="Cut härder\n\nBecause."),
            ],
        )
    )
    assert events[4] == Push(**{**new, "message": ""}, ref="refs/heads/topic", before=second, after=None)
    assert len(set(bridge.identities())) == 5


def test_nothing_is_sent_for_notes_and_other_refs(repository: Repository, bridge: Bridge):
    connect(repository, bridge.url)
    commit(repository)
    assert push(repository, "HEAD:refs/notes/reana-bridge", "HEAD:refs/other/x") == []
    assert bridge.received == []


def test_what_was_not_delivered_goes_out_with_the_next_push(repository: Repository, bridge: Bridge):
    connect(repository, DEAD)
    shas = [commit(repository)]
    [line] = push(repository)
    assert line.startswith("reana-bridge: main: not reachable now (")
    assert line.endswith("; the push is safe, it will be picked up later")
    bridge.status = 503
    connect(repository, bridge.url)
    shas.append(commit(repository))
    [line] = push(repository)
    assert "not reachable now (the bridge answered 503)" in line
    [kept] = bridge.identities()
    assert git_hook.inspect(repository.bare).waiting == 2
    bridge.status = 202
    bridge.received.clear()
    shas.append(commit(repository))
    push(repository)
    assert [event.after for event in bridge.events() if isinstance(event, Push)] == shas
    assert bridge.identities()[0] == kept
    assert git_hook.inspect(repository.bare).waiting == 0


@pytest.mark.parametrize(
    ("status", "waiting", "shown"),
    [
        (200, 0, "run accepted"),
        (302, 1, "the bridge answered 302"),
        (400, 0, "not delivered (the bridge answered 400)"),
        (401, 1, "it has another secret"),
        (413, 0, "not delivered (the bridge answered 413)"),
        (429, 1, "not reachable now"),
        (500, 1, "not reachable now"),
    ],
)
def test_answers(repository: Repository, bridge: Bridge, status: int, waiting: int, shown: str):
    bridge.status = status
    connect(repository, bridge.url)
    commit(repository)
    [line] = push(repository)
    assert shown in line
    assert git_hook.inspect(repository.bare).waiting == waiting


def test_the_spool_is_bounded(repository: Repository):
    connect(repository, DEAD)
    spool = repository.bare / post_receive.SPOOL
    spool.mkdir()
    for number in range(post_receive.SPOOLED + 5):
        (spool / f"{number:020d}-x.json").write_text(json.dumps({"id": str(number), "body": "{}"}))
    commit(repository)
    push(repository)
    names = sorted(path.name for path in spool.iterdir())
    assert len(names) == post_receive.SPOOLED
    assert names[0].startswith(f"{6:020d}")


def test_a_damaged_spool_file_is_dropped_with_a_word(repository: Repository, bridge: Bridge):
    connect(repository, bridge.url)
    spool = repository.bare / post_receive.SPOOL
    spool.mkdir()
    (spool / "1.json").write_text("{")
    commit(repository)
    assert [line.split(" ")[1] for line in push(repository)] == ["dropped", "main:"]
    assert list(spool.iterdir()) == []


def test_a_bridge_that_says_nothing(repository: Repository, monkeypatch):
    with http.server.socketserver.TCPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as silent:
        connect(repository, f"http://127.0.0.1:{silent.server_address[1]}/webhooks/local")
        place = repository.bare / "hooks" / "post-receive"
        place.write_text(place.read_text().replace("BUDGET = 10.0", "BUDGET = 0.5"))
        commit(repository)
        [line] = push(repository)
    assert "not reachable now (" in line
    assert git_hook.inspect(repository.bare).waiting == 1


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"url": 1, "project": 2, "secret": "whsec_?"}'])
def test_a_push_works_without_a_usable_configuration(repository: Repository, content: str | None):
    connect(repository, DEAD)
    path = repository.bare / post_receive.CONFIGURATION
    path.unlink()
    if content is not None:
        path.write_text(content)
    commit(repository)
    [line] = push(repository)
    assert "not told of this push" in line
    assert git_hook.inspect(repository.bare).problems


def test_names_cannot_write_to_the_pushers_terminal(repository: Repository, bridge: Bridge):
    connect(repository, bridge.url)
    commit(repository)
    [line] = push(repository, "HEAD:refs/heads/\u202eevil\u009b31m")
    assert "\\u202eevil\\x9b31m: run accepted" in line


def test_install_again_changes_nothing_and_repairs(repository: Repository):
    messages = connect(repository, DEAD)
    assert [message.split()[0] for message in messages] == ["wrote", "wrote"]
    assert connect(repository, DEAD) == ["nothing to do: the hook is in place"]
    place = repository.bare / "hooks" / "post-receive"
    place.chmod(0o644)
    assert "not executable" in " ".join(git_hook.inspect(repository.bare).problems)
    assert connect(repository, DEAD) == [f"wrote {place}"]
    place.write_bytes(place.read_bytes() + b"# old\n")
    assert "older" in " ".join(git_hook.inspect(repository.bare).problems)
    assert connect(repository, DEAD) == [f"wrote {place}"]
    assert len(connect(repository, DEAD, secret="another")) == 1
    state = git_hook.inspect(repository.bare)
    assert (state.installed, state.url, state.project, state.problems) == (True, DEAD, "group/name", ())


def test_the_secret_is_for_the_owner_alone(repository: Repository):
    connect(repository, DEAD)
    path = repository.bare / post_receive.CONFIGURATION
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SECRET not in repr(git_hook.inspect(repository.bare))
    path.chmod(0o644)
    assert "others can read it" in " ".join(git_hook.inspect(repository.bare).problems)
    connect(repository, DEAD)
    assert git_hook.inspect(repository.bare).problems == ()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give a repository to another user")
def test_the_owner_of_the_repository_owns_the_files(repository: Repository):
    for path in [repository.bare, *repository.bare.rglob("*")]:
        os.chown(path, 12345, 12346)
    connect(repository, DEAD)
    made = [repository.bare / post_receive.CONFIGURATION, repository.bare / "hooks" / "post-receive"]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(12345, 12346)}


def write_hook(repository: Repository, text: str, name: str = "post-receive") -> Path:
    path = repository.bare / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_hook_that_was_there_runs_first_and_comes_back(
    repository: Repository, bridge: Bridge, tmp_path: Path
):
    text = f"#!/bin/sh\ncat > {tmp_path}/seen\necho reana-bridge-test $(dirname $0)\nexit 3\n"
    place = write_hook(repository, text)
    messages = connect(repository, bridge.url)
    assert "is run first" in messages[0]
    assert connect(repository, bridge.url) == ["nothing to do: the hook is in place"]
    sha = commit(repository)
    lines = push(repository)
    assert lines[0] == "reana-bridge-test ./hooks" or lines[0].endswith("/hooks")
    assert "run accepted" in lines[1]
    assert (tmp_path / "seen").read_text() == f"{'0' * 40} {sha} refs/heads/main\n"
    git_hook.remove(repository.bare)
    assert (place.read_text(), stat.S_IMODE(place.stat().st_mode)) == (text, 0o755)
    assert git_hook.remove(repository.bare) == ["nothing to do: the hook is not installed"]


def test_a_hook_that_is_a_link_comes_back_as_one(repository: Repository, tmp_path: Path):
    (tmp_path / "shared").write_text("#!/bin/sh\n")
    place = repository.bare / "hooks" / "post-receive"
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(tmp_path / "shared")
    connect(repository, DEAD)
    assert not place.is_symlink()
    git_hook.remove(repository.bare)
    assert place.readlink() == tmp_path / "shared"
    assert (tmp_path / "shared").read_text() == "#!/bin/sh\n"


def test_a_hook_that_runs_others_gets_one_more(repository: Repository, bridge: Bridge):
    text = "#!/bin/sh\ndata=$(cat)\n"
    text += 'for hook in "$GIT_DIR"/hooks/post-receive.d/*; do echo "$data" | "$hook"; done\n'
    place = write_hook(repository, text)
    connect(repository, bridge.url)
    assert place.read_text() == text
    commit(repository)
    [line] = push(repository)
    assert "run accepted" in line
    assert git_hook.inspect(repository.bare).installed
    git_hook.remove(repository.bare)
    assert not git_hook.inspect(repository.bare).installed


def test_two_other_hooks_are_left_alone(repository: Repository):
    write_hook(repository, "#!/bin/sh\n# one\n")
    write_hook(repository, "#!/bin/sh\n# two\n", post_receive.CHAINED)
    with pytest.raises(HookRefused, match="join them into one"):
        connect(repository, DEAD)
    assert (repository.bare / "hooks" / "post-receive").read_text() == "#!/bin/sh\n# one\n"


def test_remove_takes_everything_away(repository: Repository):
    (repository.bare / "hooks").mkdir()
    before = sorted(path.name for path in repository.bare.iterdir())
    connect(repository, DEAD)
    commit(repository)
    push(repository)
    git_hook.remove(repository.bare)
    assert sorted(path.name for path in repository.bare.iterdir()) == before
    assert git_hook.inspect(repository.bare).installed is False


@pytest.mark.parametrize(
    ("url", "secret", "reason"),
    [
        ("bridge.example.org/webhooks/x", SECRET, "not a webhook address"),
        ("ftp://bridge.example.org/webhooks/x", SECRET, "not a webhook address"),
        ("https://bridge.example.org/", SECRET, "not a webhook address"),
        ("https://user:word@bridge.example.org/webhooks/x", SECRET, "no user"),
        (DEAD, "", "is empty"),
        (DEAD, "whsec_?", "not base64"),
    ],
)
def test_wrong_arguments(repository: Repository, url: str, secret: str, reason: str):
    with pytest.raises(HookRefused) as refusal:
        connect(repository, url, secret)
    assert reason in str(refusal.value)
    assert not (repository.bare / post_receive.CONFIGURATION).exists()


@pytest.mark.parametrize("host", ["bridge.example.org", "192.0.2.1", "0.0.0.0"])
def test_plain_http_to_another_machine_warns(repository: Repository, host: str):
    assert "plain http" in connect(repository, f"http://{host}/webhooks/x")[-1]
    assert "plain http" in git_hook.inspect(repository.bare).problems[-1]


@pytest.mark.parametrize(
    "url", ["http://localhost:1/webhooks/x", "http://[::1]/webhooks/x", "https://h/webhooks/x"]
)
def test_no_warning(repository: Repository, url: str):
    assert not any("plain http" in message for message in connect(repository, url))


def test_places_that_are_no_bare_repository(repository: Repository, tmp_path: Path):
    for path in (tmp_path / "nothing", tmp_path, repository.copy / ".git"):
        with pytest.raises(HookRefused, match="is not a"):
            git_hook.install(path, url=DEAD, project="x", secret=SECRET)
        assert git_hook.inspect(path).installed is False
    git(repository.bare, "config", "core.hooksPath", "/etc/hooks")
    with pytest.raises(HookRefused, match=r"/etc/hooks \(core\.hooksPath\)"):
        connect(repository, DEAD)


def test_the_script_is_for_old_pythons_too():
    ast.parse(Path(post_receive.__file__).read_text(), feature_version=(3, 8))
