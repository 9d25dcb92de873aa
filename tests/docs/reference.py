"""Writes the generated parts of docs/reference anew from the code: `make docs`.

A part stands between `<!-- made by make docs: NAME -->` and `<!-- end -->`; the rest of a page is written
by hand and left alone.
"""

import ast
import inspect
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer.main
from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from starlette.routing import Route

from reana_bridge import settings as s
from reana_bridge.cli.main import app as commands
from reana_bridge.model.bridge_reference import documented_keys
from reana_bridge.steps.bridge import open_bridge
from reana_bridge.store.schema import upgrade
from reana_bridge.web.app import make_app
from reana_bridge.web.telemetry import Telemetry
from webhooks import events

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference"
PART = re.compile(r"(<!-- made by make docs: ([a-zA-Z.\- ]+) -->\n).*?(<!-- end -->)", re.DOTALL)

SECTIONS: dict[str, type[BaseModel]] = {
    "server": s.ServerSettings,
    "database": s.DatabaseSettings,
    "storage": s.StorageSettings,
    "limits": s.LimitSettings,
    "mlflow": s.MlflowSettings,
    "forges.NAME": s.ForgeSettings,
    "backends.NAME": s.BackendSettings,
    "backends.NAME.environments": s.EnvironmentSettings,
    "backends.NAME.accounts": s.AccountSettings,
    "projects": s.ProjectSettings,
}
TYPES = {"str": "text", "int": "number", "float": "number", "Path": "path"}
# What a page's own docstring does not say to somebody from outside.
SAID = {
    "POST /webhooks/{forge}": "takes a delivery, see below",
    "POST /webhooks/{forge}/{hook}": "takes a delivery of one of several hooks of the same forge",
    "GET /": "the front page: projects, what runs and waits, recent runs",
    "GET /sign-in": "the form for a token",
    "POST /runs/{run_id}/cancel": "the button that ends a run",
    "POST /runs/{run_id}/rerun": "the button that runs the same again",
    "GET /badges/{forge}/{path}.svg": "a badge; `branch`, `analysis` and `metric` choose what it shows; a "
    "private project's needs a token, or the project's badge key as `key`",
    "GET /projects/{forge}/{path}": "a project: its runs, each metric's line over time, decisions",
    "GET /commits/{forge}/{path}/{sha}": "a commit: what came for it, what was decided, and why",
    "GET /runs/{run_id}": "a run: steps, live logs, metrics, comparison, plots side by side, origin",
}
COMPUTED = {"server.name": "this host's name", "backends.NAME.concurrency": "the number of cores"}


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def settings(section: str) -> str:
    rows = [
        [f"`{key}`", default(f"{section}.{key}", field), field.description or ""]
        for key, field in SECTIONS[section].model_fields.items()
    ]
    return table(["key", "default", "meaning"], rows)


def default(key: str, field: FieldInfo) -> str:
    """A setting's default as one would write it, or in words."""
    if key in COMPUTED:
        return COMPUTED[key]
    value = field.default
    if value is PydanticUndefined:
        return "*must be given*"
    if value is None or value in ((), ""):
        return "none"
    validators = [item.func.__name__ for item in field.metadata if isinstance(item, BeforeValidator)]
    if "_bytes" in validators:
        return f"`{size(value)}`"
    if "_seconds" in validators:
        return f"`{span(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def size(number: int) -> str:
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if number % 2**power == 0:
            return f"{number >> power}{unit}"
    return str(number)


def span(seconds: float) -> str:
    for length, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"


def leaves(command: Any, name: str = "reana-bridge") -> Iterator[tuple[str, Any]]:
    """Full name and command of every command that does something."""
    inner: dict[str, Any] | None = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for key, value in inner.items():
        yield from leaves(value, f"{name} {key}")


def command_tree() -> Any:
    return typer.main.get_command(commands)


def all_commands() -> str:
    return "\n\n".join(one_command(name, command) for name, command in leaves(command_tree()))


def one_command(name: str, command: Any) -> str:
    text = inspect.cleandoc(command.help or "")
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    shown = [p.name.upper() for p in arguments]
    usage = " ".join([name, *(["[OPTIONS]"] if options else []), *shown])
    rows = [[f"`{p.name.upper()}`", sentence(p)] for p in arguments]
    rows += [[option(p), sentence(p)] for p in options]
    about = f"### {name}\n\n`{usage}`\n\n{text}"
    return f"{about}\n\n{table(['', 'meaning'], rows)}" if rows else about


