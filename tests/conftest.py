"""Shared fixtures: databases of both kinds, and the option that runs the whole of large matrices."""

import gc
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

from reana_bridge.store.database import Database
from reana_bridge.store.schema import upgrade
from tests import shared
from tests.postgres import Postgres, PostgresUnavailable

# No test fails for the machine being busy, and an ordinary run tries the same examples each time.
_ANY_TIME = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("sample", max_examples=30, derandomize=True, **_ANY_TIME)
settings.register_profile("soak", max_examples=500, **_ANY_TIME)

_TESTS = Path(__file__).parent
_MANY, _SHARE = 3, 4
"""Cases of one function that make it a table, and of how many of them a sample tries one."""
_SLOW = frozenset({"steps", "backends", "forges", "contract", "web", "cli"})
"""Rooms whose tables are sampled."""
_SLOWEST = frozenset({"steps"})
"""Rooms of which a sample tries every second test that is in no table."""
_KINDS = ("sqlite", "postgresql")
_KIND = re.compile(rf"(?<=[\[-])({'|'.join(_KINDS)})(?=[-\]])")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the whole of large matrices, not a sample")


def pytest_configure(config: pytest.Config) -> None:
    shared.share()
    settings.load_profile("soak" if config.getoption("--soak") else "sample")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        return
    skip = pytest.mark.skip(reason="part of a large matrix: run with --soak")
    for item in items:
        if "soak" in item.keywords:
            item.add_marker(skip)
    if not all(Path(each).resolve() == _TESTS for each in config.args):
        return  # who asks for a part of the tests wants all of it
    names = {item.nodeid for item in items}
    left_out = {item for item in items if _is_left_out(item, names)}
    left_out |= _beyond_a_sample(item for item in items if item not in left_out)
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = sorted((item for item in items if item not in left_out), key=_is_short)


def pytest_collection_finish() -> None:
    """What thousands of tests are made of stays to the end, and is not gone through again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _is_short(item: pytest.Item) -> bool:
    """What takes long begins first, so that no processor waits for the last test of another."""
    return _room(item) not in {"faults", "e2e", "docs", "demo", "contract"}


def _room(item: pytest.Item) -> str:
    return item.path.relative_to(_TESTS).parts[0]


def _is_left_out(item: pytest.Item, names: set[str]) -> bool:
    """Whether a sample does without it: each case of whole bridges runs on one of both kinds of database.

    The storage itself is always tested on both, so most of these need not wait for a database of their own.
    """
    if _room(item) not in {"steps", "faults", "web", "cli"}:
        return False
    twins = sorted({_KIND.sub(kind, item.nodeid) for kind in _KINDS} & names)
    return len(twins) == 2 and item.nodeid != twins[crc32(item.name.split("[")[0].encode()) % 4 > 0]


def _beyond_a_sample(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """What a sample does without, the same each time: most of the tables of slow cases."""
    tables: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if _room(item) in _SLOW:
            tables[item.nodeid.partition("[")[0]].append(item)
    left_out: set[pytest.Item] = set()
    for function, cases in tables.items():
        cases.sort(key=lambda item: crc32(item.nodeid.encode()))
        if len(cases) >= _MANY:
            left_out.update(cases[-(-len(cases) // _SHARE) :])
        elif _room(cases[0]) in _SLOWEST and crc32(function.encode()) % 2:
            left_out.update(cases)
    return left_out


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether the whole of a matrix is asked for."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test process."""
    try:
        server = Postgres.start()
    except PostgresUnavailable as unavailable:
        pytest.skip(str(unavailable))
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A PostgreSQL database of this test's own, with all tables."""
    url = postgres.upgraded()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to copy."""
    path = tmp_path_factory.mktemp("template") / "bridge.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite database of this test's own, with all tables."""
    path = tmp_path / "database" / "bridge.db"
    path.parent.mkdir()
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both kinds of database, one after the other, with all tables."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(name))


@pytest.fixture
def open_database(database_url: str) -> Iterator[Callable[[], Database]]:
    """Opens the test's database, each time as another process would."""
    opened: list[Database] = []

    def open_it() -> Database:
        opened.append(Database(database_url))
        return opened[-1]

    yield open_it
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    """The test's database."""
    return open_database()
