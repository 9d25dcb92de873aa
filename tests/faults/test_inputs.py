"""Hostile project files and outputs the whole way: a clear verdict on each commit, and a server unharmed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.world import World
from tests.postgres import Postgres, PostgresUnavailable

STEP = "    - environment: none\n      commands: [{}]\n"
HEAD = "workflow:\n  type: serial\n  specification:\n    steps:\n"
GOOD = HEAD + STEP.format("'true'")
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


def leaves(command: str, outputs: str = "results") -> str:
    """A workflow whose one command leaves outputs."""
    return HEAD + STEP.format(f'"mkdir -p results && {command}"') + f"outputs: {{directories: [{outputs}]}}\n"


# name: (files, the status that the note has, what it says)
CASES: dict[str, tuple[dict[str, bytes], str, str]] = {
    "aliases that grow": ({"reana.yaml": (BOMB + GOOD).encode()}, "failure", "alias"),
    "aliases in our own file": (
        {"reana.yaml": GOOD.encode(), ".reana-bridge.yaml": BOMB.encode()},
        "failure",
        "alias",
    ),
    "an alias of itself": ({"reana.yaml": b"inputs: &a {x: *a}\n" + GOOD.encode()}, "failure", "part of"),
    "nested deeply": ({"reana.yaml": b"inputs: " + b"[" * 100_000}, "failure", "deep"),
    "the same key twice": ({"reana.yaml": (GOOD + "workflow: {}\n").encode()}, "failure", "twice"),
    "ten thousand steps": (
        {"reana.yaml": (HEAD + STEP.format("'true'") * 10_000).encode()},
        "failure",
        "50000 values",
    ),
    "an unknown type": ({"reana.yaml": b"workflow: {type: magic, file: x}\n"}, "failure", "magic"),
    "a parameter that is not there": (
        {"reana.yaml": (HEAD + STEP.format("'echo ${absent}'")).encode()},
        "failure",
        "absent",
    ),
    "outputs outside": ({"reana.yaml": leaves("true", "../../secrets").encode()}, "failure", "../../secrets"),
    "not text": ({"reana.yaml": b"workflow: \xff\xfe\x00\n"}, "failure", "UTF-8"),
    "a Python object": (
        {"reana.yaml": b"workflow: !!python/object/apply:os.system [id]\n"},
        "failure",
        "python",
    ),
    "a link to a file of the host": (
        {"reana.yaml": leaves("ln -s /etc/passwd results/stolen").encode()},
        "success",
        "results/stolen",
    ),
    "a link to our own files": (
        {"reana.yaml": leaves("ln -s ../../../../../secrets results/stolen").encode()},
        "success",
        "results/stolen",
    ),
    "a FIFO": ({"reana.yaml": leaves("mkfifo results/pipe").encode()}, "success", "results/pipe"),
    "a name with a new line": (
        {
            "reana.yaml": leaves(
                "mkdir 'results/a\\nreana' && touch 'results/a\\nreana/analysis: success'"
            ).encode()
        },
        "success",
        "",
    ),
    "metrics that are none": (
        {"reana.yaml": leaves("head -c 100000 /dev/urandom > results/metrics.json").encode()},
        "success",
        "results/metrics.json",
    ),
    "a job that fails": ({"reana.yaml": leaves("exit 3").encode()}, "failure", "3"),
}


@pytest.fixture(scope="module")
def judged(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[tuple[World, dict[str, str]]]:
    """A server after all cases, and the commit of each."""
    place = tmp_path_factory.mktemp("inputs")
    shutil.copy(sqlite_template, place / "bridge.db")
    world = World(place / "world", f"sqlite:///{place}/bridge.db")
    world.start()
    world.tell(world.moved("main", None, world.commit("main")))
    commits: dict[str, str] = {}
    for number, (name, (files, _, _)) in enumerate(CASES.items()):
        world.repository.git("checkout", "--quiet", "-B", f"case-{number}", "main")
        commits[name] = world.repository.commit(files, message=name)
        world.tell(world.moved(f"case-{number}", None, commits[name]))
    world.settle()
    yield world, commits
    world.close()


@pytest.mark.parametrize("name", CASES)
def test_each_gets_a_clear_verdict(judged: tuple[World, dict[str, str]], name: str) -> None:
    world, commits = judged
    _, state, says = CASES[name]
    note = world.note(commits[name])
    first, *rest = note.splitlines()
    assert first.startswith(f"reana/analysis: {state} - ") or first.startswith(
        f"reana/configuration: {state} - "
    )
    assert not [line for line in rest if line.startswith("reana/")], "more than one status"
    assert says in note
    assert "root:" not in note
    assert "Traceback" not in note


def test_nothing_of_the_host_is_kept(judged: tuple[World, dict[str, str]]) -> None:
    world, _ = judged
    kept = [path.read_bytes() for path in (world.root / "artifacts").rglob("*") if path.is_file()]
    secrets = [path.read_bytes() for path in (world.root / "secrets").iterdir()]
    for content in [Path("/etc/passwd").read_bytes(), *secrets]:
        assert content not in kept


def test_the_server_is_unharmed(judged: tuple[World, dict[str, str]]) -> None:
    world, _ = judged
    (server,) = world.servers.values()
    assert [server.ask("GET", path)[0] for path in ("/healthz", "/readyz")] == [200, 200]
    assert '"step.failed"' not in server.output()
    event = world.branch("after")
    world.tell(event)
    world.settle()
    assert world.note(str(event.after)).startswith("reana/analysis: success - ")


def test_a_database_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    try:
        postgres = Postgres.start(shared=False)
    except PostgresUnavailable as unavailable:
        pytest.skip(str(unavailable))
    world = World(tmp_path / "world", postgres.upgraded())
    try:
        world.start()
        told = [world.moved("main", None, world.commit("main"))]
        told += [world.branch(f"b{number}", seconds=0.2 * number) for number in range(6)]
        for event in told[:4]:
            world.tell(event)
        (server,) = world.servers.values()
        postgres.interrupt()
        unanswered = server.deliver(b"{}", "while-it-is-away")
        postgres.resume()
        assert unanswered == 503
        for event in told[4:]:
            world.tell(event)
        world.settle()
        world.check()
        assert server.alive
        assert server.ask("GET", "/readyz")[0] == 200
    finally:
        world.close()
        postgres.stop()
