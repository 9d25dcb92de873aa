"""Reading the JSON object of a delivery field by field, whatever somebody put there.

Promises: what comes out can be stored, shown and given to git (no NUL, no half of a surrogate pair, names
that git allows, bounded lengths and numbers), and what cannot be used leads to `Unusable` and nothing else.
"""

import json
import re
from typing import Any, cast

MAXIMUM_MESSAGE = 65_536
"""Characters of a commit's message, or of a comment, that are kept."""

MAXIMUM_TEXT = 500
"""Characters of any other text that are kept; a longer ref or path is refused."""

MAXIMUM_NAMES = 100
"""Entries of a list that are looked at."""

_SHA = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}", re.ASCII)
_IDENTITY = re.compile(r"[A-Za-z0-9_=+/.:-]{1,200}", re.ASCII)
_PROJECT = re.compile(
    r"(?!.*(^|/)\.{1,2}(/|$))[A-Za-z0-9_.][A-Za-z0-9_.+-]*(/[A-Za-z0-9_.][A-Za-z0-9_.+-]*)*"
)
# What git itself forbids in the name of a ref (git help check-ref-format).
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//|/\.|\.lock(/|$)|[./]$")
_BRANCHES = "refs/heads/"


class Unusable(Exception):
    """Why a body means nothing: one sentence."""


def is_identity(value: str) -> bool:
    """Whether `value` is 1 to 200 letters, digits or any of `_=+/.:-`, as forges make ids."""
    return _IDENTITY.fullmatch(value) is not None


def document(raw: bytes) -> "Fields":
    """The JSON object that `raw` holds.

    Raises:
        Unusable: It holds none.
    """
    try:
        values: Any = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Unusable(f"the body is not JSON ({type(error).__name__})") from error
    if not isinstance(values, dict):
        raise Unusable("the body is not a JSON object")
    return Fields(cast(dict[str, Any], values))


def clean(value: str, limit: int = MAXIMUM_TEXT) -> str:
    """`value` as every database and page can hold it, at most `limit` characters of it."""
    return value[: 2 * limit].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")[:limit]


class Fields:
    """One JSON object of a delivery.

    Args:
        values: As parsed.
        at: Where it stands in the body, with a dot at the end; empty for the body itself.
    """

    def __init__(self, values: dict[str, Any], at: str = "") -> None:
        self._values = values
        self._at = at

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(name) is not None

    def inner(self, name: str) -> "Fields":
        """The object in the field; one without fields where there is none."""
        value = self._values.get(name)
        values = cast(dict[str, Any], value) if isinstance(value, dict) else {}
        return Fields(values, f"{self._at}{name}.")

    def each(self, name: str, limit: int = MAXIMUM_NAMES) -> tuple["Fields", ...]:
        """The objects among the first `limit` entries of the field's list; other entries are left out."""
        value = self._values.get(name)
        entries = cast(list[Any], value)[:limit] if isinstance(value, list) else []
        return tuple(
            Fields(cast(dict[str, Any], entry), f"{self._at}{name}[{place}].")
            for place, entry in enumerate(entries)
            if isinstance(entry, dict)
        )

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts in the field's list, at most `MAXIMUM_NAMES`; other entries are left out."""
        value = self._values.get(name)
        entries = cast(list[Any], value)[:MAXIMUM_NAMES] if isinstance(value, list) else []
        return tuple(clean(entry) for entry in entries if isinstance(entry, str))

    def text(self, name: str, limit: int = MAXIMUM_TEXT) -> str:
        """At most `limit` characters of a free text; empty where there is none."""
        value = self._values.get(name)
        return clean(value, limit) if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        """Whether the field is `true`."""
        return self._values.get(name) is True

    def identity(self, name: str) -> str:
        """The forge's own id of something, a number or a text; empty where there is none that is usable."""
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 63:
            return str(value)
        return value if isinstance(value, str) and is_identity(value) else ""

    def number(self, name: str) -> int:
        """A positive number that people know something by.

        Raises:
            Unusable: It is none, or above 2^31.
        """
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 31:
            raise Unusable(f"{self._field(name)} is not a number from 1 to 2147483647")
        return value

    def project(self, name: str) -> str:
        """A repository's path on its forge.

        Raises:
            Unusable: It is none.
        """
        value = self._values.get(name)
        if not isinstance(value, str) or len(value) > MAXIMUM_TEXT or not _PROJECT.fullmatch(value):
            raise Unusable(f"{self._field(name)} is not a repository path such as group/name")
        return value

    def ref(self, name: str) -> str:
        """A full ref, such as `refs/heads/main`.

        Raises:
            Unusable: It is none, or git does not allow it.
        """
        value = self._values.get(name)
        if not isinstance(value, str) or len(value) > MAXIMUM_TEXT or not value.startswith("refs/"):
            raise Unusable(f"{self._field(name)} is not a full ref such as refs/heads/main")
        if _BAD_REF.search(value):
            raise Unusable(f"{self._field(name)} is not a name that git allows, or not UTF-8")
        return value

    def branch(self, name: str) -> str:
        """A branch's name, such as `feature/x`.

        Raises:
            Unusable: It is none, or git does not allow it.
        """
        value = self._values.get(name)
        if not isinstance(value, str) or not value or len(value) > MAXIMUM_TEXT:
            raise Unusable(f"{self._field(name)} is not a branch's name")
        if _BAD_REF.search(_BRANCHES + value):
            raise Unusable(f"{self._field(name)} is not a name that git allows, or not UTF-8")
        return value

    def default_branch(self) -> str:
        """The project's default branch; empty where the forge did not send one that git allows."""
        try:
            return self.branch("default_branch")
        except Unusable:
            return ""

    def sha(self, name: str) -> str | None:
        """A commit in lower case; None for null and for zeros, which stand for "no commit".

        Raises:
            Unusable: It is something else.
        """
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not _SHA.fullmatch(value):
            raise Unusable(f"{self._field(name)} is not a commit's 40 or 64 hexadecimal digits")
        return value.lower() if value.strip("0") else None

    def commit(self, name: str) -> str:
        """A commit that must be there, in lower case.

        Raises:
            Unusable: It is none.
        """
        sha = self.sha(name)
        if sha is None:
            raise Unusable(f"{self._field(name)} names no commit")
        return sha

    def _field(self, name: str) -> str:
        return f"`{self._at}{name}`"
