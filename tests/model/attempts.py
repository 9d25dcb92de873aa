from collections.abc import Callable
from typing import Any

from reana_bridge.model.problems import ConfigurationError, Problem


def attempt(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, tuple[Problem, ...]]:
    """What `function` returns and no problems, or None and the problems that it raises."""
    try:
        return function(*args, **kwargs), ()
    except ConfigurationError as error:
        return None, error.problems
