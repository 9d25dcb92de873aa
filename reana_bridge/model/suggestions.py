"""What a mistyped word was meant to be: the `did you mean` of every message about a file a user wrote."""

from collections.abc import Iterable
from difflib import get_close_matches

MAX_WORD = 80
MAX_KNOWN = 2000


def closest(word: str, known: Iterable[str]) -> str:
    """The one of the `known` words that is most like `word`; empty where none is.

    Case, and `_` against `-`, do not count as differences. Words above 80 characters are not looked up.
    """
    if len(word) > MAX_WORD:
        return ""
    plain = {
        _plain(candidate): candidate for candidate in list(known)[:MAX_KNOWN] if len(candidate) <= MAX_WORD
    }
    found = get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint such as ``did you mean `branches`?``; empty where no `known` word is like `word`."""
    found = closest(word, known)
    return f"did you mean `{found}`?" if found else ""


def one_of(words: Iterable[str]) -> str:
    """Words as a hint: ``write `a`, `b` or `c```."""
    quoted = [f"`{word}`" for word in words]
    return "write " + (" or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0])


def shown(text: str, limit: int = 60) -> str:
    """`text` as a message may quote it: one line, printable, at most `limit` characters."""
    line = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[: limit + 1]
    )
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _plain(word: str) -> str:
    return word.casefold().replace("_", "-")
