"""The door of hooks that `connect` made: their own secret, their own project, nothing else."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import func, select
from starlette.types import ASGIApp

from reana_bridge.steps.bridge import Bridge
from reana_bridge.store import hooks
from reana_bridge.store.hooks import ROTATION_SECONDS, KnownHooks, hook_secret, valid_secrets
from reana_bridge.store.tables import Delivery, Hook
from reana_bridge.web.app import make_app
from tests.web.test_door import knock, signed
from tests.web.world import KEY, SECRET, make_bridge
from webhooks.signatures import key

ID = "0123456789abcdefghjkmnpqrs"
PATH = f"/webhooks/local/{ID}"
PING = b'{"project": "physics/ttbar", "ping": true}'


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    bridge = make_bridge(tmp_path_factory.mktemp("hooks"))
    bridge.inbox.start()
    yield bridge
    bridge.close()


@pytest.fixture(scope="module")
def app(bridge: Bridge) -> ASGIApp:
    return make_app(bridge)


@pytest.fixture(autouse=True)
async def hook(bridge: Bridge) -> AsyncIterator[Hook]:
    """A hook that was just made."""
    row = Hook(id=ID, forge="local", project="local:physics/ttbar", made_at=time.time())
    with bridge.database.transaction() as session:
        session.add(row)
    yield row
    with bridge.database.transaction() as session:
        left = session.get(Hook, ID)
        if left is not None:
            session.delete(left)
    bridge.hooks.read("local", ID)


def secret(generation: int = 1, *, forge: str = "local", hook: str = ID) -> str:
    return hook_secret(KEY, forge, hook, generation)


def count(bridge: Bridge) -> int:
    with bridge.database.read() as session:
        return session.execute(select(func.count()).select_from(Delivery)).scalar_one()


async def deliver(app: ASGIApp, body: bytes = PING, *, by: str = "", path: str = PATH) -> int:
    headers = signed(body, delivery=f"d-{time.time_ns()}", secret=by or secret())
    return (await knock(app, path, headers=headers, pieces=(body,)))[0]


async def test_its_own_secret_opens(app: ASGIApp, bridge: Bridge) -> None:
    before = count(bridge)
    assert await deliver(app) == 202
    assert count(bridge) == before + 1
    with bridge.database.read() as session:
        newest = session.execute(select(Delivery.hook).order_by(Delivery.id.desc())).scalars().first()  # type: ignore[call-overload, attr-defined]
    assert newest == ID


@pytest.mark.parametrize(
    "by",
    [
        SECRET,  # the forge's own
        secret(2),  # one that is not there yet
        secret(0),
        secret(hook="z" * 26),
        secret(forge="bare"),
    ],
)
async def test_no_other_secret_does(app: ASGIApp, bridge: Bridge, by: str) -> None:
    before = count(bridge)
    assert await deliver(app, by=by) == 401
    assert count(bridge) == before


@pytest.mark.parametrize(
    ("path", "by"),
    [
        (f"/webhooks/local/{'z' * 26}", secret(hook="z" * 26)),  # derived rightly, but nobody made it
        (f"/webhooks/bare/{ID}", secret(forge="bare")),  # of another forge
        ("/webhooks/local", secret()),  # the forge's own door
        (f"/webhooks/local/{ID}%00", secret()),
        (f"/webhooks/local/{ID.upper()}", secret()),
    ],
)
async def test_elsewhere_its_secret_is_worth_nothing(
    app: ASGIApp, bridge: Bridge, path: str, by: str
) -> None:
    before = count(bridge)
    assert await deliver(app, path=path, by=by) == 401
    assert count(bridge) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"project": "physics/ttbar", "ref": "refs/heads/x", "after": "a" * 40}, 202),
        ({"project": "Physics/TTbar", "ref": "refs/heads/x", "after": "a" * 40}, 202),
        ({"project": "open/higgs", "ref": "refs/heads/x", "after": "a" * 40}, 401),
        ({"project": "physics/ttbar/more", "ping": True}, 401),
        ({"project": "open/higgs", "ref": "refs/heads/x", "after": "a" * 40, "pad": "x" * 300_000}, 401),
        ({"project": "physics/ttbar", "ref": "refs/heads/x", "after": "a" * 40, "pad": "x" * 300_000}, 202),
        ({"nothing": "that means anything"}, 202),
    ],
)
async def test_it_speaks_for_its_own_project_only(
    app: ASGIApp, bridge: Bridge, body: dict[str, object], status: int
) -> None:
    before = count(bridge)
    assert await deliver(app, json.dumps(body).encode()) == status
    assert count(bridge) == before + (status == 202)


async def test_a_rotation_counts_at_once_and_the_old_secret_for_an_hour(app: ASGIApp, bridge: Bridge) -> None:
    assert await deliver(app) == 202
    with bridge.database.transaction() as session:  # as another process does: what is in memory here is old
        row = session.get_one(Hook, ID)
        row.generation, row.rotated_at = 2, time.time()
    assert await deliver(app, by=secret(2)) == 202
    assert await deliver(app, by=secret(1)) == 202
    assert await deliver(app, by=secret(3)) == 401
    with bridge.database.transaction() as session:
        session.get_one(Hook, ID).rotated_at = time.time() - ROTATION_SECONDS - 1
    bridge.hooks.read("local", ID)
    assert await deliver(app, by=secret(1)) == 401
    assert await deliver(app, by=secret(2)) == 202


async def test_a_removed_hook_is_refused_within_seconds(
    app: ASGIApp, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "CACHE_SECONDS", 0.05)
    bridge.hooks.read("local", ID)
    assert await deliver(app) == 202
    with bridge.database.transaction() as session:
        session.delete(session.get_one(Hook, ID))
    await asyncio.sleep(0.06)
    before = count(bridge)
    assert await deliver(app) == 401
    assert count(bridge) == before


async def test_many_deliveries_read_the_row_once(
    app: ASGIApp, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await deliver(app) == 202
    reads: list[str] = []
    monkeypatch.setattr(bridge.hooks, "read", lambda *names: reads.append(names))
    assert [await deliver(app) for _ in range(20)] == [202] * 20
    assert reads == []


@pytest.mark.parametrize("generation", [1, 2, 77])
def test_a_secret_is_what_gitlab_takes_and_differs_for_each_hook(generation: int) -> None:
    made = secret(generation)
    assert len(key(made)) == 32
    others = {secret(generation + 1), secret(generation, forge="x"), secret(generation, hook="1" * 26)}
    others.add(hook_secret(bytes(32), "local", ID, generation))
    assert made not in others
    assert len(others) == 4
    assert made == secret(generation)


@pytest.mark.parametrize(
    ("generation", "rotated_at", "expected"),
    [
        (1, None, [1]),
        (2, None, [2]),
        (2, 1000.0, [2, 1]),
        (3, 1000.0, [3, 2]),
        (2, 1000.0 - ROTATION_SECONDS, [2]),
        (1, 1000.0, [1]),
    ],
)
def test_which_secrets_are_valid(generation: int, rotated_at: float | None, expected: list[int]) -> None:
    row = Hook(id=ID, forge="local", project="p", generation=generation, rotated_at=rotated_at, made_at=0)
    assert valid_secrets(KEY, row, 1000.0) == [secret(number) for number in expected]


def test_a_hook_is_known_on_its_own_forge_only(bridge: Bridge) -> None:
    known = KnownHooks(bridge.database)
    assert known.recent("local", ID) is None
    assert known.read("bare", ID) is None
    found = known.read("local", ID)
    assert found is not None
    assert known.recent("local", ID) == found
    assert known.recent("bare", ID) is None
