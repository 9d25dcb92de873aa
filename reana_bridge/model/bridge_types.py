"""The kinds of values that `.reana-bridge.yaml` has, each with its check, its message and its JSON Schema."""

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError

from reana_bridge.model.globs import glob_mistake
from reana_bridge.model.paths import path_mistake, tidy_path
from reana_bridge.model.suggestions import did_you_mean, shown

MAX_NAMES = 100
MAX_GLOBS = 50
MAX_TIMEOUT = 30 * 86400
MAX_TEXT = 10_000

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"

_NAME = re.compile(NAME_PATTERN)
_PARAMETER = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?")
_PERCENT = re.compile(r"(\d{1,6}(?:\.\d{1,12})?) ?%")
_YEAR_2000 = datetime(2000, 1, 1)


def mistake(message: str, hint: str = "", *, at: str = "") -> PydanticCustomError:
    """An error with a hint, for the key `at` of the checked value, or for the value itself."""
    context = {"message": message, "hint": hint, "at": at}
    return PydanticCustomError("bridge", "{message}", context)


class Also:
    """Says in the JSON Schema that a value may be written in shorter ways too.

    Args:
        schemas: The shorter ways.
        each: Shorter ways for the entries of a list; then one entry may also stand alone, without a list.
    """

    def __init__(self, *schemas: dict[str, Any], each: tuple[dict[str, Any], ...] = ()) -> None:
        self._schemas = schemas
        self._each = each

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema of the full form, or one of the shorter ones."""
        schema = handler(core)
        variants = [*self._schemas]
        if self._each:
            schema["items"] = {"anyOf": [*self._each, schema["items"]]}
            variants.append(schema["items"])
        return {"anyOf": [*variants, schema]}


def _check(rule: Callable[[str], str], hint: str) -> AfterValidator:
    def check(text: str) -> str:
        wrong = rule(text)
        if wrong:
            raise mistake(f"`{shown(text)}` {wrong}", hint)
        return text

    return AfterValidator(check)


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _name_mistake(text: str) -> str:
    return "" if _NAME.fullmatch(text) else "is no name"


def _parameter_mistake(text: str) -> str:
    return "" if _PARAMETER.fullmatch(text) else "is no parameter's name"


def _long_mistake(text: str) -> str:
    if len(text) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    return "has a NUL character in it" if "\0" in text else ""


def _metric_mistake(text: str) -> str:
    return (
        "" if text.strip() and text.isprintable() and len(text) <= 200 else "is no metric's name or pattern"
    )


def _file_mistake(text: str) -> str:
    return path_mistake(text) or ("is a pattern, not a file" if re.search(r"[*?]", text) else "")


def _cron_mistake(text: str) -> str:
    if len(text) > 200 or len(text.split()) != 5:
        return "has not the five fields of a cron line"
    try:
        next(CronSim(text, _YEAR_2000))
    except CronSimError as error:
        return f"is no cron line: {str(error).lower()}"
    except StopIteration:
        return "is a date that never comes"
    return ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(text: str) -> str:
    if text != "UTC" and text not in _zones():
        raise mistake(
            f"`{shown(text)}` is no time zone", did_you_mean(text, _zones()) or "write `Europe/Zurich`"
        )
    ZoneInfo(text)
    return text


def _seconds(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise mistake("must be a length of time", _DURATION_HINT)
    seconds = float(value) if isinstance(value, int | float) else _spelled_out(value)
    if not math.isfinite(seconds) or seconds <= 0:
        raise mistake(f"`{shown(str(value))}` is no length of time", _DURATION_HINT)
    if seconds > MAX_TIMEOUT:
        raise mistake(
            f"`{shown(str(value))}` is longer than {MAX_TIMEOUT // 86400} days", "write `30d` or less"
        )
    return seconds


_DURATION_HINT = "write `90m`, `2h`, `1h30m` or a number of seconds"


def _spelled_out(text: str) -> float:
    found = _DURATION.fullmatch(text.strip())
    if not found or not text.strip():
        return math.nan
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def _fraction(value: Any) -> Any:
    if isinstance(value, str):
        found = _PERCENT.fullmatch(value.strip())
        if not found:
            raise mistake(f"`{shown(value)}` is neither a fraction nor a percentage", "write `5%` or `0.05`")
        return float(found[1]) / 100
    return value


def _value(value: Any) -> Any:
    if isinstance(value, str):
        wrong = _long_mistake(value)
    elif isinstance(value, float) and not math.isfinite(value):
        wrong = "is no finite number"
    else:
        wrong = "" if isinstance(value, bool | int | float) else "must be a text, a number or a truth value"
    if wrong:
        raise mistake(wrong, "write one value; quote it where it is a text")
    return value


Name = Annotated[
    str,
    _check(
        _name_mistake, "write at most 63 letters, digits, `-`, `_` and `.`, beginning with a letter or digit"
    ),
]
Glob = Annotated[
    str, _check(glob_mistake, "`*` stays within a name, `**` alone between slashes crosses them")
]
Globs = Annotated[
    list[Glob],
    BeforeValidator(_one_or_many),
    Field(min_length=1, max_length=MAX_GLOBS),
    Also({"type": "string"}),
]
File = Annotated[
    str, _check(_file_mistake, "write a file relative to the repository's top"), AfterValidator(tidy_path)
]
Pattern = Annotated[
    str,
    _check(path_mistake, "write a path or pattern relative to the repository's top"),
    AfterValidator(tidy_path),
]
Patterns = Annotated[
    list[Pattern],
    BeforeValidator(_one_or_many),
    Field(min_length=1, max_length=MAX_NAMES),
    Also({"type": "string"}),
]
MetricGlob = Annotated[str, _check(_metric_mistake, "write at most 200 printable characters")]
Text = Annotated[str, _check(_long_mistake, "make it shorter")]
Cron = Annotated[
    str, _check(_cron_mistake, "write minute, hour, day, month and weekday, such as `0 3 * * 1-5`")
]
Zone = Annotated[str, AfterValidator(_zone)]
Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    Also({"type": "string", "pattern": r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"}),
]
Fraction = Annotated[
    float,
    BeforeValidator(_fraction),
    Field(ge=0, allow_inf_nan=False),
    Also({"type": "string", "pattern": r"^\d+(\.\d+)? ?%$"}),
]
Finite = Annotated[float, Field(allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
ParameterName = Annotated[str, _check(_parameter_mistake, "write at most 200 printable characters")]
ParameterValue = Annotated[
    Any, BeforeValidator(_value), Field(json_schema_extra={"type": ["string", "number", "boolean"]})
]
Parameters = Annotated[dict[ParameterName, ParameterValue], Field(max_length=MAX_NAMES)]
