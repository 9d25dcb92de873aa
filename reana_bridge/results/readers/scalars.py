"""What a word in a file without types of its own (YAML, CSV) stands for."""

import math
import re

from reana_bridge.results.readers.tree import MAX_DIGITS, Refused, Scalar

_WHOLE = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+(?:[eE][-+]?[0-9]+)?")
_SPECIAL = {"nan": math.nan, "inf": math.inf, "infinity": math.inf}
_TRUTH = {"true": True, "false": False}


def special_number(word: str) -> float | None:
    """NaN or an infinity where `word` is its name (`NaN`, `-inf`, `.inf`, `Infinity`); None else."""
    if len(word) > 10:
        return None
    bare = word.strip().lower()
    sign = -1.0 if bare.startswith("-") else 1.0
    bare = bare[1:] if bare[:1] in {"-", "+"} else bare
    number = _SPECIAL.get(bare.removeprefix("."))
    return None if number is None else math.copysign(number, sign) if number == math.inf else number


def scalar(word: str, *, decimal_comma: bool = False) -> Scalar | Refused:
    """The number, truth value or text that `word` stands for; None for an empty word, `null` and `~`.

    Args:
        word: As it stands in the file, without quotes.
        decimal_comma: Whether `1,5` is a number (in tables that are separated by semicolons).
    """
    bare = word.strip()
    if bare.lower() in {"", "~", "null"}:
        return None
    if bare.lower() in _TRUTH:
        return _TRUTH[bare.lower()]
    if decimal_comma and _DECIMAL_COMMA.fullmatch(bare):
        bare = bare.replace(",", ".")
    if _WHOLE.fullmatch(bare):
        return int(bare) if len(bare) <= MAX_DIGITS else Refused(f"has {len(bare):,} digits")
    if _NUMBER.fullmatch(bare):
        return float(bare)
    number = special_number(bare)
    return word if number is None else number
