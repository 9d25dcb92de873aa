"""Any value of the model: a strategy for a dataclass from its annotations, with texts of one's own."""

import types
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st


def values(annotation, *, text, floats=None, most=2, **given):
    """Values of `annotation`; `given` names strategies for fields of the outermost class."""
    leaves = {
        str: text,
        float: st.floats(allow_nan=False) if floats is None else floats,
        int: st.integers(),
        bool: st.booleans(),
    }

    def of(kind):
        origin, arguments = get_origin(kind), get_args(kind)
        if kind in leaves:
            return leaves[kind]
        if kind is type(None):
            return st.none()
        if origin is Literal:
            return st.sampled_from(arguments)
        if origin in (Union, types.UnionType):
            return st.one_of(*map(of, arguments))
        if origin is tuple:
            return st.lists(of(arguments[0]), max_size=most).map(tuple)
        if origin is dict:
            inner = st.none() if arguments[1] in (Any, object) else of(arguments[1])
            return st.dictionaries(text, inner, max_size=most)
        if issubclass(kind, Enum):
            return st.sampled_from(kind)
        return built(kind)

    def built(cls, **special):
        assert is_dataclass(cls)
        hints = get_type_hints(cls)
        return st.builds(
            cls,
            **{
                field.name: special[field.name] if field.name in special else of(hints[field.name])
                for field in fields(cls)
            },
        )

    return built(annotation, **given)
