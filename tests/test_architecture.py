"""Holds the rooms to their rules: arrows point down, pieces stay small, nothing is swallowed.

One test a rule, which names every place that breaks it.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 60

# Room -> the rooms it may import. A room is the first package below `reana_bridge`, or a module there.
# The order is the order of the floors: nothing imports what stands below it in this table, beside the last.
ALLOWED = {
    "webhooks": set(),
    "package": set(),  # reana_bridge itself: the version
    "crashpoints": set(),
    "logs": set(),
    "sandbox": set(),
    "model": {"webhooks"},
    "sections": {"model"},  # of the settings
    "settings": {"model", "sections"},
    "store": {"model", "settings", "crashpoints"},
    "reports": {"model"},
    "results": {"model", "sandbox"},
    "forges": {"model", "settings", "webhooks"},
    "backends": {"model", "settings", "crashpoints", "sandbox"},
    "steps": {
        *("webhooks", "crashpoints", "logs", "sandbox", "model", "settings", "store"),
        *("reports", "results", "forges", "backends"),
    },
}
BELOW_THE_DOORS = {*ALLOWED}
ALLOWED |= {
    "web": BELOW_THE_DOORS,
    "testing": BELOW_THE_DOORS | {"web"},
    "demo": BELOW_THE_DOORS | {"web", "testing"},
    "cli": BELOW_THE_DOORS | {"web", "testing", "demo"},
}

# Of the room `webhooks`, the words alone are for the model: verifying and parsing is the steps' work.
ONLY_FROM_MODEL = {"webhooks.events"}

# These run as programs of their own, with the interpreter of a job's environment or a repository's hook,
# where nothing of the bridge can be imported, and say what they do on their output.
PROGRAMS = (
    "reana_bridge/forges/post_receive.py",
    "reana_bridge/backends/local/supervisor/",
    "reana_bridge/backends/local/engines/",
    "reana_bridge/backends/reana/loaders/",
    "reana_bridge/sandbox/bwrap.py",
)

# The one place of the pure rooms that starts a process: the one in which files of others are opened.
OPENS_FILES_OF_OTHERS = "reana_bridge/results/isolation.py"

# Each migration is one list of statements, written once and never touched again.
LISTS_OF_STATEMENTS = "reana_bridge/store/migrations/"

TALKING = {"print", "input", "breakpoint"}

# An analysis that `demo` pushes: a guest's code, not ours.
GUESTS = ("reana_bridge/demo/analysis/",)


def modules() -> list[str]:
    """Every module of ours, as a path from the top."""
    found = [*ROOT.glob("reana_bridge/**/*.py"), *ROOT.glob("webhooks/**/*.py")]
    names = sorted(path.relative_to(ROOT).as_posix() for path in found)
    return [name for name in names if not name.startswith(GUESTS)]


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"))


def room(dotted: str) -> str:
    """The room that a dotted name belongs to; empty for somebody else's package."""
    parts = dotted.split(".")
    if parts[0] == "webhooks":
        return "webhooks"
    if parts[0] != "reana_bridge":
        return ""
    return parts[1] if len(parts) > 1 and parts[1] in ALLOWED else "package"


def room_of(module: str) -> str:
    if module == "reana_bridge/__main__.py":  # the door of `python -m`
        return "cli"
    return room(module.removesuffix(".py").replace("/", "."))


