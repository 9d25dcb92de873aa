"""The frozen dataclasses of the model to JSON-able data and back, losing nothing.

`from_data(type(x), to_data(x)) == x` for every value that the model can hold (NaN aside, which equals
nothing). What JSON, or a database's JSON column, cannot hold is marked:

* `{"$float": "nan" | "inf" | "-inf"}`, since JSON has no such numbers;
* `{"$text": "..."}`, a text with NUL or lone surrogates, by Python's `unicode_escape`;
* `{"$pairs": [[key, value], ...]}`, a mapping with such a key, or one that starts with `$`.

A field that holds its default is left out; a key that the class does not know is ignored. So classes may
grow fields with defaults while old rows and old processes live on; the default of a field that is stored
must not be changed afterwards.
"""

import math
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Data = Any
"""JSON-able: None, bool, int, float (finite), str, list, dict with text keys."""

_Decoder = Callable[[Data], Any]
_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class CodecError(ValueError):
    """Data does not fit the class it should become; the message names the field and what stands there."""


def to_data(value: object) -> Data:
    """`value` (a dataclass, or a list, tuple, mapping or scalar of such) as JSON-able data.

    Raises:
        TypeError: it holds something that is neither of these (bytes, a set, a key that is no text).
    """
    return _encoder(type(value))(value)


def from_data(cls: type[T], data: Data) -> T:
    """The `cls` that `to_data` made `data` from; `cls` may be any annotation, such as `tuple[Metric, ...]`.

    Raises:
        CodecError: `data` does not fit `cls`.
        TypeError: `cls` holds an annotation that this module does not know.
    """
    return cast("T", _decoder(cls)(data))


_Encoder = Callable[[Any], Data]


@cache
def _encoder(cls: type[Any]) -> _Encoder:
    if issubclass(cls, bool | types.NoneType):
        return _as_it_is
    if issubclass(cls, Enum):
        return lambda member: to_data(member.value)
    known = next((encode for base, encode in _ENCODERS.items() if issubclass(cls, base)), None)
    if known is not None:
        return known
    if is_dataclass(cls):
        return _dataclass_encoder(cast("type", cls))
    raise TypeError(f"{cls.__name__} cannot be written as JSON; use numbers, texts, tuples, mappings")


def _as_it_is(value: Any) -> Data:
    return value


def _text_to_data(text: str) -> Data:
    return {"$text": _escaped(text)} if _UNSAFE.search(text) else text


