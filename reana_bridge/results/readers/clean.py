"""Text from files made fit to be a name: one line, no characters that hide or reorder others."""

import re
import unicodedata

_PLAIN = re.compile(r"[ -~]*")
_SPACES = re.compile(r"\s+")


def one_line(text: str, limit: int) -> str:
    """`text` in one line of at most `limit` characters.

    Control, format (bidi, zero-width), surrogate and line separator characters become spaces, runs of
    space become one, the ends are trimmed.
    """
    text = text[: limit * 4]
    if not _PLAIN.fullmatch(text):
        text = "".join(" " if _unfit(character) else character for character in text)
    return _SPACES.sub(" ", text).strip()[:limit]


def _unfit(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