def imports(module: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that `module` imports, inside functions too."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: relative imports hide the room"
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                yield node.lineno, dotted if is_module(dotted) else str(node.module)


def is_module(dotted: str) -> bool:
    path = ROOT / dotted.replace(".", "/")
    return path.with_suffix(".py").exists() or path.is_dir()


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    nodes = ast.walk(tree(module))
    yield from (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_room_is_in_the_table() -> None:
    there = {room_of(module) for module in modules()}
    packages = {path.parent.name for path in ROOT.glob("reana_bridge/*/__init__.py")}
    assert packages <= ALLOWED.keys(), "a new room needs a line in ALLOWED"
    assert {"model", "store", "steps", "web", "cli"} <= there


def test_the_table_has_no_circle() -> None:
    floors: dict[str, int] = {}
    for name, below in ALLOWED.items():
        assert below <= floors.keys(), f"{name} imports a room that stands above it"
        floors[name] = len(floors)


def test_arrows_point_down() -> None:
    wrong: list[str] = []
    for module in modules():
        own = room_of(module)
        for line, dotted in imports(module):
            other = room(dotted)
            if other in {"", own, "package"}:
                continue
            if other not in ALLOWED[own]:
                wrong.append(f"{module}:{line}: {own} may not import {dotted}")
            if own == "model" and other == "webhooks" and dotted not in ONLY_FROM_MODEL:
                wrong.append(f"{module}:{line}: the model may import {ONLY_FROM_MODEL} alone, not {dotted}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room_", ["webhooks", "model", "results", "reports"])
def test_pure_rooms_do_no_network_and_start_no_process(room_: str) -> None:
    forbidden = {"subprocess", "socket", "httpx", "urllib.request", "http.client", "sqlalchemy", "sqlmodel"}
    forbidden |= {"threading", "asyncio", "starlette", "fastapi"}
    found = [
        f"{module}:{line}: {dotted}"
        for module in modules()
        if room_of(module) == room_ and module != OPENS_FILES_OF_OTHERS
        for line, dotted in imports(module)
        if any(dotted == name or dotted.startswith(f"{name}.") for name in forbidden)
    ]
    assert not found, "\n".join(found)


def test_no_step_calls_another() -> None:
    steps = ["receive", "decide", "submit", "follow", "collect", "compare", "report", "reconcile", "retain"]
    found = [
        f"{step} imports {dotted}"
        for step in steps
        for _, dotted in imports(f"reana_bridge/steps/{step}.py")
        if dotted.startswith("reana_bridge.steps.") and dotted.rpartition(".")[2] in steps
    ]
    assert not found, "\n".join(found)


def test_modules_stay_small() -> None:
    sizes = {module: len((ROOT / module).read_text(encoding="utf-8").splitlines()) for module in modules()}
    long = [
        f"{module} has {size} lines, at most {MOST_LINES_OF_A_MODULE}: split it"
        for module, size in sizes.items()
        if size > MOST_LINES_OF_A_MODULE
    ]
    assert not long, "\n".join(long)


def test_functions_stay_small() -> None:
    long = [
        f"{module}:{node.lineno}: {node.name} has {size} lines, at most {MOST_LINES_OF_A_FUNCTION}"
        for module in modules()
        if not module.startswith(LISTS_OF_STATEMENTS)
        for node in functions(module)
        if (size := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]
    assert not long, "\n".join(long)


def test_every_module_says_what_it_is() -> None:
    silent = [module for module in modules() if not ast.get_docstring(tree(module))]
    assert not silent, f"these have no docstring: {silent}"


def test_nothing_is_printed_outside_commands() -> None:
    found = [
        f"{module}:{node.lineno}: log, return or raise instead of printing"
        for module in modules()
        if not module.startswith(("reana_bridge/cli/", "reana_bridge/demo/", *PROGRAMS))
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TALKING
    ]
    assert not found, "\n".join(found)


def test_no_exception_is_swallowed() -> None:
    found: list[str] = []
    for module in modules():
        handlers = (node for node in ast.walk(tree(module)) if isinstance(node, ast.ExceptHandler))
        for handler in handlers:
            where = f"{module}:{handler.lineno}"
            if handler.type is None:
                found.append(f"{where}: a bare `except` catches what nobody thought of")
            elif swallows(handler) and catches_everything(handler.type):
                found.append(f"{where}: everything is caught and nothing is done about it")
    assert not found, "\n".join(found)


def swallows(handler: ast.ExceptHandler) -> bool:
    """Whether the handler's body does nothing at all."""
    return all(
        isinstance(statement, ast.Pass | ast.Continue)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in handler.body
    )


def catches_everything(kind: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id in {"Exception", "BaseException"} for node in ast.walk(kind)
    )


@pytest.mark.parametrize(
    ("code", "swallowed", "everything"),
    [
        ("try: f()\nexcept Exception: pass", True, True),
        ("try: f()\nexcept (OSError, Exception): ...", True, True),
        ("try: f()\nexcept OSError: pass", True, False),
        ("try: f()\nexcept Exception as error: log(error)", False, True),
    ],
)
def test_the_rules_themselves_see_what_they_should(code: str, swallowed: bool, everything: bool) -> None:
    handler = next(node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ExceptHandler))
    assert handler.type is not None
    assert (swallows(handler), catches_everything(handler.type)) == (swallowed, everything)