def _escaped(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")


def _float_to_data(number: float) -> Data:
    return number if math.isfinite(number) else {"$float": str(number)}


def _sequence_to_data(items: Sequence[object]) -> Data:
    # Samples and series are long: what holds only finite floats is taken as it is.
    if _are_floats(items) and all(map(math.isfinite, cast("Sequence[float]", items))):
        return list(items)
    return [to_data(item) for item in items]


def _are_floats(items: Iterable[object]) -> bool:
    return {*map(type, items)} == {float}


def _mapping_to_data(mapping: Mapping[object, object]) -> Data:
    for key in mapping:
        if not isinstance(key, str):
            raise TypeError(f"the key {key!r} cannot be written as JSON; use a text")
    keys = cast("Mapping[str, object]", mapping)
    if any(key.startswith("$") or _UNSAFE.search(key) for key in keys):
        return {"$pairs": [[to_data(key), to_data(item)] for key, item in keys.items()]}
    return {key: to_data(item) for key, item in keys.items()}


_ENCODERS: dict[type, _Encoder] = {
    str: _text_to_data,
    int: _as_it_is,
    float: _float_to_data,
    list: _sequence_to_data,
    tuple: _sequence_to_data,
    Mapping: _mapping_to_data,
}


def _dataclass_encoder(cls: type) -> _Encoder:
    # Whether a field that is the very default object may be left out without looking closer.
    members = [(name, default, _is_default(default, default)) for name, default, _ in _layout(cls)]

    def encode(value: Any) -> Data:
        data: dict[str, Data] = {}
        for name, default, left_out in members:
            content = getattr(value, name)
            if left_out and content is default:
                continue
            if not _is_default(content, default):
                data[name] = to_data(content)
        return data

    return encode


@cache
def _layout(cls: type) -> tuple[tuple[str, object, Any], ...]:
    hints = get_type_hints(cls)
    return tuple((member.name, _default(member), hints[member.name]) for member in fields(cls) if member.init)


def _default(member: "Field[Any]") -> object:
    if member.default_factory is not MISSING:
        return member.default_factory()
    return member.default


def _is_default(value: object, default: object) -> bool:
    # Zeros are always written: -0.0 == 0.0, yet they are not the same.
    return type(value) is type(default) and value == default and value != 0


@cache
def _decoder(annotation: Any) -> _Decoder:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if origin is Literal:
        return _choice_decoder(arguments)
    if origin in (Union, types.UnionType):
        return _union_decoder(annotation, arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return _sequence_decoder(arguments[0], tuple)
    if origin is list:
        return _sequence_decoder(arguments[0], list)
    if origin is dict and arguments[0] is str:
        return _mapping_decoder(arguments[1])
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _enum_decoder(annotation)
    if isinstance(annotation, type) and is_dataclass(annotation):
        return _dataclass_decoder(annotation)
    raise TypeError(f"{annotation!r} is not an annotation that can be read from JSON")


def _wrong(data: Data, wanted: str) -> CodecError:
    shown = repr(data)
    return CodecError(f"{shown if len(shown) <= 80 else shown[:77] + '...'} is not {wanted}")


def _text(data: Data) -> str:
    if isinstance(data, str):
        return data
    if isinstance(data, dict) and isinstance(data.get("$text"), str):  # pyright: ignore[reportUnknownMemberType]
        try:
            return cast("str", data["$text"]).encode("ascii").decode("unicode_escape")
        except UnicodeError:
            raise _wrong(cast("Data", data), "a text") from None
    raise _wrong(data, "a text")


def _float(data: Data) -> float:
    if isinstance(data, int | float) and not isinstance(data, bool):
        return data
    if isinstance(data, dict):
        mark = cast("dict[str, Any]", data).get("$float")
        if isinstance(mark, str) and mark in _NON_FINITE:
            return _NON_FINITE[mark]
    raise _wrong(data, "a number")


def _int(data: Data) -> int:
    if isinstance(data, int) and not isinstance(data, bool):
        return data
    raise _wrong(data, "a whole number")


def _bool(data: Data) -> bool:
    if isinstance(data, bool):
        return data
    raise _wrong(data, "true or false")


def _none(data: Data) -> None:
    if data is not None:
        raise _wrong(data, "null")


def _anything(data: Data) -> Any:
    if isinstance(data, list):
        return [_anything(item) for item in cast("list[Data]", data)]
    if not isinstance(data, dict):
        return data
    known = cast("dict[str, Data]", data)
    if len(known) == 1:
        if "$text" in known:
            return _text(known)
        if "$float" in known:
            return _float(known)
    return _mapping_decoder(Any)(known)


_SCALARS: dict[Any, _Decoder] = {
    str: _text,
    float: _float,
    int: _int,
    bool: _bool,
    type(None): _none,
    Any: _anything,
    object: _anything,
}


def _choice_decoder(choices: tuple[Any, ...]) -> _Decoder:
    def decode(data: Data) -> Any:
        if data not in choices:
            raise _wrong(data, "one of " + ", ".join(map(repr, choices)))
        return data

    return decode


def _union_decoder(annotation: Any, members: tuple[Any, ...]) -> _Decoder:
    decoders = [_decoder(member) for member in members]

    def decode(data: Data) -> Any:
        reasons: list[str] = []
        for decoder in decoders:
            try:
                return decoder(data)
            except CodecError as error:
                reasons.append(str(error))
        if data is None or len(members) > 2 or type(None) not in members:
            raise _wrong(data, str(annotation))
        raise CodecError(reasons[0])

    return decode


def _sequence_decoder(item: Any, make: type) -> _Decoder:
    decode_item = _decoder(item)

    def decode(data: Data) -> Any:
        if not isinstance(data, list):
            raise _wrong(data, "a list")
        if item is float and _are_floats(cast("list[Data]", data)):
            return make(data)  # pyright: ignore[reportUnknownArgumentType]
        return make(_inside(decode_item, part, f"[{i}]") for i, part in enumerate(cast("list[Data]", data)))

    return decode


def _mapping_decoder(item: Any) -> _Decoder:
    def decode(data: Data) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise _wrong(data, "a mapping")
        decode_item = _decoder(item)
        known = cast("dict[str, Data]", data)
        pairs = known.get("$pairs")
        if pairs is None:
            return {key: _inside(decode_item, part, f"[{key!r}]") for key, part in known.items()}
        try:
            return {_text(key): _inside(decode_item, part, f"[{key!r}]") for key, part in pairs}
        except (TypeError, ValueError) as error:
            raise error if isinstance(error, CodecError) else _wrong(pairs, "a list of pairs") from None

    return decode


def _enum_decoder(cls: type[Enum]) -> _Decoder:
    def decode(data: Data) -> Enum:
        try:
            return cls(data)
        except ValueError:
            raise _wrong(data, "one of " + ", ".join(repr(member.value) for member in cls)) from None

    return decode


def _dataclass_decoder(cls: type) -> _Decoder:
    decoders: list[tuple[str, bool, _Decoder]] = []

    def decode(data: Data) -> Any:
        if not isinstance(data, dict):
            raise _wrong(data, f"a mapping with the fields of {cls.__name__}")
        if not decoders:  # made at first use: a class may hold itself
            decoders.extend(
                (name, default is MISSING, _decoder(hint)) for name, default, hint in _layout(cls)
            )
        known, given = cast("dict[str, Data]", data), dict[str, Any]()
        for name, required, decoder in decoders:
            if name in known:
                given[name] = _inside(decoder, known[name], f".{name}")
            elif required:
                raise CodecError(f"{cls.__name__} needs `{name}`, which is not there")
        return cls(**given)

    return decode


def _inside(decoder: _Decoder, data: Data, place: str) -> Any:
    try:
        return decoder(data)
    except CodecError as error:
        raise CodecError(f"{place.lstrip('.')}: {error}") from None