def option(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    annotation = parameter.type_descriptor.annotation
    word = "one of these" if get_origin(annotation) is Literal else getattr(annotation, "__name__", "value")
    return names if parameter.is_flag else f"{names} *{TYPES.get(word, word.lower())}*"


def sentence(parameter: Any) -> str:
    text = parameter.help or ""
    annotation = parameter.type_descriptor.annotation
    if get_origin(annotation) is Literal:
        text += f" One of {', '.join(f'`{choice}`' for choice in get_args(annotation))}."
    given = parameter.default
    plain = (
        given is not None
        and not callable(given)
        and not getattr(parameter, "is_flag", False)
        and str(given) not in ("", ".")
    )
    return text + (f" Default: `{given}`." if plain and not parameter.required else "")


def repository_keys() -> str:
    rows = [[f"`{key}`", text] for key, text in documented_keys().items()]
    return table(["key", "meaning"], rows)


@contextmanager
def an_app() -> Iterator[tuple[Any, Telemetry]]:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        names = ("artifacts", "runs", "repositories", "environments", "secrets")
        given = s.Settings.model_validate(
            {
                "database": {"url": f"sqlite:///{place}/bridge.db"},
                "storage": {name: place / name for name in names},
                "backends": {},
            }
        )
        bridge = open_bridge(given, exclusive=False)
        upgrade(bridge.database)
        try:
            yield make_app(bridge), Telemetry(bridge)
        finally:
            bridge.close()


def api() -> str:
    with an_app() as (app, _):
        document = app.openapi()
    rows = [
        [f"`{method.upper()} {path}`", inspect.cleandoc(about.get("description", "")), asked(about)]
        for path, methods in document["paths"].items()
        for method, about in methods.items()
    ]
    return table(["address", "what it is for", "may be asked with"], rows)


def asked(about: dict[str, Any]) -> str:
    names = [f"`{p['name']}`" for p in about.get("parameters", []) if p["in"] == "query"]
    body = about.get("requestBody", {}).get("content", {})
    shapes = [content["schema"]["$ref"].rpartition("/")[2] for content in body.values()]
    return ", ".join([*names, *(f"a body as `{shape}` has it" for shape in shapes)])


def shapes() -> str:
    with an_app() as (app, _):
        schemas = app.openapi()["components"]["schemas"]
    wanted = {name: schema for name, schema in schemas.items() if name in {"NewRun"}}
    rows = [
        [f"`{key}`", "yes" if key in schema.get("required", []) else "no", value.get("description", "")]
        for schema in wanted.values()
        for key, value in schema["properties"].items()
    ]
    return table(["key of `NewRun`", "must be given", "meaning"], rows)


def addresses() -> list[tuple[str, str, str]]:
    """Method, path and meaning of every address beside the API's."""
    with an_app() as (app, _):
        routes = [r for r in app.routes if isinstance(r, Route) and not r.path.startswith("/api/")]
    found = []
    for route in routes:
        text = inspect.getdoc(route.endpoint) or ""
        text = " ".join(text.split("\n\n")[0].split())
        text = re.sub(r"^`[^`]*`[:.,]? ?", "", text)
        method = "POST" if "POST" in (route.methods or ()) else "GET"
        path = route.path.replace(":path}", "}")
        found.append((method, path, SAID.get(f"{method} {path}", text)))
    return found


def pages() -> str:
    rows = [[f"`{method} {path}`", text[:1].upper() + text[1:]] for method, path, text in addresses()]
    return table(["address", "what it is"], rows)


def metric_families() -> list[tuple[str, str, str, str]]:
    """Name, kind, labels and meaning of everything at `/metrics`."""
    with an_app() as (_, telemetry):
        telemetry.webhook(202, 0.001)
        families = list(telemetry.registry.collect())
    found = []
    for family in families:
        labels = {key for sample in family.samples for key in sample.labels} - {"le"}
        name = family.name + ("_total" if family.type == "counter" else "")
        found.append((name, family.type, ", ".join(sorted(labels)), family.documentation))
    return found


def metrics() -> str:
    rows = [[f"`{n}`", k, f"`{labels}`" if labels else "", text] for n, k, labels, text in metric_families()]
    return table(["metric", "kind", "labels", "meaning"], rows)


def log_events() -> list[tuple[str, str]]:
    """Name and level of every event that is logged."""
    found: set[tuple[str, str]] = set()
    for path in sorted((ROOT / "reana_bridge").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                value, first = node.func.value, node.args[0]
                if isinstance(value, ast.Name) and value.id == "_log" and isinstance(first, ast.Constant):
                    found.add((str(first.value), node.func.attr))
    return sorted(found)


def log_lines() -> str:
    words = {"exception": "error"}
    rows = [[f"`{name}`", words.get(level, level)] for name, level in log_events()]
    return table(["event", "level"], rows)


def event_types() -> list[type[events.Event]]:
    return [
        kind for kind in vars(events).values() if inspect.isclass(kind) and issubclass(kind, events.Event)
    ]


def event_table() -> str:
    rows = []
    for kind in event_types():
        if kind is events.Event:
            continue
        own = [f"`{f.name}`" + ("" if f.default is MISSING else " (may be empty)") for f in fields(kind)]
        rows.append([f"`{kind.__name__}`", (inspect.getdoc(kind) or "").split("\n")[0], ", ".join(own)])
    return table(["event", "meaning", "what it holds"], rows)


PARTS: dict[str, Callable[[], str]] = {
    **{f"settings {name}": (lambda name=name: settings(name)) for name in SECTIONS},
    "commands": all_commands,
    "in-repo-file": repository_keys,
    "api": api,
    "shapes": shapes,
    "pages": pages,
    "metrics": metrics,
    "log lines": log_lines,
    "events": event_table,
}


def renewed(text: str) -> str:
    """A page with its generated parts as they should be."""
    return PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", text)


def main() -> None:
    """Write every page's generated parts anew."""
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        fresh = renewed(text)
        if fresh != text:
            page.write_text(fresh, encoding="utf-8")
            print(f"wrote {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
