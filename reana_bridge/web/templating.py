"""Templates and how values look on a page: times, spans, sizes, text from outside.

Everything is escaped, and characters that hide or reorder others are made visible, wherever it stands.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from reana_bridge.reports.numbers import show
from reana_bridge.reports.words import duration, moment, plural, ref_name, short_sha, size

_HERE = Path(__file__).parent
# Controls but tab, newline; bidirectional and zero-width marks; halves of surrogate pairs.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ud800-\udfff]"
)
_STATIC = {
    "style.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def visible(text: str) -> str:
    """`text` with hidden characters shown: controls as their pictures, others by their number."""
    return _HIDDEN.sub(_shown, text) if not text.isascii() or not text.isprintable() else text


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"\N{WHITE SQUARE}{code:04X}"


def static_file(name: str) -> tuple[bytes, str] | None:
    """A file of ours for the browser, and its content type; None where there is no such file."""
    if name not in _STATIC:
        return None
    return (_HERE / "static" / name).read_bytes(), _STATIC[name]


def _static_url(name: str) -> str:
    content, _ = static_file(name) or (b"", "")
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def iso(timestamp: float | None) -> str | None:
    """UTC ISO 8601 with milliseconds, such as `2026-11-22T14:05:00.120Z`; None stays None."""
    if timestamp is None:
        return None
    written = datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


def _when(timestamp: float | None) -> Markup:
    if timestamp is None:
        return Markup("")
    return Markup('<time datetime="{}">{}</time>').format(iso(timestamp), moment(timestamp))


def _ticked(text: str) -> Markup:
    """`text`, what stands between backticks as code."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return escape("`".join(parts))
    shown = (
        escape(part) if n % 2 == 0 else Markup("<code>{}</code>").format(part) for n, part in enumerate(parts)
    )
    return Markup("").join(shown)


def _finalize(value: Any) -> Any:
    if value is None:
        return ""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _environment() -> Any:
    environment: Any = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_finalize,
    )
    environment.filters |= {
        "when": _when,
        "took": duration,
        "bytes": size,
        "sha": short_sha,
        "branch": ref_name,
        "counted": plural,
        "iso": iso,
        "ticked": _ticked,
        "harmless": Markup,
        "number": show,
    }
    environment.globals["static"] = {name: _static_url(name) for name in _STATIC}
    return environment


_templates = _environment()


def render(template: str, **values: Any) -> str:
    """The text of a template."""
    return _templates.get_template(template).render(values)


def page(
    template: str, *, status_code: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """An HTML response from a template."""
    return HTMLResponse(render(template, **values), status_code, dict(headers or {}))
